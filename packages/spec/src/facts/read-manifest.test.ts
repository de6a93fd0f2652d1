import { expect, test } from "vitest";
import { isManifest, readManifest } from "./read-manifest.ts";

const brief = (file: string, text: string) => {
  const manifest = readManifest(file, text);
  return manifest === undefined ? undefined : [manifest.kind, manifest.folder, manifest.scripts, manifest.executables];
};

test.each<[string, string, unknown]>([
  [
    "web/package.json",
    '{"name":"@a/web","bin":"x.js","scripts":{"test":"x","build":"y"},"devDependencies":{"typescript":"5","@biomejs/biome":"2"}}',
    ["npm", "web", ["test", "build"], ["web", "typescript", "tsc", "tsserver", "biome"]],
  ],
  ["package.json", "{", undefined],
  ["Makefile", ".PHONY: test lint\nX := 1\ntest: build lint\n\tnpm test\nbuild lint:\n\tx: y\n", ["make", ".", ["test", "build", "lint"], []]],
  ["justfile", 'set shell := ["sh"]\nname := "x"\n@test arg="a": build\n  x\nbuild:\n  y\n', ["just", ".", ["test", "build"], []]],
  ["requirements.txt", "pytest==8.0\nuvicorn[standard]>=0.2 # x\n-r other.txt\n", ["python", ".", [], ["pytest", "uvicorn"]]],
  [
    "pyproject.toml",
    '[project]\ndependencies = ["fastapi>=0.1", "Flask"]\n[project.scripts]\nshop = "shop:main"\n[tool.x]\n',
    ["python", ".", [], ["shop", "fastapi", "flask"]],
  ],
  ["src/package.ts", "{}", undefined],
])("%s", (file, text, expected) => {
  expect(brief(file, text)).toEqual(expected);
});

test("manifests of installed packages are none", () => {
  expect([isManifest("a/package.json"), isManifest("node_modules/x/package.json"), isManifest("package.json.bak")]).toEqual([true, false, false]);
});

/** What one manifest of a repository lets commands name. */
export interface Manifest {
  /** Path of the manifest. */
  file: string;
  /** Folder of the manifest; `.` for the root. */
  folder: string;
  kind: "npm" | "make" | "just" | "python" | "composer";
  /** Scripts, targets or recipes. */
  scripts: readonly string[];
  /** Programs it brings: of its dependencies and its own. */
  executables: readonly string[];
}

const kindsByName: Readonly<Record<string, Manifest["kind"]>> = {
  "package.json": "npm",
  Makefile: "make",
  makefile: "make",
  GNUmakefile: "make",
  justfile: "just",
  Justfile: "just",
  ".justfile": "just",
  "pyproject.toml": "python",
  "requirements.txt": "python",
  "requirements-dev.txt": "python",
  "composer.json": "composer",
};

/** Programs that a machine of the factory has, whatever the project. */
export const knownExecutables: readonly string[] =
  `sh bash zsh dash env cd test [ [[ true false : echo printf export set unset exit time timeout xargs tee cat ls cp mv rm mkdir rmdir touch ln
  chmod head tail sort uniq wc cut tr sed awk gawk grep egrep fgrep rg find diff cmp comm basename dirname realpath readlink stat file du df date
  sleep seq yes which command type source . eval exec trap wait kill ps pgrep nohup nice tar gzip gunzip zip unzip base64 md5sum sha256sum shasum
  openssl curl wget ssh scp rsync git gh node npm npx corepack pnpm yarn bun deno python python3 pip pip3 pipx uv uvx poetry pytest make just cmake
  ctest ninja go gofmt cargo rustc rustfmt java javac mvn gradle dotnet php composer ruby gem bundle rake perl docker docker-compose podman kubectl helm
  terraform psql mysql sqlite3 redis-cli mongosh jq yq xmllint shellcheck tmux dispatch not ! if then else fi for do done while case esac { } ( )`
    .split(/\s+/)
    .filter((name) => name !== "");

/** Programs whose name is not the name of the package that brings them. */
const binsOfPackages: Readonly<Record<string, readonly string[]>> = {
  typescript: ["tsc", "tsserver"],
  "@biomejs/biome": ["biome"],
  "@playwright/test": ["playwright"],
  "@angular/cli": ["ng"],
  "@nestjs/cli": ["nest"],
  "@vue/cli-service": ["vue-cli-service"],
  "vue-tsc": ["vue-tsc"],
  "@redocly/cli": ["redocly"],
  "@stoplight/spectral-cli": ["spectral"],
  "react-scripts": ["react-scripts"],
  "npm-run-all": ["npm-run-all", "run-s", "run-p"],
  "@sveltejs/kit": ["svelte-kit"],
  "oxlint-tsgolint": ["tsgolint"],
  flask: ["flask"],
  django: ["django-admin"],
  uvicorn: ["uvicorn"],
  "pytest-cov": ["pytest"],
  "pre-commit": ["pre-commit"],
};

/** Whether a tracked path is a manifest that `readManifest` reads. */
export function isManifest(path: string): boolean {
  return Object.hasOwn(kindsByName, baseOf(path)) && !path.split("/").includes("node_modules");
}

/** Reads a manifest; undefined when it is none, or cannot be read, so that it neither allows nor forbids anything. */
export function readManifest(file: string, text: string): Manifest | undefined {
  const kind = isManifest(file) ? kindsByName[baseOf(file)] : undefined;
  if (kind === undefined) return undefined;
  const folder = file.includes("/") ? file.slice(0, file.lastIndexOf("/")) : ".";
  const content = contentOf(kind, text.replaceAll("\r\n", "\n"));
  return content === undefined ? undefined : { file, folder, kind, ...content };
}

type Content = Pick<Manifest, "scripts" | "executables">;

function contentOf(kind: Manifest["kind"], text: string): Content | undefined {
  switch (kind) {
    case "npm":
    case "composer":
      return ofJson(text, kind);
    case "make":
      return {
        scripts: unique([...text.matchAll(/^([A-Za-z0-9_/%-][^:=#\n\t]*?)\s*::?(?!=)/gm)].flatMap(([, names = ""]) => names.split(/\s+/))),
        executables: [],
      };
    case "just":
      return { scripts: unique([...text.matchAll(/^@?([A-Za-z_][\w-]*)(?:\s+[^:\n]*)?:(?!=)/gm)].map(([, name = ""]) => name)), executables: [] };
    case "python":
      return ofPython(text);
  }
}

function ofJson(text: string, kind: "npm" | "composer"): Content | undefined {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return undefined;
  }
  const root = mapOf(data);
  const bin = root["bin"];
  const own = typeof bin === "string" ? [nameOf(String(root["name"] ?? ""))] : Object.keys(mapOf(bin));
  const fields = kind === "npm" ? ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] : ["require", "require-dev"];
  const packages = fields.flatMap((field) => Object.keys(mapOf(root[field])));
  return { scripts: Object.keys(mapOf(root["scripts"])), executables: unique([...own, ...packages.flatMap(binsOf)]) };
}

/** The names of packages in a requirements file, or anywhere in the lists of a pyproject file, and the scripts it declares. */
function ofPython(text: string): Content {
  const lines = text.split("\n");
  const listed = lines.flatMap(
    (line) => /^\s*["']?([A-Za-z][\w.-]*)(?:\[[^\]]*\])?\s*(?:["']?\s*[,\]]|=(?!\s*\[)|[<>~!;]|["']?\s*$)/.exec(line)?.[1] ?? [],
  );
  const inline = [...text.matchAll(/["']([A-Za-z][\w.-]*)(?:\[[^\]"']*\])?\s*(?:[=<>~!;][^"'\n]*)?["']/g)].map(([, name = ""]) => name);
  const section = /^\[(?:project\.scripts|tool\.poetry\.scripts)\]\n([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(text)?.[1] ?? "";
  const own = [...section.matchAll(/^\s*["']?([\w.-]+)["']?\s*=/gm)].map(([, name = ""]) => name);
  return { scripts: [], executables: unique([...own, ...[...listed, ...inline].map((name) => name.toLowerCase()).flatMap(binsOf)]) };
}

function binsOf(name: string): readonly string[] {
  return [nameOf(name), ...(binsOfPackages[name] ?? [])];
}

/** `@scope/tool` brings `tool`. */
function nameOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => name !== "");
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

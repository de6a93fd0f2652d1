import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

/**
 * run.sh in a folder of its own, with a PATH that holds only what a test puts there.
 * The package managers and npm are small programs that write down how they were called.
 */
let folder = "";
let bin = "";
let root = "";
let calls = "";

const everywhere = ["sh", "cat", "sed", "dirname", "env", "id", "chmod", "rm"];
const tools = ["git", "make", "python3", "c++", "tmux"];

function program(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

/** A tool that says a version, so that no test depends on what is installed here. */
function tool(name: string): void {
  program(name, name === "git" ? "echo git version 2.39.5" : `echo ${name} 3.3a`);
}

function link(name: string): void {
  for (const place of ["/bin", "/usr/bin"]) {
    if (existsSync(join(place, name))) {
      symlinkSync(join(place, name), join(bin, name));
      return;
    }
  }
}

/** A package manager: notes its arguments and makes tmux appear. */
function manager(name: string): void {
  const tmux = join(bin, "tmux");
  program(
    name,
    `echo ${name} "$@" >>"${calls}"\ncase "$*" in "install -s"*) exit 0 ;; *install*) printf '#!/bin/sh\\necho tmux 3.4\\n' >"${tmux}"; chmod +x "${tmux}" ;; esac`,
  );
}

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-run-sh-")));
  bin = join(folder, "bin");
  root = join(folder, "a place with spaces");
  calls = join(folder, "calls");
  mkdirSync(bin);
  mkdirSync(join(root, "packages/cli/dist/bundle"), { recursive: true });
  mkdirSync(join(root, "node_modules/better-sqlite3"), { recursive: true });
  writeFileSync(calls, "");
  for (const name of everywhere) link(name);
  for (const name of tools) tool(name);
  symlinkSync(process.execPath, join(bin, "node"));
  program("npm", `echo npm "$@" >>"${calls}"`);
  program("sudo", `echo sudo >>"${calls}"\nexec "$@"`);
  copyFileSync(fileURLToPath(new URL("../run.sh", import.meta.url)), join(root, "run.sh"));
  writeFileSync(join(root, "package.json"), "{}");
  writeFileSync(join(root, "package-lock.json"), "{}");
  writeFileSync(join(root, "node_modules/better-sqlite3/index.js"), "module.exports = class { close() {} };\n");
  writeFileSync(
    join(root, "packages/cli/dist/bundle/dispatch.js"),
    "console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd() }));\n",
  );
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function runSh(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const run = spawnSync("/bin/sh", [join(root, "run.sh"), ...args], { cwd: folder, env: { PATH: bin, HOME: folder }, encoding: "utf8" });
  return { code: run.status, stdout: run.stdout, stderr: run.stderr };
}

function called(): string[] {
  return readFileSync(calls, "utf8").split("\n").filter(Boolean);
}

test("up installs, builds and hands its arguments to the daemon in the caller's folder", () => {
  const run = runSh("up", "--dir", "my factory");
  expect(run.code).toBe(0);
  expect(JSON.parse(run.stdout)).toEqual({ args: ["up", "--dir", "my factory"], cwd: folder });
  expect(called()).toEqual(["npm ci --no-audit --no-fund", "npm run --silent build --workspaces --if-present"]);
});

test("packages are installed once, and again when the lockfile changes", () => {
  runSh("up");
  runSh("up");
  expect(called().filter((line) => line.startsWith("npm ci"))).toHaveLength(1);
  writeFileSync(join(root, "package-lock.json"), '{"lockfileVersion":3}');
  runSh("up");
  expect(called().filter((line) => line.startsWith("npm ci"))).toHaveLength(2);
});

test("an installation that failed is tried again by the next run", () => {
  program("npm", `echo npm "$@" >>"${calls}"\nexit 1`);
  expect(runSh("up").code).not.toBe(0);
  expect(runSh("up").code).not.toBe(0);
  expect(called().filter((line) => line.startsWith("npm ci"))).toHaveLength(2);
});

for (const [name, line] of [
  ["apt-get", "apt-get install -y --no-install-recommends tmux"],
  ["dnf", "dnf install -y tmux"],
  ["brew", "brew install tmux"],
] as const) {
  test(`a missing tool is installed with ${name}, once`, () => {
    rmSync(join(bin, "tmux"));
    manager(name);
    expect(runSh("up").code).toBe(0);
    expect(called()).toContain(line);
    writeFileSync(calls, "");
    expect(runSh("up").code).toBe(0);
    expect(called().some((call) => call.startsWith(name))).toBe(false);
  });
}

test("a tool that is too old counts as missing", () => {
  program("git", "echo git version 2.37.9");
  program("dnf", `echo dnf "$@" >>"${calls}"\nprintf '#!/bin/sh\\necho git version 2.50.0\\n' >"${join(bin, "git")}"`);
  expect(runSh("up").code).toBe(0);
  expect(called()).toContain("dnf install -y git");
});

test("a package manager that cannot help ends with what to install by hand", () => {
  rmSync(join(bin, "tmux"));
  program("dnf", "exit 0");
  const run = runSh("up");
  expect(run.code).toBe(1);
  expect(run.stderr).toContain("tmux 3.0");
  expect(called()).not.toContain("npm ci --no-audit --no-fund");
});

test("without a known package manager all that is missing is named and nothing is begun", () => {
  for (const name of ["tmux", "c++", "git"]) rmSync(join(bin, name));
  const run = runSh("demo");
  expect(run.code).toBe(1);
  for (const name of ["tmux 3.0", "C++ compiler", "git 2.38"]) expect(run.stderr).toContain(name);
  expect(called()).toEqual([]);
});

test("an apt whose node is too old is not asked to install it", () => {
  rmSync(join(bin, "node"));
  manager("apt-get");
  program("apt-cache", "printf 'nodejs:\\n  Installed: (none)\\n  Candidate: 18.20.4+dfsg-1~deb12u1\\n'");
  const run = runSh("up");
  expect(run.code).toBe(1);
  expect(called().filter((line) => line.includes("install -y"))).toEqual([]);
});

test("an unknown command is a usage error", () => {
  expect(runSh("fly").code).toBe(2);
});

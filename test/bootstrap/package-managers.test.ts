import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

/**
 * bootstrap.sh with a PATH that holds only what a test puts there. The package managers, npm and sudo are small programs
 * that write down how they were called and make appear what they were asked for; nothing outside of the folder is touched.
 */
const script = join(import.meta.dirname, "../../bootstrap/bootstrap.sh");
const everywhere = [
  "sh",
  "cat",
  "sed",
  "tr",
  "head",
  "tail",
  "date",
  "mkdir",
  "chmod",
  "rm",
  "mv",
  "mktemp",
  "find",
  "env",
  "ln",
  "tar",
  "gzip",
  "sha256sum",
  "cp",
  "wc",
];
const secret = "sk-9f8e7d6c5b4a";

let folder = "";
let bin = "";
let calls = "";

function program(name: string, text: string, place = bin): void {
  writeFileSync(join(place, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(place, name), 0o755);
}

/** Notes its arguments and its environment, so that a key in either is seen. */
const note = (name: string): string => `echo ${name} "$@" >>"${calls}"; env >>"${calls}.env"`;

const makeTools = `
for word in "$@"; do
  case $word in
    git) text='git version 2.45.0' ;;
    tmux) text='tmux 3.4' ;;
    python3 | python) word=python3 text='Python 3.12.1' ;;
    nodejs) ln -sf "$REAL_NODE" "$BIN/node"; continue ;;
    npm) cp "$NPM" "$BIN/npm"; continue ;;
    node) ln -sf "$REAL_NODE" "$BIN/node"; cp "$NPM" "$BIN/npm"; continue ;;
    *) continue ;;
  esac
  printf '#!/bin/sh\\necho %s\\n' "$text" >"$BIN/$word"
  chmod +x "$BIN/$word"
done`;

/** A package manager that offers this Node.js. */
function manager(name: string, offered = "22.20.0"): void {
  const answers: Readonly<Record<string, string>> = {
    dnf: `case "$*" in *info*) echo "Version      : ${offered}"; exit ;; esac`,
    yum: `case "$*" in *info*) echo "Version      : ${offered}"; exit ;; esac`,
    microdnf: `case "$*" in *repoquery*) echo "nodejs-1:${offered}-2.x86_64"; exit ;; esac`,
    apk: `case "$*" in *search*) echo "nodejs-${offered}-r0"; exit ;; esac`,
    brew: `case "$*" in *info*) echo '"stable": "${offered}",'; exit ;; esac`,
  };
  program(name, `${answers[name] ?? ""}\n${note(name)}\n${makeTools}`);
  if (name === "apt-get") {
    program("apt-cache", `printf 'nodejs:\\n  Installed: (none)\\n  Candidate: ${offered}+dfsg-1\\n'`);
    program("dpkg", "exit 0");
  }
}

const npm = (): string => `${note("npm")}
prefix=$3
for last in "$@"; do :; done
name=\${last%@*}
mkdir -p "$prefix/node_modules/$name" "$prefix/node_modules/.bin"
printf '{\\n  "version": "%s"\\n}\\n' "\${last##*@}" >"$prefix/node_modules/$name/package.json"
printf '#!/bin/sh\\necho "key:$OPENAI_API_KEY"\\n' >"$prefix/node_modules/.bin/codex"
chmod +x "$prefix/node_modules/.bin/codex"`;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-bootstrap-")));
  bin = join(folder, "bin");
  calls = join(folder, "calls");
  mkdirSync(bin);
  writeFileSync(calls, "");
  writeFileSync(`${calls}.env`, "");
  for (const name of everywhere) {
    const place = ["/bin", "/usr/bin"].find((one) => existsSync(join(one, name)));
    if (place !== undefined) symlinkSync(join(place, name), join(bin, name));
  }
  program("npm", npm(), folder);
  system("Linux");
  program("id", "case $1 in -u) echo 0 ;; *) echo ada ;; esac");
  program("nproc", "echo 4");
  program("ldd", "echo 'ldd (GNU libc) 2.36'");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function system(name: string, machine = "x86_64"): void {
  program("uname", `case $1 in -s) echo ${name} ;; -m) echo ${machine} ;; *) echo Box-7.example ;; esac`);
}

function bootstrap(args: readonly string[], env: Readonly<Record<string, string>> = {}): { code: number | null; stdout: string; stderr: string } {
  const run = spawnSync("/bin/sh", ["-s", "--", ...args], {
    cwd: folder,
    input: readFileSync(script),
    env: { PATH: bin, HOME: folder, DISPATCH_PLACES: bin, BIN: bin, NPM: join(folder, "npm"), REAL_NODE: process.execPath, ...env },
    encoding: "utf8",
  });
  return { code: run.status, stdout: run.stdout, stderr: run.stderr };
}

const called = (): string[] => readFileSync(calls, "utf8").split("\n").filter(Boolean);
const words = (line: string | undefined): string[] => (line ?? "").split(" ").filter((word) => word !== "ca-certificates");
const at = (path: string): string => join(folder, ".dispatch", path);

const apt = "apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3";
const installs = [
  ["apt-get", "Linux", [`${apt} update`, `${apt} install -y --no-install-recommends git tmux python3 nodejs npm`]],
  ["dnf", "Linux", ["dnf -y --setopt=install_weak_deps=False install git tmux python3 nodejs npm"]],
  ["microdnf", "Linux", ["microdnf -y install git tmux python3 nodejs npm"]],
  ["yum", "Linux", ["yum -y --setopt=install_weak_deps=False install git tmux python3 nodejs npm"]],
  ["apk", "Linux", ["apk update", "apk add --no-progress git tmux python3 nodejs npm"]],
  ["brew", "Darwin", ["brew install git tmux python node"]],
] as const;

describe.each(installs)("with %s", (name, systemName, expected) => {
  beforeEach(() => {
    system(systemName);
    manager(name);
  });

  test("everything is installed in one call, and the second run calls nobody", () => {
    const first = bootstrap(["--name", "far", "--slots=8", "--mode", "codex", "--label", "cuda"]);
    expect(first.code, first.stderr).toBe(0);
    const managers = called().filter((line) => line.startsWith(name));
    expect(managers.map(words)).toEqual(expected.map(words));
    expect(JSON.parse(first.stdout)).toMatchObject({
      name: "far",
      slots: 8,
      mode: "codex",
      labels: ["cuda"],
      cpus: 4,
      work_dir: "~/.dispatch",
      node: process.versions.node,
      git: "2.45.0",
      tmux: "3.4",
      agents: { codex: "0.169.0" },
      ssh_user: "ada",
    });
    expect(readFileSync(at("node-info.json"), "utf8")).toBe(first.stdout);
    writeFileSync(calls, "");
    const second = bootstrap(["--name", "far", "--slots=8", "--mode", "codex", "--label", "cuda"]);
    expect(second).toMatchObject({ code: 0, stdout: first.stdout });
    expect(called()).toEqual([]);
    expect(readdirSync(`${folder}/.dispatch`).filter((entry) => entry.startsWith(".bootstrap"))).toEqual([]);
  });

  test("--dry-run and --check say what is missing, and change nothing", () => {
    const dry = bootstrap(["--mode", "none", "--dry-run"]);
    expect(dry).toMatchObject({ code: 0, stdout: "" });
    expect(dry.stderr).toMatch(new RegExp(`^would +install tmux with ${name}`, "m"));
    expect(bootstrap(["--check"])).toMatchObject({ code: 1, stdout: "" });
    expect(existsSync(join(folder, ".dispatch"))).toBe(false);
    expect(called()).toEqual([]);
  });
});

test("a Node.js of the system that is too old is not asked for, and without an official build the remedy is named", () => {
  manager("apk", "18.20.1");
  program("ldd", "echo musl libc");
  const run = bootstrap([]);
  expect(run.code).toBe(1);
  expect(run.stderr).toMatch(/^ {2}try: .*Node\.js/m);
  expect(called()).toEqual(["apk update"]);
});

test("without a known package manager all that is missing is named, and nothing is begun", () => {
  const run = bootstrap([]);
  expect(run.code).toBe(1);
  for (const name of ["git 2.38", "tmux 3.0", "Python 3.6"]) expect(run.stderr).toContain(name);
});

test("a user who may use sudo needs no other right; one who may not is told what to install", () => {
  manager("apt-get");
  program("id", "case $1 in -u) echo 1000 ;; *) echo ada ;; esac");
  const refused = bootstrap([]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/^ {2}try: .*git tmux python3 nodejs/m);
  program("sudo", `echo sudo >>"${calls}"\n[ "$1" = -n ] && shift\n[ "$1" = true ] || exec "$@"`);
  expect(bootstrap([]).code).toBe(0);
  expect(called().filter((line) => line.includes(" install -y "))).toHaveLength(1);
});

test("an installation that fails ends with what the manager said, and the next run goes on", () => {
  manager("dnf");
  const working = readFileSync(join(bin, "dnf"), "utf8");
  program("dnf", 'case "$*" in *info*) echo "Version : 22.20.0" ;; *) echo no mirror answers; exit 1 ;; esac');
  const failed = bootstrap(["--name", "far"]);
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  expect(failed.stderr).toContain("no mirror answers");
  writeFileSync(join(bin, "dnf"), working);
  expect(bootstrap(["--name", "far"]).code).toBe(0);
});

describe("keys", () => {
  beforeEach(() => {
    manager("apt-get");
  });

  const launched = (): string => spawnSync(at("bin/codex"), [], { env: { PATH: bin }, encoding: "utf8" }).stdout.trim();

  test("stay away from a node that nobody asked to keep them, whatever the environment holds", () => {
    const run = bootstrap(["--mode", "codex"], { OPENAI_API_KEY: secret });
    expect(run.code, run.stderr).toBe(0);
    expect(existsSync(at("env"))).toBe(false);
    expect(launched()).toBe("key:");
    expectNowhere(run);
  });

  test.each([
    ["the environment", ["--keys", "node"], { OPENAI_API_KEY: secret }],
    ["a file", ["--key-file", "OPENAI_API_KEY=the key.txt"], {}],
  ])("from %s are kept for the agents alone, and shown to nothing that is installed", (_word, args, env: Record<string, string>) => {
    writeFileSync(join(folder, "the key.txt"), `${secret}\n`);
    const run = bootstrap(["--mode", "codex", ...args], env);
    expect(run.code, run.stderr).toBe(0);
    expect(statSync(at("env")).mode & 0o777).toBe(0o600);
    expect(launched()).toBe(`key:${secret}`);
    expectNowhere(run);
    expect(bootstrap(["--mode", "codex", ...args], env).stderr).toMatch(/^ok +keys/m);
  });

  test("of another maker's models go to the agent that runs them, with the place they are served at", () => {
    writeFileSync(join(folder, "key"), secret);
    expect(bootstrap(["--mode", "glm", "--agents", "codex@1.0.0", "--key-file", "ZAI_API_KEY=key"]).code).toBe(0);
    expect(readFileSync(at("env"), "utf8").split("\n")).toEqual([
      "ANTHROPIC_BASE_URL='https://api.z.ai/api/anthropic'",
      `ANTHROPIC_AUTH_TOKEN='${secret}'`,
      "",
    ]);
  });

  test("that are wanted and not given end it", () => {
    const run = bootstrap(["--mode", "minimax", "--agents", "codex@1.0.0", "--keys", "node"]);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/^ {2}try: .*MINIMAX_API_KEY/m);
  });

  function expectNowhere({ stdout, stderr }: { stdout: string; stderr: string }): void {
    const log = readFileSync(at("bootstrap.log"), "utf8");
    expect(stdout + stderr + log + readFileSync(calls, "utf8")).not.toContain(secret);
    expect(readFileSync(`${calls}.env`, "utf8")).toContain("PATH=");
    expect(readFileSync(`${calls}.env`, "utf8")).not.toContain(secret);
  }
});

test.each([
  ["an unknown option", ["--fast"]],
  ["an unknown mode", ["--mode", "gpt"]],
  ["no slots", ["--slots", "0"]],
  ["too many slots", ["--slots", "513"]],
  ["slots that are no number", ["--slots", "8;id"]],
  ["a name with blanks", ["--name", "my node"]],
  ["an agent that nobody knows", ["--agents", "cursor"]],
  ["a label in capitals", ["--label", "GPU"]],
  ["an option without its value", ["--name"]],
  ["a folder with a quote", ["--work-dir", "/tmp/it's"]],
  ["a key that the mode does not know", ["--mode", "codex", "--key-file", "ZAI_API_KEY=x"]],
])("%s is a wrong call, and nothing is begun", (_word, args) => {
  manager("apt-get");
  expect(bootstrap(args)).toMatchObject({ code: 2, stdout: "" });
  expect(called()).toEqual([]);
  expect(existsSync(join(folder, ".dispatch"))).toBe(false);
});

test("a machine without a name given takes its own, and --help tells everything", () => {
  manager("apt-get");
  expect(JSON.parse(bootstrap([]).stdout)).toMatchObject({ name: "box-7", slots: 4, mode: "none", agents: {} });
  const help = bootstrap(["--help"]);
  expect(help.code).toBe(0);
  for (const option of ["--name", "--slots", "--mode", "--node-mirror", "--key-file", "--check", "--dry-run"]) expect(help.stdout).toContain(option);
});

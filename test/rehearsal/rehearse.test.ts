import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const program = join(import.meta.dirname, "rehearse.mjs");
const banner = "REHEARSAL: a script plays the agent; no model is asked.";
const specText = `---
task_id: S01-one
project: demo
modifies: [src/a.js]
creates:
  - "tests/a.test.js"
---
## Goal
Change src/a.js.
`;

let folder: string;
let tree: string;
let started: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rehearse-"));
  tree = join(folder, "tree");
  mkdirSync(join(tree, "src"), { recursive: true });
  mkdirSync(join(folder, "scripts"));
  writeFileSync(join(tree, "src/a.js"), "export const a = 1;\n");
  writeFileSync(join(folder, "spec.md"), specText);
  writeFileSync(join(folder, "prompt.md"), "p".repeat(401));
  started = [];
});

afterEach(() => {
  for (const child of started) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function script(content: unknown, id = "S01-one"): void {
  writeFileSync(join(folder, "scripts", `${id}.json`), JSON.stringify(content));
}

interface Options {
  args?: string[];
  env?: Record<string, string>;
}

function start({ args = ["--scripts", join(folder, "scripts")], env = {} }: Options = {}): ChildProcess & { text: () => string } {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: tree,
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      DISPATCH_SPEC_FILE: join(folder, "spec.md"),
      DISPATCH_PROMPT_FILE: join(folder, "prompt.md"),
      DISPATCH_USAGE_FILE: join(folder, "usage.json"),
      DISPATCH_ROUND: "1",
      DISPATCH_ATTEMPT: "1",
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  return Object.assign(child, { text: () => output });
}

async function play(options: Options = {}): Promise<{ status: number | null; signal: string | null; lines: string[] }> {
  const child = start(options);
  const [status, signal] = (await once(child, "close")) as [number | null, string | null];
  return { status, signal, lines: child.text().split("\n") };
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error("the condition never held");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function read(path: string): string {
  return readFileSync(join(tree, path), "utf8");
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("every kind of edit is made, and the first line says that it is a rehearsal", async () => {
  script({
    rounds: [
      {
        say: ["reading the spec"],
        steps: [
          { write: "tests/a.test.js", content: ["one", "two"] },
          { append: "src/a.js", content: "export const b = 2;\n" },
          { replace: "src/a.js", find: "a = 1", with: "a = 3" },
          { write: "src/gone.js", content: "x" },
          { delete: "src/gone.js" },
          { write: "src/raw.bin", base64: "AAEC" },
          { symlink: "src/link.js", to: "a.js" },
          { run: "echo from-a-command" },
        ],
        exit: 7,
      },
    ],
  });
  const { status, lines } = await play();
  expect(status).toBe(7);
  expect(lines.slice(0, 2)).toEqual([banner, "reading the spec"]);
  expect(lines).toContain("from-a-command");
  expect(read("tests/a.test.js")).toBe("one\ntwo\n");
  expect(read("src/a.js")).toBe("export const a = 3;\nexport const b = 2;\n");
  expect(existsSync(join(tree, "src/gone.js"))).toBe(false);
  expect([...readFileSync(join(tree, "src/raw.bin"))]).toEqual([0, 1, 2]);
  expect(lstatSync(join(tree, "src/link.js")).isSymbolicLink()).toBe(true);
});

test("tokens are estimated from the prompt and from what was written", async () => {
  script({ rounds: [{ steps: [{ write: "src/b.js", content: "b".repeat(4000) }] }] });
  await play();
  const usage = JSON.parse(readFileSync(join(folder, "usage.json"), "utf8"));
  expect(usage.inputTokens).toBe(101);
  expect(usage.outputTokens).toBe(Math.ceil((4000 + banner.length) / 4));
});

test("rounds follow one another and the last one repeats", async () => {
  script({ rounds: [{ say: ["first"] }, { say: ["second"] }] });
  const said: (string | undefined)[] = [];
  for (const round of ["1", "2", "3"]) said.push((await play({ env: { DISPATCH_ROUND: round } })).lines[1]);
  expect(said).toEqual(["first", "second", "second"]);
});

test("an attempt can have rounds of its own, and its number or its id names it", async () => {
  script({ attempts: [{ rounds: [{ say: ["one"] }] }, { rounds: [{ say: ["two"] }] }] });
  const said: (string | undefined)[] = [];
  for (const attempt of ["1", "2", "demo--S01-one--2", "9"]) said.push((await play({ env: { DISPATCH_ATTEMPT: attempt } })).lines[1]);
  expect(said).toEqual(["one", "two", "two", "two"]);
});

test("a round that is played again changes nothing more", async () => {
  script({
    rounds: [
      {
        steps: [
          { append: "src/a.js", content: "export const b = 2;\n" },
          { replace: "src/a.js", find: "export const a = 1;\n", with: "export const a = 1;\nexport const c = 3;\n" },
        ],
      },
    ],
  });
  await play();
  const once = read("src/a.js");
  expect((await play()).status).toBe(0);
  expect(read("src/a.js")).toBe(once);
});

test("a script that does not fit the tree ends with 4 and edits nothing", async () => {
  script({ rounds: [{ steps: [{ replace: "src/a.js", find: "a = 2", with: "a = 3" }] }] });
  expect((await play()).status).toBe(4);
  expect(read("src/a.js")).toBe("export const a = 1;\n");
  script({ rounds: [{ steps: [{ replace: "src/a.js", find: "t", with: "tt1" }] }] });
  expect((await play()).status).toBe(4);
  script({ rounds: [{ steps: [{ replace: "src/none.js", find: "a", with: "b1" }] }] });
  expect((await play()).status).toBe(4);
});

test("a spec without a script ends with 3, a wrong call with 2, and both say what they are", async () => {
  script({ rounds: [{}] }, "S02-other");
  const unknown = await play();
  expect([unknown.status, unknown.lines[0]]).toEqual([3, banner]);
  expect((await play({ args: [] })).status).toBe(2);
  expect((await play({ args: ["--write-one", "--what"] })).status).toBe(2);
  expect((await play({ env: { DISPATCH_SPEC_FILE: join(folder, "none.md") } })).status).toBe(2);
  expect((await play({ env: { DISPATCH_SPEC_FILE: join(folder, "prompt.md") } })).status).toBe(2);
  script({ rounds: [{ steps: [{ fly: true }] }] });
  expect((await play()).status).toBe(2);
});

test("the spec may also be JSON", async () => {
  writeFileSync(join(folder, "spec.json"), JSON.stringify({ id: "S01-one", creates: [], modifies: ["src/a.js"] }));
  script({ rounds: [{ steps: [{ misbehave: "leave-todo" }] }] });
  expect((await play({ env: { DISPATCH_SPEC_FILE: join(folder, "spec.json") } })).status).toBe(0);
  expect(read("src/a.js")).toMatch(/\/\/ TODO/);
});

test("--write-one writes the first declared path and needs no script", async () => {
  expect((await play({ args: ["--write-one"] })).status).toBe(0);
  expect(read("tests/a.test.js")).toContain("S01-one");
  expect(read("src/a.js")).toBe("export const a = 1;\n");
});

test("--fast skips the thinking", async () => {
  script({ rounds: [{ think_ms: 600_000, steps: [{ write: "src/b.js", content: "b" }] }] });
  expect((await play({ args: ["--fast", "--scripts", join(folder, "scripts")] })).status).toBe(0);
  expect(read("src/b.js")).toBe("b");
});

test("thinking takes its time before each step", async () => {
  const think = 120;
  script({
    rounds: [
      {
        think_ms: think,
        steps: [
          { write: "src/b.js", content: "b" },
          { write: "src/c.js", content: "c" },
        ],
      },
    ],
  });
  const begun = Date.now();
  await play();
  expect(Date.now() - begun).toBeGreaterThanOrEqual(2 * think - 5);
});

test("misbehaviours that leave a trace in the tree", async () => {
  script({
    rounds: [
      { steps: [{ misbehave: "leave-todo" }, { misbehave: "write-out-of-scope" }] },
      { steps: [{ misbehave: "break-test" }] },
      { steps: [{ misbehave: "write-binary", path: "src/blob" }] },
      { steps: [{ misbehave: "link-outside", path: "src/out" }] },
    ],
  });
  for (const round of ["1", "2", "3", "4"]) expect((await play({ env: { DISPATCH_ROUND: round } })).status).toBe(0);
  expect(read("tests/a.test.js")).toMatch(/TODO[\s\S]*throw/);
  expect(existsSync(join(tree, "out-of-scope.txt"))).toBe(true);
  expect(readFileSync(join(tree, "src/blob")).includes(0)).toBe(true);
  expect(lstatSync(join(tree, "src/out")).isSymbolicLink()).toBe(true);
});

test("claiming done leaves the tree alone", async () => {
  execFileSync("git", ["init", "-q", tree]);
  script({ rounds: [{ steps: [{ misbehave: "claim-done" }, { commit: "nothing" }] }] });
  const before = execFileSync("git", ["-C", tree, "status", "--porcelain", "-uall"], { encoding: "utf8" });
  script({ rounds: [{ steps: [{ misbehave: "claim-done" }] }] });
  expect((await play()).status).toBe(0);
  expect(execFileSync("git", ["-C", tree, "status", "--porcelain", "-uall"], { encoding: "utf8" })).toBe(before);
});

test("a commit holds everything, and a commit of nothing is no failure", async () => {
  execFileSync("git", ["init", "-q", tree]);
  script({ rounds: [{ steps: [{ commit: "feat: a" }, { commit: "feat: nothing" }] }] });
  expect((await play()).status).toBe(0);
  expect(execFileSync("git", ["-C", tree, "log", "--format=%s"], { encoding: "utf8" })).toBe("feat: a\n");
  expect(execFileSync("git", ["-C", tree, "status", "--porcelain"], { encoding: "utf8" })).toBe("");
});

test("much output arrives whole", async () => {
  script({ rounds: [{ steps: [{ print_bytes: 3_000_000 }] }] });
  const { status, lines } = await play();
  expect(status).toBe(0);
  expect(lines.join("\n").length).toBe(3_000_000 + banner.length + 1);
});

test("a crash ends with its status or its signal, after the usage was written", async () => {
  script({ rounds: [{ steps: [{ misbehave: "crash", exit: 42 }] }, { steps: [{ misbehave: "crash" }] }] });
  expect((await play()).status).toBe(42);
  expect(existsSync(join(folder, "usage.json"))).toBe(true);
  const killed = await play({ env: { DISPATCH_ROUND: "2" } });
  expect([killed.signal, killed.lines[0]]).toEqual(["SIGKILL", banner]);
});

test("a hang ends with SIGTERM unless it ignores it", async () => {
  script({ rounds: [{ steps: [{ misbehave: "hang" }] }, { steps: [{ misbehave: "hang", ignore_term: true }] }] });
  const polite = start();
  await until(() => polite.text().includes("hanging"));
  polite.kill("SIGTERM");
  expect(((await once(polite, "close")) as unknown[])[1]).toBe("SIGTERM");

  const deaf = start({ env: { DISPATCH_ROUND: "2" } });
  await until(() => deaf.text().includes("hanging"));
  deaf.kill("SIGTERM");
  await until(() => deaf.text().includes("SIGTERM is ignored"));
  expect(deaf.exitCode).toBeNull();
  deaf.kill("SIGKILL");
  expect(((await once(deaf, "close")) as unknown[])[1]).toBe("SIGKILL");
});

test("a hang can leave a child in a session of its own", async () => {
  script({ rounds: [{ steps: [{ misbehave: "hang", setsid: true }] }] });
  const agent = start();
  await until(() => agent.text().includes("hanging"));
  const child = Number(/^child (\d+)$/m.exec(agent.text())?.[1]);
  try {
    agent.kill("SIGKILL");
    await once(agent, "close");
    expect(isAlive(child)).toBe(true);
    const group = execFileSync("ps", ["-o", "pgid=", "-p", String(child)], { encoding: "utf8" });
    expect(Number(group)).toBe(child);
  } finally {
    process.kill(child, "SIGKILL");
  }
});

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isFactoryError } from "@dispatch/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../../../test/kit/eventually.ts";
import { processesWith } from "../../../../test/kit/find-processes.ts";
import { type GateOptions, type GateReport, gateChange } from "./gate-change.ts";

type Files = Readonly<Record<string, string | null>>;

const library = {
  "src/slug.mjs": "export const slug = (text) => text.trim();\n",
  "test/slug.test.mjs": `import assert from "node:assert/strict";
import { test } from "node:test";
import { slug } from "../src/slug.mjs";
test("trims", () => assert.equal(slug(" a "), "a"));
test("keeps words", () => assert.equal(slug("a b"), "a b"));
`,
};
const key = ["Zk81mQp0xR7t", "Lw3vNc5bYh2d"].join("");
const later = ["TO", "DO"].join("");
const verify = "verify: node --test\n";

/** Repositories at their base, one for each set of files that any test began with. */
let begun = "";
const beginnings: string[] = [];
let root = "";
let repo = "";
let said: string[] = [];
const temp = process.env["TMPDIR"];

beforeAll(() => {
  begun = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-gate-begun-")));
});

afterAll(() => rmSync(begun, { recursive: true, force: true }));

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-gate-test-")));
  repo = join(root, "repo");
  said = [];
  mkdirSync(join(root, "tmp"));
  process.env["TMPDIR"] = join(root, "tmp");
});

afterEach(() => {
  if (temp === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = temp;
  const left = readdirSync(join(root, "tmp"));
  rmSync(root, { recursive: true, force: true });
  expect(left).toEqual([]);
});

function git(...args: string[]): void {
  execFileSync("git", ["-C", repo, "-c", "user.name=T", "-c", "user.email=t@localhost", ...args], { stdio: "ignore" });
}

function commit(files: Files): void {
  if (!existsSync(repo)) execFileSync("git", ["init", "-q", "-b", "main", repo]);
  for (const [path, text] of Object.entries(files)) {
    const full = join(repo, path);
    mkdirSync(dirname(full), { recursive: true });
    if (text === null) rmSync(full);
    else writeFileSync(full, text);
  }
  git("add", "-A");
  git("commit", "-q", "--allow-empty", "-m", "change");
}

/** A repository whose tag base is a commit of these files; of a repository that is there, the next commit. */
function begin(base: Files): void {
  const files = JSON.stringify(base);
  const known = beginnings.indexOf(files);
  if (!existsSync(repo) && known >= 0) {
    cpSync(join(begun, `${known}`), repo, { recursive: true });
    return;
  }
  const isFirst = !existsSync(repo);
  commit(base);
  git("tag", "--force", "base");
  if (isFirst) cpSync(repo, join(begun, `${beginnings.push(files) - 1}`), { recursive: true });
}

/** The gates on `head`, committed on top of `base`. */
function gate(base: Files, head: Files, more: Partial<GateOptions> = {}): Promise<GateReport> {
  begin(base);
  commit(head);
  return gateChange({ repo, base: "base", head: "HEAD", signal: new AbortController().signal, say: (line) => said.push(line), ...more });
}

const blocking = ({ findings }: GateReport): string[] =>
  findings.filter(({ severity }) => severity === "block").map(({ gate: id, path }) => (path === undefined ? id : `${id} ${path}`));
const leftOut = ({ gates }: GateReport): string[] => gates.leftOut.map(({ gate: id }) => id);

async function refusal(report: Promise<GateReport>): Promise<string> {
  try {
    await report;
  } catch (error) {
    if (isFactoryError(error)) return `${error.code} ${error.message}; ${error.hint}`;
    throw error;
  }
  throw new Error("it was judged");
}

const fewerTests = library["test/slug.test.mjs"].split("\n").slice(0, 4).join("\n");
const adds = (text: string): Files => ({ "src/slug.mjs": `${library["src/slug.mjs"]}${text}\n` });

describe("what the diff shows", () => {
  test.each<[string, Files, string[]]>([
    ["a clean change", adds("export const words = (text) => text.split(' ');"), []],
    ["nothing at all", {}, []],
    ["a mark that work is left", adds(`// ${later}: the rest`), ["G02 src/slug.mjs"]],
    ["a test that went", { "test/slug.test.mjs": fewerTests }, ["G05 test/slug.test.mjs"]],
    ["a test file that went", { "test/slug.test.mjs": null }, ["G05 test/slug.test.mjs"]],
    ["a pipeline", { ".github/workflows/ci.yml": "on: push\n" }, ["G06 .github/workflows/ci.yml"]],
    ["a conflict marker", adds(`${"<".repeat(7)} ours\na\n${"=".repeat(7)}\nb\n${">".repeat(7)} theirs`), ["G07 src/slug.mjs"]],
    ["a credential", adds(`export const apiKey = "${key}";`), ["G08 src/slug.mjs"]],
    ["a binary", { "logo.bin": "\0\u0001\u0002" }, ["G09 logo.bin"]],
  ])("%s", async (_, head, expected) => {
    const report = await gate(library, head);
    expect(new Set(blocking(report))).toEqual(new Set(expected));
    expect(leftOut(report)).toEqual(["G01", "G03", "G04", "G10", "G11", "G12", "G13", "G14", "G15"]);
    expect(report.changedPaths).toBe(Object.keys(head).length);
  });

  test("every gate either judged or is listed with a reason", async () => {
    const { gates } = await gate(library, adds("export const one = 1;"));
    expect([...gates.run, ...gates.leftOut.map(({ gate: id }) => id)].sort()).toEqual(
      Array.from({ length: 15 }, (_, i) => `G${String(i + 1).padStart(2, "0")}`),
    );
    expect(gates.leftOut.filter(({ because }) => because === "")).toEqual([]);
  });

  test("what is not committed is told and not judged", async () => {
    commit(library);
    writeFileSync(join(repo, "src/new.mjs"), `// ${later}\n`);
    const report = await gateChange({ repo, base: "main", head: "HEAD", signal: new AbortController().signal, say: (line) => said.push(line) });
    expect([blocking(report), said]).toEqual([[], ["1 file with uncommitted changes: only commits are judged"]]);
  });
});

describe("the policy", () => {
  const waived = "gates:\n  waive: [{gate: G02, paths: [src/**], because: a demo of what is open}]\n";

  test("a waiver at the base counts, and is shown", async () => {
    const report = await gate({ ...library, ".dispatch.yaml": waived }, adds(`// ${later}: the rest`));
    expect(blocking(report)).toEqual([]);
    expect(report.findings).toMatchObject([{ gate: "G02", severity: "note", why: expect.stringContaining("a demo of what is open") }]);
  });

  test("a waiver that the change brings along does not, and is red itself", async () => {
    const report = await gate(library, { ...adds(`// ${later}: the rest`), ".dispatch.yaml": waived });
    expect(blocking(report).sort()).toEqual(["G02 src/slug.mjs", "G06 .dispatch.yaml"]);
  });

  test("verify commands that the change brings along are not run", async () => {
    const report = await gate(library, { ".dispatch.yaml": `verify: touch ${join(root, "ran")}\n` });
    expect(leftOut(report)).toContain("G01");
    expect(existsSync(join(root, "ran"))).toBe(false);
  });

  test("one that is wrong at the base is told with its place", async () => {
    expect(await refusal(gate({ ".dispatch.yaml": "verfy: true\n" }, {}))).toMatch(/^CONFIG_INVALID .*\n[0-9a-f]{12}:\.dispatch\.yaml:1:1 verfy/);
  });
});

describe("what commands show", () => {
  const base = { ...library, ".dispatch.yaml": verify };
  const breaks = { "src/slug.mjs": "export const slug = (text) => text;\n" };

  test("green on a fresh checkout of head; nothing of it stays", async () => {
    const report = await gate(base, adds("export const one = 1;"));
    expect([blocking(report), report.verify.map(({ exitCode }) => exitCode)]).toEqual([[], [0]]);
    expect(leftOut(report)).toEqual(["G03", "G04", "G10", "G12", "G13", "G14"]);
    expect(said).toEqual([expect.stringMatching(/^verify on head [0-9a-f]{12}: node --test$/)]);
  });

  test("a test that passed on the base is red", async () => {
    expect(blocking(await gate(base, breaks))).toEqual(["G01", "G15"]);
  });

  test("a test that failed on the base already is a remark", async () => {
    const report = await gate({ ...base, ...breaks }, { "src/one.mjs": "export const one = 1;\n" });
    expect(blocking(report)).toEqual([]);
    expect(report.findings).toMatchObject([{ gate: "G15", severity: "note" }]);
    expect(said[1]).toMatch(/^verify on the base/);
  });

  test("red output that names no test leaves the baseline out, and says so", async () => {
    const report = await gate({ ".dispatch.yaml": "verify: exit 3\n" }, { "a.txt": "a\n" });
    expect([blocking(report), leftOut(report)]).toEqual([["G01"], ["G03", "G04", "G10", "G12", "G13", "G14", "G15"]]);
  });

  test("the number of tests that the policy demands is counted", async () => {
    const policy = `${verify}gates:\n  tests_min: {unit: 3}\n`;
    expect(blocking(await gate({ ...library, ".dispatch.yaml": policy }, adds("export const one = 1;")))).toEqual(["G11"]);
  });

  test("--no-run runs nothing; --run with nothing to run is a wrong call", async () => {
    const report = await gate({ ".dispatch.yaml": `verify: touch ${join(root, "ran")}\n` }, { "a.txt": "a\n" }, { run: false });
    expect([blocking(report), existsSync(join(root, "ran")), leftOut(report).includes("G01")]).toEqual([[], false, true]);
    expect(await refusal(gate({ ".dispatch.yaml": null }, {}, { run: true }))).toMatch(/^USAGE there is nothing to run/);
  });

  test("an interruption ends what runs, with all it started", async () => {
    const pid = join(root, "pid");
    const interruption = new AbortController();
    const running = gate(
      { ".dispatch.yaml": `verify: "export MARK=${pid}; (sleep 600; true) & sleep 600 & echo 1 > ${pid}; wait"\n` },
      {},
      { signal: interruption.signal },
    );
    const ended = running.then(
      () => "judged",
      () => "ended",
    );
    await eventually("the command runs", () => existsSync(pid) && readFileSync(pid, "utf8") !== "");
    expect(processesWith(pid).length).toBeGreaterThan(1);
    interruption.abort();
    expect(await ended).toBe("ended");
    expect(processesWith(pid)).toEqual([]);
  });
});

describe("with a spec", () => {
  const words = { "src/words.mjs": "export const words = (text) => text.split(' ');\n" };
  const wordsTest = (body: string): Files => ({
    "test/words.test.mjs": `import assert from "node:assert/strict";\nimport { test } from "node:test";\n${body}\n`,
  });
  const proves = wordsTest('import { words } from "../src/words.mjs";\ntest("splits", () => assert.deepEqual(words("a b"), ["a", "b"]));');
  const provesNothing = wordsTest('test("splits", () => assert.equal(1 + 1, 2));');

  function spec(acceptance: string, type = "feature"): string {
    const file = join(root, "S01-words.md");
    const front = `task_id: S01-words\nproject: words\ntype: ${type}\ncreates: [src/words.mjs, test/words.test.mjs]\nverify: node --test\nestimate_min: 5`;
    writeFileSync(file, `---\n${front}\n---\n## Goal\n\nSplit.\n\n## Acceptance\n\n- [ ] it splits: ${acceptance}\n\n## Do not\n\n- nothing else\n`);
    return file;
  }

  test("everything is judged but the contract", async () => {
    const report = await gate(library, { ...words, ...proves }, { spec: spec("`node --test` -> exit 0") });
    expect([blocking(report), leftOut(report)]).toEqual([[], ["G14"]]);
    expect(said).toEqual([expect.stringMatching(/^verify on head/), expect.stringMatching(/^the change's tests on the base sources/)]);
  });

  test("a path that is not the spec's is red, and what comes last is left out with the reason", async () => {
    const report = await gate(library, { ...words, ...proves, "README.md": "words\n" }, { spec: spec("`node --test` -> exit 0") });
    expect([blocking(report), leftOut(report)]).toEqual([["G03 README.md"], ["G10", "G14"]]);
  });

  test("a change that changes nothing is red", async () => {
    expect(blocking(await gate(library, {}, { spec: spec("`node --test` -> exit 0") }))).toEqual(["G04"]);
  });

  test("an acceptance item that does not hold is red", async () => {
    const file = spec('`echo 2` -> equals "3"');
    expect(blocking(await gate(library, { ...words, ...proves }, { spec: file }))).toEqual(["G12"]);
  });

  test("tests that pass without the change prove nothing", async () => {
    const report = await gate(library, { ...words, ...provesNothing }, { spec: spec("`node --test` -> exit 0") });
    expect(blocking(report)).toEqual(["G10"]);
  });

  test("one that is wrong, or is not there, is told", async () => {
    const file = join(root, "S02-bad.md");
    writeFileSync(file, "---\ntask_id: no\n---\n");
    expect(await refusal(gate(library, {}, { spec: file }))).toMatch(/^USAGE .*S02-bad\.md is no spec.*\n.*S02-bad\.md:\d+:\d+ /);
    expect(await refusal(gate({}, {}, { spec: join(root, "gone.md") }))).toMatch(/^USAGE the spec .*gone\.md cannot be read/);
  });
});

import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { declareProgram } from "./declare/program.ts";
import { type ContractServer, createContractServer } from "./testing/contract-server.ts";
import { runCli, startCli } from "./testing/run-cli.ts";
import { aCause, aProject, aRow, aSpec, aStatus, noon, someSignals } from "./testing/sample-views.ts";

let root = "";

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "dispatch-cli-")));
});

afterAll(() => rm(root, { recursive: true }));

async function makeFactory(): Promise<string> {
  const folder = await mkdtemp(join(root, "f-"));
  await writeFile(join(folder, "dispatch.yaml"), "version: 1\n");
  return folder;
}

async function withServer(status: ReturnType<typeof aStatus>, act: (server: ContractServer, folder: string) => Promise<void>): Promise<void> {
  const folder = await makeFactory();
  const server = createContractServer(folder, status);
  await server.listen();
  try {
    await act(server, folder);
  } finally {
    await server.close();
  }
}

describe("the command line", () => {
  it.each([
    ["an unknown command", ["stauts"], "status"],
    ["an unknown option", ["status", "--jsn"], "--json"],
    ["an unknown command of a group", ["project", "ad"], "add"],
    ["a wrong number", ["logs", "S01", "--attempt", "x"], undefined],
    ["options that exclude each other", ["down", "--drain", "--stop"], undefined],
    ["a word that is no choice", ["project", "add", "x", "--repo", "y", "--landing", "never"], undefined],
    ["a missing argument", ["why"], undefined],
    ["a missing option", ["project", "add", "x"], undefined],
  ])("refuses %s with 2 and says what is near", async (_, args, near) => {
    const end = await runCli(args, { cwd: root });
    expect([end.code, end.stdout]).toEqual([2, ""]);
    expect(end.stderr.split("\n")[0]).toMatch(/^error: /);
    if (near !== undefined) expect(end.stderr.split("\n")[1]).toBe(`  try: ${near}`);
  });

  it("refuses in JSON where JSON was asked for", async () => {
    const end = await runCli(["stauts", "--json"], { cwd: root });
    expect([end.code, end.stderr]).toEqual([2, ""]);
    expect(JSON.parse(end.stdout).error).toMatchObject({ code: "USAGE", hint: "status" });
  });

  it("prints its version and its help on stdout", async () => {
    const [version, help, bare] = await Promise.all([
      runCli(["--version"], { cwd: root }),
      runCli(["--help"], { cwd: root }),
      runCli([], { cwd: root }),
    ]);
    expect([version.code, version.stdout]).toEqual([0, "0.1.0\n"]);
    expect([help.code, help.stderr]).toEqual([0, ""]);
    expect([bare.code, bare.stdout]).toEqual([2, ""]);
    expect(bare.stderr).toBe(help.stdout);
  });

  it("has examples in the help of every command", () => {
    const program = declareProgram("0", () => Promise.resolve());
    const commands = program.commands.flatMap((command) => (command.commands.length > 0 ? command.commands : [command]));
    expect(commands.length).toBeGreaterThanOrEqual(20);
    for (const command of commands) {
      let help = "";
      command.configureOutput({ writeOut: (text) => (help += text) });
      command.outputHelp();
      expect(help, command.name()).toContain(`$ dispatch ${command.parent === program ? "" : `${command.parent?.name()} `}${command.name()}`);
    }
  });

  it("loads nothing but commander, node and the words of the protocol before a command is called", () => {
    const loaded = staticImports(fileURLToPath(new URL("./main.ts", import.meta.url)));
    expect([...new Set(loaded.filter((name) => !name.startsWith("node:")))].sort()).toEqual(["@dispatch/protocol", "commander"]);
  });

  it("loads the controller on demand alone", () => {
    const folder = fileURLToPath(new URL(".", import.meta.url));
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
    expect(files.filter((file) => staticImports(join(folder, file)).some((name) => name.startsWith("@dispatch/controller")))).toEqual([]);
  });
});

describe("a command without its daemon", () => {
  it("outside a factory fails with 2, in one without a daemon with 3", async () => {
    const folder = await makeFactory();
    const [outside, named, inside, json] = await Promise.all([
      runCli(["status"], { cwd: root }),
      runCli(["status", "--factory", folder], { cwd: root }),
      runCli(["status"], { cwd: folder }),
      runCli(["status", "--json"], { cwd: root, env: { DISPATCH_FACTORY: folder } }),
    ]);
    expect([outside.code, named.code, inside.code, json.code]).toEqual([2, 3, 3, 3]);
    expect(JSON.parse(json.stdout).error.code).toBe("DAEMON_UNREACHABLE");
  });

  it("down is done already", async () => {
    expect((await runCli(["down"], { cwd: await makeFactory() })).code).toBe(0);
  });
});

describe("plan", () => {
  it("needs no daemon: 0 when all can be done, 1 when a file has errors or the project is unknown", async () => {
    const folder = await makeFactory();
    await writeFile(
      join(folder, "dispatch.yaml"),
      "version: 1\nprojects:\n  shop: { repo: ../shop, verify: npm test, executor: x }\nexecutors:\n  x: { command: [agent] }\n",
    );
    await writeFile(join(folder, "nodes.json"), JSON.stringify({ nodes: [{ name: "local", slots: 2 }] }));
    const [empty, json, unknown, slots] = await Promise.all([
      runCli(["plan", "shop"], { cwd: folder }),
      runCli(["plan", "shop", "--json", "--slots", "7"], { cwd: folder }),
      runCli(["plan", "nope"], { cwd: folder }),
      runCli(["plan", "shop", "--slots", "0"], { cwd: folder }),
    ]);
    expect([empty.code, empty.stdout.split("\n")[0]]).toEqual([0, "shop: nothing to plan"]);
    expect([json.code, JSON.parse(json.stdout).slots]).toEqual([0, 7]);
    expect([unknown.code, slots.code]).toEqual([1, 2]);
    await mkdir(join(folder, "specs/pending"), { recursive: true });
    await writeFile(join(folder, "specs/pending/S01-x.md"), "---\ntask_id: S01-x\n---\n");
    const broken = await runCli(["plan", "shop"], { cwd: folder });
    expect([broken.code, broken.stderr]).toEqual([1, ""]);
  });
});

describe("commands against the contract", () => {
  it("name tasks by number, and end quietly when nobody reads on", async () => {
    const rows = Array.from({ length: 4000 }, (_, i) => aRow(`shop/S${1000 + i}-long-enough-to-fill-a-pipe`));
    await withServer(aStatus(rows), async (server, folder) => {
      server.answers.set("GET /tasks/shop/S1003-long-enough-to-fill-a-pipe/why", {
        task: "t",
        state: "planned",
        because: "b",
        release: "r",
        explanation: {},
        chain: [],
        root: aCause("shop/S1003"),
        expectedStart: null,
        troubles: [],
      });
      const why = await runCli(["why", "S1003", "--json"], { cwd: folder });
      expect([why.code, JSON.parse(why.stdout).state]).toEqual([0, "planned"]);
      expect((await runCli(["why", "S1"], { cwd: folder })).code).toBe(1);

      const cut = startCli(["status"], { cwd: folder });
      cut.child.stdout.destroy();
      const end = await cut.ended;
      expect([end.code, end.stderr]).toEqual([0, ""]);
    });
  });

  it("why tells all causes, or those of one project, and refuses a task beside --all", async () => {
    await withServer(aStatus([aRow("shop/S01-a")]), async (server, folder) => {
      const all = { at: noon, unfinished: 1, causes: [aCause("shop/S01-a")], standings: [] };
      server.answers.set("GET /why", all);
      server.answers.set("GET /why?project=docs", { ...all, unfinished: 0, causes: [] });
      const [told, docs, json, both, none] = await Promise.all([
        runCli(["why", "--all"], { cwd: folder }),
        runCli(["why", "--all", "--project", "docs"], { cwd: folder }),
        runCli(["why", "--all", "--json"], { cwd: folder }),
        runCli(["why", "S01", "--all"], { cwd: folder }),
        runCli(["why"], { cwd: folder }),
      ]);
      expect([told.code, told.stdout.split("\n")[0]]).toEqual([0, "1 task left, 1 cause"]);
      expect([docs.code, docs.stdout]).toEqual([0, "nothing is left to do\n"]);
      expect(JSON.parse(json.stdout).causes).toHaveLength(1);
      expect([both.code, none.code]).toEqual([2, 2]);
    });
  });

  it("report writes where it was asked from, not where the factory is", async () => {
    await withServer(aStatus([]), async (server, folder) => {
      const empty = {
        project: "shop",
        from: noon,
        to: noon,
        main: "1a2b",
        published: null,
        counts: {},
        tasks: [],
        maxParallel: 0,
        utilisation: 0,
        findings: {},
        conflicts: 0,
        tokens: null,
        waiting: [],
        signals: someSignals(),
        losses: [],
        landings: [],
      };
      server.answers.set("GET /projects/shop/report", empty);
      const end = await runCli(["report", "shop", "--md", "-o", "out.md", "--factory", folder], { cwd: root });
      expect([end.code, end.stdout]).toEqual([0, ""]);
      expect((await readFile(join(root, "out.md"), "utf8")).split("\n")[0]).toBe("# shop");
      expect((await runCli(["report", "shop", "-o", "no/such/folder/x"], { cwd: folder })).code).toBe(2);
    });
  });

  it("events end where the log ends", async () => {
    await withServer(aStatus([], { lastSeq: 0 }), async (server, folder) => {
      server.add({ type: "project-paused", project: "shop", by: "x" });
      server.add({ type: "project-paused", project: "shop", by: "y" });
      const [all, rest, none] = await Promise.all([
        runCli(["events", "--json"], { cwd: folder }),
        runCli(["events", "--json", "--after", "1"], { cwd: folder }),
        runCli(["events", "--after", "2"], { cwd: folder }),
      ]);
      expect(
        all.stdout
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line).seq),
      ).toEqual([1, 2]);
      expect(
        rest.stdout
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line).seq),
      ).toEqual([2]);
      expect([none.code, none.stdout]).toEqual([0, ""]);
    });
  });

  it("collect waits for the end of what it asked for, and fails when that stopped", async () => {
    const requestedAt = noon;
    await withServer(aStatus([aRow("shop/S01-a", { state: "queued" })]), async (server, folder) => {
      server.answers.set("POST /projects/shop/collect", { requestedAt });
      const collecting = startCli(["collect", "shop"], { cwd: folder });
      await called(server, "/events");
      server.add({ type: "collect-requested", project: "shop", by: "x" });
      await collecting.says("collect asked for");
      const last = { outcome: "published" as const, at: noon, requestedAt, commit: "1a2b3c4d5e6f" };
      server.status = {
        ...server.status,
        tasks: [aRow("shop/S01-a", { state: "merged" })],
        projects: [aProject({ collect: { kind: "idle", last } })],
      };
      server.add({ type: "main-published", project: "shop", commit: last.commit });
      const end = await collecting.ended;
      expect(end.code).toBe(0);
      expect(end.stdout.trimEnd().split("\n")).toEqual(["landed S01-a  Title of shop/S01-a", "shop: 1 task landed, published 1a2b3c4d5"]);

      server.answers.set("POST /projects/shop/collect", () => {
        const stopped = { outcome: "stopped" as const, at: noon, requestedAt, code: "ORIGIN_REFUSED", because: "no", hint: "yes" };
        server.status = { ...server.status, projects: [aProject({ collect: { kind: "idle", last: stopped } })] };
        server.add({ type: "collect-stopped", project: "shop", code: "ORIGIN_REFUSED", because: "no", hint: "yes" });
        return { requestedAt };
      });
      const json = await runCli(["collect", "shop", "--json"], { cwd: folder });
      expect([json.code, JSON.parse(json.stdout).last.code]).toEqual([1, "ORIGIN_REFUSED"]);
    });
  });
});

describe("start --follow without a terminal", () => {
  const feed = { planned: ["shop/S01-a"], revised: [], unchanged: [], moved: [], refused: [], problems: [] };
  const placed = {
    type: "task-placed" as const,
    task: "shop/S01-a",
    attempt: "shop--S01-a--1",
    n: 1,
    node: "local",
    base: "1a2b",
    executor: "shell",
  };

  it("prints a line per event, over a restart, until nothing is left to move", async () => {
    await withServer(aStatus([aRow("shop/S01-a")]), async (server, folder) => {
      server.answers.set("POST /projects/shop/start", feed);
      const following = startCli(["start", "shop", "--follow"], { cwd: folder });
      await called(server, "/events");
      server.status = { ...server.status, tasks: [aRow("shop/S01-a", { state: "running" })] };
      server.add(placed);
      await following.says("planned→starting");
      await server.close();
      await following.says("waiting for it");
      await server.listen();
      await following.says("is back");
      server.add({ type: "task-planned", task: "docs/S09-x", spec: aSpec("S09-x", { project: "docs" }), digest: "", text: "", path: "" });
      server.status = { ...server.status, tasks: [aRow("shop/S01-a", { state: "merged" })] };
      server.add({ type: "task-merged", task: "shop/S01-a", commit: "1a2b3c4d5e6f", from: "1a2b" });
      const end = await following.ended;
      expect(end.code).toBe(0);
      expect(end.stdout).toMatch(/ S01-a planned→starting {2}attempt 1 on local with shell\n.* S01-a starting→merged {2}merged as 1a2b3c4d5\n/);
      expect(end.stdout).not.toContain("S09-x");
    });
  });

  it("fails when a task ends parked, which only the daemon can tell from an event", async () => {
    await withServer(aStatus([aRow("shop/S01-a", { state: "collecting" })]), async (server, folder) => {
      server.answers.set("POST /projects/shop/start", feed);
      const following = startCli(["start", "shop", "--follow"], { cwd: folder });
      await called(server, "/events");
      server.status = { ...server.status, tasks: [aRow("shop/S01-a", { state: "parked", because: "parked: no" })] };
      server.add({ type: "attempt-collected", attempt: "shop--S01-a--1", tip: null, salvage: null });
      const end = await following.ended;
      expect(end.code).toBe(1);
      expect(end.stdout).toContain("S01-a collecting→parked");
    });
  });

  it("Ctrl-C ends the following alone", async () => {
    await withServer(aStatus([aRow("shop/S01-a", { state: "running" })]), async (server, folder) => {
      server.answers.set("POST /projects/shop/start", feed);
      const following = startCli(["start", "shop", "--follow"], { cwd: folder });
      await called(server, "/events");
      following.child.kill("SIGINT");
      expect((await following.ended).code).toBe(130);
      expect(server.calls.filter(({ method }) => method === "POST").map(({ path }) => path)).toEqual(["/projects/shop/start"]);
    });
  });
});

/** Resolves when a call whose path begins so has come in. */
async function called(server: ContractServer, path: string): Promise<void> {
  while (!server.calls.some((call) => call.path.startsWith(path))) await new Promise((resolve) => setImmediate(resolve));
}

/** Packages that a file needs before its first line runs, through all files of this room. */
function staticImports(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const text = readFileSync(file, "utf8");
  const names = [...text.matchAll(/^(?:import|export) (?!type )[^;]*?from "([^"]+)";/gm)].map(([, name]) => name ?? "");
  return names.flatMap((name) => (name.startsWith(".") ? staticImports(resolve(dirname(file), name), seen) : [name]));
}

import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { type ErrorView, type FeedView, factoryPaths, type NodesView, type NodeView, type ReportView, type WhyView } from "@dispatch/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeSshLab, type SshLab } from "../kit/real-sshd.ts";
import { addFunction, library, verify } from "./kit/library.ts";
import { runProgram } from "./kit/run-program.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import { until } from "./kit/until.ts";

let scene: Scene;
let lab: SshLab;
/** What takes connections and says nothing. */
let silent: Server;

beforeAll(async () => {
  lab = makeSshLab();
  const far = await lab.add("far");
  scene = await openScene();
  scene.env["DISPATCH_SSH_CONFIG"] = lab.configFile;
  silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const nodes = [
    { name: "near", transport: "local", slots: 1 },
    { name: "far", ssh_target: "far", host_key: far.hostKey(), slots: 2 },
    { name: "mute", ssh_target: `nobody@127.0.0.1:${port}`, transport: "ssh2", host_key: `SHA256:${"A".repeat(43)}`, slots: 1 },
  ];
  scene.write(factoryPaths.nodes, JSON.stringify({ nodes }));
  const repo = await scene.repository("words", library);
  await scene.must("project", "add", "words", "--repo", repo, "--verify", verify, "--executor", "by-stdin");
  for (const name of ["one", "two", "three"]) {
    const id = `S0${["one", "two", "three"].indexOf(name) + 1}-${name}`;
    scene.spec({
      id,
      project: "words",
      creates: [`src/${name}.js`, `test/${name}.test.js`],
      ...(name === "three" ? {} : { more: ["nodes: [far]"] }),
    });
    scene.answer(id, `hold ${name}\necho "${name} is done"\n${addFunction(name, "return text;")}`);
  }
});
afterAll(async () => {
  await scene.end();
  silent.close();
  await lab.close();
});

const nodeOf = async (name: string): Promise<NodeView> => JSON.parse((await scene.ask("GET", `/v1/nodes/${name}`)).body) as NodeView;

/** A terminal of 100 by 30 in which a command of the program runs, seen and typed into by another tmux. */
function openTerminal(name: string) {
  const tmux = async (...args: string[]): Promise<string> => {
    const ran = await runProgram("tmux", ["-S", join(scene.root, `${name}.sock`), ...args], { cwd: scene.factory, env: scene.env });
    if (ran.code !== 0) throw new Error(`tmux ${args[0]}: ${ran.stderr}`);
    return ran.stdout;
  };
  return {
    run: (command: string) =>
      tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", "-c", scene.factory, `${command}; echo "ended with $?"; exec cat`),
    type: (...keys: string[]) => tmux("send-keys", ...keys),
    shows: (text: string) => until(`the terminal shows ${text}`, async () => (await tmux("capture-pane", "-p")).includes(text)),
    close: () => tmux("kill-server"),
  };
}

const cli = join(import.meta.dirname, "../../packages/cli/dist/bundle/dispatch.js");

describe("a factory with a node of its own machine, one behind SSH and one that takes connections and says nothing", () => {
  test("comes up without the silent one, and shows tasks at work on the far one", async () => {
    await scene.must<FeedView>("start", "words");
    const { nodes: first } = await scene.must<NodesView>("node", "list");
    const firstStates = Object.fromEntries(first.map(({ id, state }) => [id, state.kind]));
    expect(firstStates).toMatchObject({ near: "up", mute: "connecting" });
    await until("both agents are at work", () => scene.reached("one") && scene.reached("two") && scene.reached("three"));
    const { nodes } = await scene.must<NodesView>("node", "list");
    expect(nodes.map(({ id, state, used, slots }) => (id === "mute" ? [id] : [id, state.kind, used, slots]))).toEqual([
      ["near", "up", 1, 1],
      ["far", "up", 2, 2],
      ["mute"],
    ]);
    const far = await scene.must<NodeView>("node", "show", "far");
    expect(far.sessions.map(({ task, state }) => [task, state]).sort()).toEqual([
      ["words/S01-one", "running"],
      ["words/S02-two", "running"],
    ]);
    expect(far.link?.target).toBe("far");
    expect(far.pulse?.totalDiskBytes).toBeGreaterThan(0);
    expect((await scene.dispatch("node", "list")).stdout).toContain("S01-one");
    const unknown = await scene.json<ErrorView>("node", "cordon", "fra");
    expect([unknown.code, unknown.value.error.code]).toEqual([1, "NOT_FOUND"]);
  });

  test("its session is watched in this terminal, and its log read as it is written", async () => {
    const terminal = openTerminal("watch");
    try {
      await terminal.run(`'${process.execPath}' '${cli}' attach S01`);
      await terminal.shows("agent at work on S01-one");
      await terminal.type("C-b", "d");
      await terminal.shows("ended with 0");
    } finally {
      await terminal.close();
    }
    expect((await nodeOf("far")).sessions).toHaveLength(2);
    const following = scene.dispatch("logs", "S01", "-f");
    scene.release("one");
    const log = await following;
    expect([log.code, log.stdout.split("\n").slice(0, 2)]).toEqual([0, ["agent at work on S01-one", "one is done"]]);
    await scene.untilTask("words/S01-one", "merged");
  });

  test("is drained: what runs there ends, nothing new starts, and a task that needs it says so", async () => {
    const draining = scene.dispatch("node", "drain", "far", "--wait");
    await until("it is draining", async () => (await nodeOf("far")).resting?.drain);
    scene.spec({ id: "S04-four", project: "words", creates: ["src/four.js", "test/four.test.js"], more: ["nodes: [far]"] });
    scene.answer("S04-four", addFunction("four", "return text;"));
    await scene.must<FeedView>("feed", "words");
    const why = await scene.must<WhyView>("why", "S04");
    expect(why.explanation).toMatchObject({ kind: "nodes-closed", nodes: [{ node: "far", by: "draining" }] });
    scene.release("two");
    scene.release("three");
    const end = await draining;
    expect([end.code, end.stdout]).toEqual([0, "far is drained: nothing of yours is left there\n"]);
    expect(await nodeOf("far")).toMatchObject({ used: 0, sessions: [], fenced: [], unfetched: [] });
    await scene.must("node", "uncordon", "far");
    await scene.untilTask("words/S04-four", "merged");
    const report = await scene.must<ReportView>("report", "words");
    expect(report.losses).toEqual([]);
  });
});

import { execFile } from "node:child_process";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ContractServer, createContractServer } from "../testing/contract-server.ts";
import { cliCommand, runCli, startCli } from "../testing/run-cli.ts";
import { aNode, aStatus, noon } from "../testing/sample-views.ts";

const run = promisify(execFile);
const draining = { closed: { kind: "draining", because: "drained by x" }, resting: { drain: true, by: "x", since: noon } } as const;
let folder = "";
let server: ContractServer;
let node = aNode("gpu-1");

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "dispatch-nodes-")));
  await writeFile(join(folder, "dispatch.yaml"), "version: 1\n");
  node = aNode("gpu-1");
  server = createContractServer(folder, aStatus([]));
  server.answers.set("GET /nodes", () => ({ at: noon, nodes: [node], problem: null }));
  server.answers.set("GET /nodes/gpu-1", () => node);
  server.answers.set("POST /nodes/gpu-1/cordon", (body) => {
    if ((body as { drain: boolean }).drain) node = { ...node, ...draining };
    return {};
  });
  await server.listen();
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe("node list", () => {
  it("lives on a terminal until Ctrl-C", async () => {
    const tmux = async (...args: readonly string[]) => (await run("tmux", ["-S", join(folder, "tmux.sock"), ...args])).stdout;
    const screenWith = async (text: string): Promise<string> => {
      for (;;) {
        const screen = await tmux("capture-pane", "-p");
        if (screen.includes(text)) return screen;
      }
    };
    const command = cliCommand(["node", "list"])
      .map((word) => `'${word}'`)
      .join(" ");
    await tmux("-f", "/dev/null", "new-session", "-d", "-x", "90", "-y", "20", "-c", folder, `${command}; echo "ended with $?"; exec cat`);
    try {
      await screenWith("S02-cart");
      node = { ...node, used: 0, sessions: [], closed: { kind: "cordoned", because: "cordoned by x" } };
      server.add({ type: "node-cordoned", node: "gpu-1", drain: false, by: "x" });
      await screenWith("0/4");
      await tmux("send-keys", "C-c");
      expect((await screenWith("ended with 0")).match(/^NODE/gm)).toHaveLength(1);
    } finally {
      await tmux("kill-server");
    }
  });

  it("is printed once where nobody looks, and as it is in JSON", async () => {
    const [plain, json] = await Promise.all([runCli(["node", "list"], { cwd: folder }), runCli(["node", "list", "--json"], { cwd: folder })]);
    expect([plain.code, plain.stdout.split("\n").length]).toEqual([0, 5]);
    expect(JSON.parse(json.stdout).nodes).toEqual([node]);
  });
});

describe("node drain", () => {
  it("waits until nothing is left there", async () => {
    const drain = startCli(["node", "drain", "gpu-1", "--wait"], { cwd: folder });
    await drain.says("2 sessions");
    node = { ...node, used: 0, sessions: [], unfetched: ["shop--S01-schema--1"] };
    server.add({ type: "attempt-stop-asked", attempt: "shop--S01-schema--1", because: "x" });
    await drain.says("1 worktree");
    node = { ...node, unfetched: [] };
    server.add({ type: "workspace-discarded", attempt: "shop--S01-schema--1" });
    const end = await drain.ended;
    expect([end.code, end.stdout.split("\n")[0]]).toEqual([0, "gpu-1 is drained: nothing of yours is left there"]);
    expect(server.calls.find((call) => call.method === "POST")?.body).toEqual({ drain: true });
  });

  it("is no longer waited for when somebody has it take tasks again", async () => {
    const drain = startCli(["node", "drain", "gpu-1", "--wait"], { cwd: folder });
    await drain.says("2 sessions");
    node = { ...node, closed: null, resting: null };
    server.add({ type: "node-uncordoned", node: "gpu-1", by: "x" });
    const end = await drain.ended;
    expect([end.code, end.stdout]).toEqual([1, ""]);
  });

  it("stays draining when it is no longer waited for", async () => {
    const drain = startCli(["node", "drain", "gpu-1", "--wait"], { cwd: folder });
    await drain.says("2 sessions");
    drain.child.kill("SIGINT");
    const end = await drain.ended;
    expect([end.code, end.stdout]).toEqual([130, ""]);
    expect(server.calls.filter((call) => call.method === "POST").map((call) => call.path)).toEqual(["/nodes/gpu-1/cordon"]);
  });
});

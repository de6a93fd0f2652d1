import { execFile } from "node:child_process";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ContractServer, createContractServer } from "../testing/contract-server.ts";
import { cliCommand } from "../testing/run-cli.ts";
import { aRow, aStatus } from "../testing/sample-views.ts";

const run = promisify(execFile);
let folder = "";
let server: ContractServer;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "dispatch-live-")));
  await writeFile(join(folder, "dispatch.yaml"), "version: 1\n");
  server = createContractServer(
    folder,
    aStatus([aRow("shop/S01-预约", { state: "running", attempt: 1, because: "在节点上运行".repeat(20) }), aRow("shop/S02-b")]),
  );
  server.answers.set("POST /projects/shop/start", {
    planned: [],
    revised: [],
    unchanged: ["shop/S01-预约", "shop/S02-b"],
    moved: [],
    refused: [],
    problems: [],
  });
  await server.listen();
  const command = cliCommand(["start", "shop", "--follow"])
    .map((word) => `'${word}'`)
    .join(" ");
  await tmux("-f", "/dev/null", "new-session", "-d", "-x", "60", "-y", "20", "-c", folder, `${command}; echo "ended with $?"; exec cat`);
});

afterEach(async () => {
  await tmux("kill-server");
  await server.close();
  await rm(folder, { recursive: true });
});

async function tmux(...args: readonly string[]): Promise<string> {
  return (await run("tmux", ["-S", join(folder, "tmux.sock"), ...args])).stdout;
}

/** The screen, as soon as it shows the text. */
async function screenWith(text: string): Promise<string> {
  for (;;) {
    const screen = await tmux("capture-pane", "-p");
    if (screen.includes(text)) return screen;
  }
}

describe("start --follow on a terminal", () => {
  it("draws one frame over itself until nothing is left to move", async () => {
    expect(await screenWith("Ctrl-C")).toMatch(/^S01-预约 {2}running {4}1 .* 在节点上运行.*…$/m);
    server.status = {
      ...server.status,
      tasks: [
        aRow("shop/S01-预约", { state: "merged", attempt: 1, because: "merged as 1a2b3c4d5e6f" }),
        aRow("shop/S02-b", { state: "cancelled", because: "cancelled by x" }),
      ],
    };
    server.add({ type: "task-merged", task: "shop/S01-预约", commit: "1a2b3c4d5e6f", from: "1a2b" });
    const screen = await screenWith("ended with 0");
    expect(screen.match(/^TASK/gm)).toHaveLength(1);
    expect(screen).toMatch(/1\/1 merged/);
    expect(screen).not.toMatch(/Ctrl-C/);
  });

  it("outlives a daemon that comes back, and Ctrl-C", async () => {
    await screenWith("Ctrl-C");
    await server.close();
    await screenWith("waiting for it");
    await server.listen();
    await screenWith("Ctrl-C");
    await tmux("send-keys", "C-c");
    await screenWith("ended with 130");
    expect(await tmux("display-message", "-p", "#{cursor_flag}")).toBe("1\n");
  });
});

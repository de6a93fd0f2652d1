import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogView } from "@dispatch/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Answer, type ContractServer, createContractServer } from "../testing/contract-server.ts";
import { runCli } from "../testing/run-cli.ts";
import { aRow, aStatus } from "../testing/sample-views.ts";

const away: Answer = { status: 503, failure: { error: { code: "NODE_UNREACHABLE", message: "no link", hint: null, facts: {} } } };
const piece = (text: string, next: number, live: boolean): LogView => ({ attempt: "shop--S01-a--1", round: 1, file: "agent", text, next, live });
let folder = "";
let server: ContractServer;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "dispatch-log-")));
  await writeFile(join(folder, "dispatch.yaml"), "version: 1\n");
  server = createContractServer(folder, aStatus([aRow("shop/S01-a", { state: "running", attempt: 1 })]));
  await server.listen();
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** Gives these answers one after the other, and the last one from then on. */
function answerWith(...answers: Answer[]): void {
  server.answers.set("GET /tasks/shop/S01-a/log", () => (answers.length > 1 ? answers.shift() : answers[0]) ?? away);
}

describe("logs -f", () => {
  it("waits while the node of a session is out of reach, and reads on where it was", async () => {
    answerWith(piece("one\n", 4, true), away, piece("two\n", 8, false), piece("", 8, false));
    const end = await runCli(["logs", "S01", "-f"], { cwd: folder });
    expect([end.code, end.stdout]).toEqual([0, "one\ntwo\n"]);
    expect(server.calls.filter(({ path }) => path.includes("from=4"))).toHaveLength(2);
  });

  it("fails at once where there was nothing to read yet, and without -f", async () => {
    answerWith(away);
    const [followed, once] = await Promise.all([runCli(["logs", "S01", "-f"], { cwd: folder }), runCli(["logs", "S01"], { cwd: folder })]);
    expect([followed.code, once.code]).toEqual([1, 1]);
  });
});

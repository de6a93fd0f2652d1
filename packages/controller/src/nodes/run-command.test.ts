import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { type Connection, plainConfig, reachLocal } from "@dispatch/fleet";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../../../../test/kit/eventually.ts";
import { processesWith } from "../../../../test/kit/find-processes.ts";
import { connectNode } from "./reach-node.ts";
import { type CommandEnd, type CommandRun, runCommand } from "./run-command.ts";

let dir: string;
let connection: Connection;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "dispatch-exec-"));
  const capacity = { cpus: null, memoryMb: null, gpus: 0 };
  const config = { id: "here", slots: 1, lowPriority: false, labels: [], executors: null, capacity, ...plainConfig, home: dir };
  connection = await connectNode(reachLocal(config, "none"));
});

afterEach(() => {
  connection.close();
  rmSync(dir, { recursive: true, force: true });
});

async function run(argv: readonly string[], more: Partial<CommandRun> = {}): Promise<{ end: CommandEnd; out: string; said: string }> {
  const texts = { out: Buffer.alloc(0), said: Buffer.alloc(0) };
  const sink = (name: "out" | "said"): PassThrough =>
    new PassThrough().on("data", (chunk: Buffer) => {
      texts[name] = Buffer.concat([texts[name], chunk]);
    });
  const parts = { stdin: undefined, stdout: sink("out"), stderr: sink("said"), signal: new AbortController().signal };
  const end = await runCommand(connection, { argv, timeoutSeconds: 20, ...parts, ...more });
  return { end, out: texts.out.toString("utf8"), said: texts.said.toString("utf8") };
}

test("arguments arrive as they are, whatever a shell would make of them", async () => {
  const words = ["$HOME", "`id`", "a'b\"c", "back\\slash", "", " ", "*", "line\nbreak\n", "ä 你", "!x", "-n", "a;b|c&", "%b\\n", "\t"];
  const { end, out } = await run([process.execPath, "-e", "console.log(JSON.stringify(process.argv.slice(1)))", "--", ...words]);
  expect(end).toEqual({ kind: "exited", code: 0 });
  expect(JSON.parse(out)).toEqual(words);
});

test("streams stay apart, input goes in, and the exit code comes out", async () => {
  const stdin = Readable.from([Buffer.from("one\n"), Buffer.from("two\n")]);
  const result = await run(["sh", "-c", "cat; echo oops >&2; exit 7"], { stdin });
  expect(result).toEqual({ end: { kind: "exited", code: 7 }, out: "one\ntwo\n", said: "oops\n" });
  expect((await run(["sh", "-c", "exit 255"])).end).toEqual({ kind: "exited", code: 255 });
  expect((await run(["sh", "-c", "kill -TERM $$"])).end).toEqual({ kind: "exited", code: 143 });
});

test("bytes come out as they went in", async () => {
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n * 31) % 256));
  const sum = execFileSync("sha256sum", { input: bytes, encoding: "utf8" });
  expect((await run(["sha256sum"], { stdin: Readable.from([bytes]) })).out).toBe(sum);
  const copied = await new Promise<Buffer>((resolve) => {
    const chunks: Buffer[] = [];
    const stdout = new PassThrough().on("data", (chunk: Buffer) => void chunks.push(chunk));
    void run(["cat"], { stdin: Readable.from([bytes]), stdout }).then(() => resolve(Buffer.concat(chunks)));
  });
  expect(copied.equals(bytes)).toBe(true);
});

test("a word is never taken for a built-in of the shell", async () => {
  expect((await run(["eval", `touch ${join(dir, "made")}`])).end).toEqual({ kind: "exited", code: 127 });
  expect((await run(["exit", "0"])).end).toEqual({ kind: "exited", code: 127 });
  expect(existsSync(join(dir, "made"))).toBe(false);
  await expect(run(["-x"])).rejects.toMatchObject({ code: "USAGE" });
  await expect(run([])).rejects.toMatchObject({ code: "USAGE" });
});

test("without input a command finds its end at once", async () => {
  expect(await run(["cat"])).toMatchObject({ end: { kind: "exited", code: 0 }, out: "" });
});

test("at the time limit everything it started is ended, also what went away on its own", async () => {
  const mark = `sleep-of-${process.pid}-exec`;
  const script = `setsid sh -c 'sleep 300' ${mark} & sh -c 'trap "" TERM INT; sleep 301' ${mark} & echo on; wait`;
  const result = await run(["sh", "-c", script], { timeoutSeconds: 1 });
  expect(result).toEqual({ end: { kind: "timed-out" }, out: "on\n", said: "" });
  await eventually("the end of what was started", () => processesWith(mark).length === 0);
});

test("an interruption ends it there, and nothing of it is left watching", async () => {
  const stop = new AbortController();
  const file = join(dir, "pid");
  const running = run(["sh", "-c", `echo $$ > ${file}; exec sleep 302`], { signal: stop.signal, timeoutSeconds: 77 });
  await eventually("its start", () => existsSync(file) && readFileSync(file, "utf8").endsWith("\n"));
  stop.abort();
  expect((await running).end).toEqual({ kind: "interrupted" });
  await eventually("its end", () => !existsSync(`/proc/${readFileSync(file, "utf8").trim()}`));
  expect(processesWith("sleep 82")).toEqual([]);
});

test("an interruption that comes before the command's first word ends it all the same", async () => {
  const mark = `early-${process.pid}-exec`;
  const early = AbortSignal.abort();
  expect((await run(["sh", "-c", "sleep 303; true", mark], { signal: early })).end).toEqual({ kind: "interrupted" });
  expect(processesWith(mark)).toEqual([]);
});

test("a command that has ended leaves no clock behind", async () => {
  for (let n = 0; n < 20; n++) await run(["true"], { timeoutSeconds: 1234 });
  await eventually("the end of its clock", () => processesWith("sleep 1239").length === 0);
});

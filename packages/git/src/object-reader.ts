import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { FactoryError, type Oid } from "@dispatch/core";
import { classifyGitError } from "./classify-git-error.ts";

export type ObjectType = "commit" | "tree" | "blob" | "tag";

/** What a name stands for. */
export interface ObjectInfo {
  oid: Oid;
  type: ObjectType;
  /** Bytes of the object. */
  size: number;
}

/**
 * Answers questions about the objects of one repository. One git process answers them all, since starting one for each
 * costs ten to a hundred times what the answer does. It starts with the first question, ends when nobody has asked for a
 * while, and neither keeps this process alive nor outlives it. Names are revisions as git reads them, so refs are read anew each time.
 */
export interface ObjectReader {
  /** Undefined when there is no such object. */
  look(name: string): Promise<ObjectInfo | undefined>;
  read(name: string): Promise<(ObjectInfo & { content: Buffer }) | undefined>;
}

type Answer = (ObjectInfo & { content: Buffer }) | undefined;

interface Question {
  name: string;
  /** Whether the bytes follow the header. */
  whole: boolean;
  answer(found: Answer): void;
  /** `killed`: nothing is wrong with the question; the process was ended from outside. */
  fail(error: Error, killed: boolean): void;
}

const idleMs = 20_000;
const maxStderrBytes = 16 * 1024;
/** A larger object is not read into memory. */
const maxObjectBytes = 256 * 1024 * 1024;

export function createObjectReader(dir: string, env: Readonly<Record<string, string>>): ObjectReader {
  let session: Session | undefined;

  function ask(name: string, whole: boolean, again = true): Promise<Answer> {
    // Such a name would be two questions. No ref, path we ask for or revision has one.
    if (/[\n\0]/.test(name) || name === "") return Promise.resolve(undefined);
    return new Promise<Answer>((answer, reject) => {
      if (session === undefined || session.over()) session = startSession(dir, env);
      const fail: Question["fail"] = (error, killed) => (killed && again ? answer(ask(name, whole, false)) : reject(error));
      session.ask({ name, whole, answer, fail });
    });
  }

  return {
    look: (name) => ask(name, false),
    read: (name) => ask(name, true),
  };
}

interface Session {
  ask(question: Question): void;
  over(): boolean;
}

function startSession(dir: string, env: Readonly<Record<string, string>>): Session {
  const child = spawn("git", [`--git-dir=${dir}`, "cat-file", "--batch-command"], { cwd: "/", env: { ...env }, stdio: "pipe" });
  const waiting: Question[] = [];
  const splitter = createSplitter(() => waiting[0]);
  let stderr = "";
  let isOver = false;
  let idle: NodeJS.Timeout | undefined;

  function end(failure: () => Error, killed = false): void {
    isOver = true;
    clearTimeout(idle);
    for (const question of waiting.splice(0)) question.fail(failure(), killed);
  }

  /** Only questions that wait keep this process alive. */
  function rest(): void {
    hold(child, false);
    idle = setTimeout(() => {
      isOver = true;
      child.stdin.end();
    }, idleMs).unref();
  }

  child.stdout.on("data", (chunk: Buffer) => {
    try {
      for (const found of splitter.take(chunk)) {
        const question = waiting.shift();
        if (found instanceof Error) question?.fail(found, false);
        else question?.answer(found);
      }
    } catch (error) {
      end(() => error as Error);
      child.kill("SIGKILL");
      return;
    }
    if (waiting.length === 0 && !isOver) rest();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString("utf8")).slice(-maxStderrBytes);
  });
  // What it could not take is told by its end.
  child.stdin.on("error", () => undefined);
  child.on("error", (cause) =>
    end(() => new FactoryError("TOOL_MISSING", `git could not be started: ${cause.message}`, { fault: "user", hint: gitHint, cause })),
  );
  child.on("close", (exitCode) => end(() => classifyGitError({ doing: `read objects of ${dir}`, stderr, exitCode }), exitCode === null));

  return {
    over: () => isOver,
    ask(question) {
      clearTimeout(idle);
      waiting.push(question);
      hold(child, true);
      child.stdin.write(`${question.whole ? "contents" : "info"} ${question.name}\n`);
    },
  };
}

const gitHint = "install git 2.38 or newer and see that it is on the PATH of the daemon";

function hold(child: ChildProcessWithoutNullStreams, alive: boolean): void {
  const pipes = [child.stdin, child.stdout, child.stderr] as unknown as Socket[];
  for (const handle of [child, ...pipes]) {
    if (alive) handle.ref();
    else handle.unref();
  }
}

/**
 * Cuts what git prints into answers: a line `OID TYPE SIZE`, for `contents` the bytes and a line break; or `NAME missing`.
 * What is too large is passed over and fails its own question alone.
 */
export function createSplitter(
  asked: () => { whole: boolean } | undefined,
  limit = maxObjectBytes,
): { take(chunk: Buffer): Generator<Answer | FactoryError, void, void> } {
  let skipping = 0;
  let chunks: Buffer[] = [];
  let held = 0;
  let header: ObjectInfo | undefined;

  function join(): Buffer {
    const [only] = chunks;
    const all = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
    chunks = [all];
    return all;
  }

  function drop(bytes: number): void {
    chunks = [join().subarray(bytes)];
    held -= bytes;
  }

  function readHeader(): { info: ObjectInfo | undefined } | undefined {
    const end = join().indexOf(10);
    if (end < 0) return undefined;
    const info = parseHeader(join().subarray(0, end).toString("utf8"));
    drop(end + 1);
    return { info };
  }

  return {
    *take(chunk) {
      chunks.push(chunk);
      held += chunk.length;
      for (;;) {
        if (skipping > 0) {
          const bytes = Math.min(skipping, held);
          drop(bytes);
          skipping -= bytes;
          if (skipping > 0) return;
        }
        if (header === undefined) {
          const line = readHeader();
          if (line === undefined) return;
          if (line.info === undefined) {
            yield undefined;
            continue;
          }
          if (asked()?.whole !== true) {
            yield { ...line.info, content: Buffer.alloc(0) };
            continue;
          }
          if (line.info.size > limit) {
            skipping = line.info.size + 1;
            yield tooLarge(line.info);
            continue;
          }
          header = line.info;
        }
        if (held <= header.size) return;
        const content = Buffer.from(join().subarray(0, header.size));
        drop(header.size + 1);
        const whole = { ...header, content };
        header = undefined;
        yield whole;
      }
    },
  };
}

function parseHeader(line: string): ObjectInfo | undefined {
  const [, oid, type, digits] = /^([0-9a-f]{40}) (commit|tree|blob|tag) (\d+)$/.exec(line) ?? [];
  if (oid === undefined) {
    if (/ (?:missing|ambiguous)$/.test(line)) return undefined;
    throw new FactoryError("GIT_FAILED", `git answered ${JSON.stringify(line.slice(0, 200))} where an object was asked for`);
  }
  return { oid, type: type as ObjectType, size: Number(digits) };
}

function tooLarge({ oid, size }: ObjectInfo): FactoryError {
  return new FactoryError("GIT_FAILED", `object ${oid} has ${size} bytes`, { hint: "the change is too large to be checked; split it" });
}

import { FactoryError, invariant, type Oid } from "@dispatch/core";
import { GitError, type SimpleGit, simpleGit } from "simple-git";
import { classifyGitError, type GitFailure } from "./classify-git-error.ts";
import { type Environment, ownEnvironment, usersEnvironment } from "./git-environment.ts";
import { type DialNode, isDialled, type NodeService } from "./node-line.ts";
import { createObjectReader, type ObjectReader } from "./object-reader.ts";
import { type GitAnswer, runGit } from "./run-git.ts";

export interface Plumbing {
  args: readonly string[];
  /** What was being done, for the message of a failure. */
  doing: string;
  input?: Buffer | string;
  /** Added to the neutral environment. */
  env?: Readonly<Record<string, string>>;
  /** Exit codes that are answers. Default: 0 alone. */
  answers?: readonly number[];
  /** Milliseconds of silence after which it and all it started are ended; `timedOut` among the failure's facts. Default: none. */
  quietMs?: number;
  /** Ends it the same way. */
  giveUp?: AbortSignal;
}

export interface Talk {
  args: readonly string[];
  doing: string;
  remote: "origin" | "node";
  /** The node's repository as `args` name it, and what has to answer there. */
  node?: { url: string; service: NodeService };
}

/** One bare repository, and the two ways to run git in it: neutrally inside, and with the person's own settings to the outside. */
export interface Git {
  readonly dir: string;
  readonly objects: ObjectReader;
  /** What `make` gives for a key that names objects alone: objects never change, so it is asked once. */
  remember<T>(key: string, make: () => Promise<T>): Promise<T>;
  /** Text that a command prints. For commands that always print: an empty answer costs simple-git a wait of 50 ms. */
  read(doing: string, ...args: string[]): Promise<string>;
  run(plumbing: Plumbing): Promise<GitAnswer>;
  /** A conversation with another repository, bounded in time. Throws when it failed. */
  talk(talk: Talk): Promise<GitAnswer>;
  /** The same, for callers that look at the world again before they judge the failure. */
  tryTalk(talk: Talk): Promise<{ answer: GitAnswer; failure: FactoryError | undefined }>;
}

export interface GitOptions {
  env: Environment;
  /** Milliseconds of silence after which a conversation is given up. */
  remoteQuietMs: number;
  /** Opens a line to a repository that git cannot reach by itself. */
  dial?: DialNode | undefined;
}

const rememberedAnswers = 64;

export function openGit(dir: string, options: GitOptions): Git {
  const own = ownEnvironment(options.env);
  const users = usersEnvironment(options.env);
  const reader = createReader(own);

  async function tryTalk(talk: Talk): Promise<{ answer: GitAnswer; failure: FactoryError | undefined }> {
    const call = { args: [`--git-dir=${dir}`, ...talk.args], env: users, quietMs: options.remoteQuietMs };
    const { node } = talk;
    const line = node !== undefined && isDialled(node.url) ? await options.dial?.(node.url, node.service) : undefined;
    // git finds the line at its third file descriptor.
    const args = call.args.map((arg) => (arg === node?.url ? "fd::3/node" : arg));
    const answer = await runGit(line === undefined ? call : { ...call, args, env: { ...users, GIT_ALLOW_PROTOCOL: "fd" }, line });
    const failed = answer.exitCode !== 0 || answer.timedOut;
    return { answer, failure: failed ? failureOf(answer, { doing: talk.doing, remote: talk.remote }) : undefined };
  }

  return {
    dir,
    objects: createObjectReader(dir, own),
    remember: createMemory(),
    async read(doing, ...args) {
      try {
        return await reader.raw(`--git-dir=${dir}`, ...args);
      } catch (error) {
        if (!(error instanceof GitError)) throw error;
        if (/spawn git ENOENT/.test(error.message)) {
          throw new FactoryError("TOOL_MISSING", "git is not on the PATH", { fault: "user", hint: "install git 2.38 or newer" });
        }
        throw classifyGitError({ doing, stderr: error.message, exitCode: null });
      }
    },
    async run({ args, doing, env, answers = [0], ...rest }) {
      const answer = await runGit({ ...rest, args: [`--git-dir=${dir}`, ...args], env: { ...own, ...env } });
      if (answer.exitCode === null || !answers.includes(answer.exitCode)) throw failureOf(answer, { doing });
      return answer;
    },
    async talk(talk) {
      const { answer, failure } = await tryTalk(talk);
      if (failure !== undefined) throw failure;
      return answer;
    },
    tryTalk,
  };
}

/** The newest answers; failures are not kept. */
function createMemory(): Git["remember"] {
  const known = new Map<string, Promise<unknown>>();
  return <T>(key: string, make: () => Promise<T>): Promise<T> => {
    const answer = (known.get(key) as Promise<T> | undefined) ?? make();
    known.delete(key);
    known.set(key, answer);
    answer.catch(() => known.delete(key));
    for (const oldest of known.keys()) {
      if (known.size <= rememberedAnswers) break;
      known.delete(oldest);
    }
    return answer;
  };
}

/** simple-git drops GIT_ variables and refuses options that lead elsewhere, unless they are named here. */
function createReader(own: Readonly<Record<string, string>>): SimpleGit {
  return simpleGit({
    baseDir: "/",
    maxConcurrentProcesses: 8,
    allowEnvironment: Object.keys(own),
    unsafe: { allowUnsafeConfigPaths: true },
    errors(error, { exitCode, stdErr }) {
      if (error === undefined && exitCode === 0) return undefined;
      const said = Buffer.concat(stdErr).toString("utf8");
      return new GitError(undefined, said === "" ? `git ended with ${exitCode}: ${String(error ?? "")}` : said);
    },
  }).env(own);
}

export function failureOf(answer: GitAnswer, about: Pick<GitFailure, "doing" | "remote">): FactoryError {
  return classifyGitError({ ...about, stderr: answer.stderr, exitCode: answer.exitCode, timedOut: answer.timedOut });
}

const oidPattern = /^[0-9a-f]{40}$/;

/** An object id can never be taken for an option or a ref name. */
export function asOid(text: string): Oid {
  const oid = text.trim();
  invariant(oidPattern.test(oid), `${JSON.stringify(text.slice(0, 80))} is not an object id`);
  return oid;
}

/** The commit a ref or another revision names, or undefined when there is no such commit. */
export async function resolveRef(git: Git, ref: string): Promise<Oid | undefined> {
  return (await git.objects.look(`${ref}^{commit}`))?.oid;
}

/** The tree of a commit. */
export async function treeOf(git: Git, commit: Oid): Promise<Oid> {
  const found = await git.objects.look(`${asOid(commit)}^{tree}`);
  if (found !== undefined) return found.oid;
  throw new FactoryError("GIT_FAILED", `${git.dir} has no commit ${commit}`);
}

export async function isAncestor(git: Git, older: Oid, newer: Oid): Promise<boolean> {
  if (older === newer) return true;
  const { exitCode } = await git.run({
    args: ["merge-base", "--is-ancestor", asOid(older), asOid(newer)],
    doing: `compare ${older} with ${newer}`,
    answers: [0, 1],
  });
  return exitCode === 0;
}

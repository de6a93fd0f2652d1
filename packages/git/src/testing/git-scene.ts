import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { type Candidate, type CarInput, type CarMember, type Oid, type ProjectSource, resultRef, salvageRef } from "@dispatch/core";
import { createRepositories, type GitRepositories } from "../create-repositories.ts";

/** What a path holds: text, or a link, or text with the executable bit. Null removes the path. */
export type Entry = string | { link: string } | { script: string } | null;
export type Files = Readonly<Record<string, Entry>>;

/** A temp folder with an origin, the repositories under test, and a node's bare repository. */
export interface Scene {
  root: string;
  project: ProjectSource;
  repositories: GitRepositories;
  hub: string;
  node: string;
  /** Opens the hub of the project as it begins, and returns its main. */
  openHub(): Promise<Oid>;
  /** Has `make` open the hub and work in it; the next scene with these files gets what that left under this name. */
  prepareHub<T>(name: string, make: () => Promise<T>): Promise<T>;
  /** Runs git in a folder, as a person with a fixed name, and returns what it printed without the last line break. */
  git(folder: string, ...args: string[]): string;
  /** The same with text on its input. */
  pipe(folder: string, input: string, ...args: string[]): string;
  /** Writes files into a worktree. */
  write(folder: string, files: Files): void;
  /** Writes files into a worktree and commits everything. */
  commit(folder: string, files: Files, message?: string): Oid;
  remove(): void;
}

const identity = {
  GIT_AUTHOR_NAME: "Ada Author",
  GIT_AUTHOR_EMAIL: "ada@example.org",
  GIT_COMMITTER_NAME: "Ada Author",
  GIT_COMMITTER_EMAIL: "ada@example.org",
};

export function environment(): Record<string, string> {
  const { PATH = "", HOME = "" } = process.env;
  return { PATH, HOME, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
}

/** What git would tidy up behind a command costs more than the command. */
const untidy = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "maintenance.auto", GIT_CONFIG_VALUE_0: "false" };

function runAs(env: Record<string, string>, folder: string, args: readonly string[], input: string | Buffer = ""): string {
  const answer = execFileSync("git", args, {
    cwd: folder,
    env: { ...env, ...identity, ...untidy },
    encoding: "utf8",
    input,
    stdio: ["pipe", "pipe", "pipe"],
  });
  return answer.replace(/\n$/, "");
}

function writeFiles(folder: string, entries: Files): void {
  for (const [path, entry] of Object.entries(entries)) {
    const full = join(folder, path);
    rmSync(full, { recursive: true, force: true });
    if (entry === null) continue;
    mkdirSync(dirname(full), { recursive: true });
    if (typeof entry === "string") writeFileSync(full, entry);
    else if ("link" in entry) symlinkSync(entry.link, full);
    else writeFileSync(full, entry.script, { mode: 0o755 });
  }
}

function modeAndText(entry: Exclude<Entry, null>): [mode: string, text: string] {
  if (typeof entry === "string") return ["100644", entry];
  return "link" in entry ? ["120000", entry.link] : ["100755", entry.script];
}

let changes = 0;

export interface NewCommit {
  /** A number stands for one of the commits made along with it, by its place. */
  parents: readonly (Oid | number)[];
  files: Files;
  /** A number here is that of the first parent. */
  onto?: Oid | number;
}

/** Commits a tree in a bare repository, without a worktree: the files alone, or on top of the tree of `onto`. */
export function commitTree(bare: string, parents: readonly Oid[], files: Files, onto?: Oid): Oid {
  const [commit = ""] = commitTrees(bare, [{ parents, files, ...(onto === undefined ? {} : { onto }) }]);
  return commit;
}

/** Several of them, of which one may follow another, by one process. */
export function commitTrees(bare: string, commits: readonly NewCommit[]): Oid[] {
  const pieces = commits.flatMap((commit, place) => piecesOf(bare, commit, place + 1));
  const input = Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
  return runAs(environment(), bare, ["--git-dir=.", "fast-import", "--quiet", "--date-format=now", "--force"], input).split("\n");
}

function piecesOf(bare: string, { parents, files, onto }: NewCommit, mark: number): string[] {
  changes += 1;
  const person = `${identity.GIT_AUTHOR_NAME} <${identity.GIT_AUTHOR_EMAIL}> now`;
  const message = `change ${changes}`;
  const ref = `refs/test/change-${changes}`;
  const named = (commit: Oid | number): string => (typeof commit === "number" ? `:${commit + 1}` : commit);
  const [first, ...others] = parents;
  const lines = [`commit ${ref}`, `mark :${mark}`, `author ${person}`, `committer ${person}`, `data ${message.length}`, message];
  if (first !== undefined) lines.push(`from ${named(first)}`, ...others.map((parent) => `merge ${named(parent)}`));
  if (onto === undefined) lines.push("deleteall");
  else if (onto !== first) lines.push("deleteall", `M 040000 ${runAs(environment(), bare, ["rev-parse", `${onto}^{tree}`])} ""`);
  const pieces = [`${lines.join("\n")}\n`];
  // What goes makes room for what comes.
  for (const [path, entry] of Object.entries(files)) if (entry === null) pieces.push(`D ${quoted(path)}\n`);
  for (const [path, entry] of Object.entries(files)) {
    if (entry === null) continue;
    const [mode, text] = modeAndText(entry);
    pieces.push(`M ${mode} inline ${quoted(path)}\ndata ${Buffer.byteLength(text)}\n`, text, "\n");
  }
  // The commit is named, and no ref is left of it.
  return [...pieces, `get-mark :${mark}\nreset ${ref}\nfrom ${"0".repeat(40)}\n`];
}

function quoted(path: string): string {
  return `"${path.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

/** What `git init` makes, without a process. */
function initEmpty(gitDir: string, bare: boolean): void {
  for (const folder of ["objects/info", "objects/pack", "refs/heads", "refs/tags"]) mkdirSync(join(gitDir, folder), { recursive: true });
  writeFileSync(join(gitDir, "HEAD"), "ref: refs/heads/main\n");
  writeFileSync(join(gitDir, "config"), `[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = ${bare}\n`);
}

/** What a folder holds below it; folders without anything. */
type Tree = ReadonlyMap<string, Buffer | undefined>;

/** Folders that gits of this process made, for the next ones of the kind to begin with. */
const made = new Map<string, Tree>();
const answers = new Map<string, unknown>();

/** Fills a folder with what was made under this name, if anything was. */
function putMade(name: string, folder: string): boolean {
  const tree = made.get(name);
  for (const [path, content] of tree ?? []) {
    const full = join(folder, path);
    mkdirSync(content === undefined ? full : dirname(full), { recursive: true });
    if (content !== undefined) writeFileSync(full, content);
  }
  return tree !== undefined;
}

function keepMade(name: string, folder: string): void {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry): [string, Buffer | undefined] => {
    const full = join(entry.parentPath, entry.name);
    return [relative(folder, full), entry.isDirectory() ? undefined : readFileSync(full)];
  });
  made.set(name, new Map(entries));
}

/** With `files`, origin is a worktree on main with one commit of them. */
export function makeScene(files: Files = { "readme.md": "hello\n" }, options: { bare?: boolean } = {}): Scene {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-git-")));
  const work = join(root, "origin");
  const node = join(root, "node.git");
  const hubDir = join(root, "hubs");
  const git = (folder: string, ...args: string[]) => runAs(environment(), folder, args);

  function commit(folder: string, entries: Files, message = "change"): Oid {
    writeFiles(folder, entries);
    git(folder, "add", "-A");
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message);
    return git(folder, "rev-parse", "HEAD");
  }

  initEmpty(node, true);
  const kind = JSON.stringify(Object.entries(files));
  if (putMade(`origin of ${kind}`, join(work, ".git"))) {
    writeFiles(work, files);
  } else {
    initEmpty(join(work, ".git"), false);
    commit(work, files, "first");
    keepMade(`origin of ${kind}`, join(work, ".git"));
  }
  const repo = options.bare === true ? join(root, "origin.git") : work;
  if (options.bare === true && !putMade(`bare origin of ${kind}`, repo)) {
    git(root, "clone", "--quiet", "--bare", work, repo);
    keepMade(`bare origin of ${kind}`, repo);
  }
  const project = { id: "shop", repo, branch: "main" };
  const repositories = createRepositories({ hubDir, env: environment() });
  const hub = join(hubDir, "shop.git");

  async function prepareHub<T>(name: string, make: () => Promise<T>): Promise<T> {
    const key = `hub of ${kind} ${name}`;
    if (putMade(key, hub)) return answers.get(key) as T;
    const answer = await make();
    keepMade(key, hub);
    answers.set(key, answer);
    return answer;
  }

  return {
    root,
    project,
    repositories,
    hub,
    node,
    openHub: () => prepareHub("", () => repositories.openHub(project)),
    prepareHub,
    git,
    pipe: (folder, input, ...args) => runAs(environment(), folder, args, input),
    write: writeFiles,
    commit,
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** A branch that ends at `tip` and started from `base`. */
export function member(tip: Oid, base: Oid, change: Partial<CarMember> = {}): CarMember {
  const { specId = "S01-one" } = change;
  return {
    task: `shop/${specId}`,
    specId,
    attempt: `shop--${specId}--1`,
    tip,
    base,
    subject: "add one",
    executor: "command",
    at: 1_790_000_000_000,
    ...change,
  };
}

/** The car of one branch. */
export function landing(tip: Oid, base: Oid, onto: Oid, change: Partial<CarMember> = {}): CarInput {
  return carOf(onto, [member(tip, base, change)]);
}

/** A car of these branches. */
export function carOf(onto: Oid, members: readonly CarMember[], change: Partial<CarInput> = {}): CarInput {
  return { car: "1", onto, members, shared: [], generated: [], gateRun: "shop-1@0123", gateHash: "sha256:0123", ...change };
}

/** Stands for the worker: sets the refs that hold an attempt's work in the node's repository. */
export function holdOnNode(scene: Scene, attempt: string, held: { tip: Oid | null; salvage: Oid | null }): void {
  if (held.tip !== null) scene.git(scene.node, "update-ref", resultRef(attempt), held.tip);
  if (held.salvage !== null) scene.git(scene.node, "update-ref", salvageRef(attempt), held.salvage);
}

/** The candidate of a car of one branch, which has to fit. */
export async function builtAlone(scene: Scene, input: CarInput): Promise<Candidate> {
  const { candidate, refused } = await scene.repositories.buildCar(scene.project.id, input);
  if (candidate === null) throw new Error(`it does not fit: ${JSON.stringify(refused)}`);
  return candidate;
}

import { type ErrorCode, FactoryError } from "@dispatch/core";

export interface GitFailure {
  /** What was being done, as in `could not <doing>`. */
  doing: string;
  /** The other side of the conversation. Left out for commands inside the hub. */
  remote?: "origin" | "node";
  stderr: string;
  exitCode: number | null;
  timedOut?: boolean;
}

interface Rule {
  match: RegExp;
  /** Left out: for every conversation and for the hub's own commands. */
  remote?: readonly ("origin" | "node")[];
  code: ErrorCode;
  fault: FactoryError["fault"];
  retry: FactoryError["retry"];
  hint: string;
}

const both = ["origin", "node"] as const;
const origin = ["origin"] as const;

/** First match wins: what a server says of itself comes before what git concludes from it. */
const rules: readonly Rule[] = [
  {
    match: /no space left on device|ENOSPC|disk quota exceeded/i,
    code: "DISK_FULL",
    fault: "user",
    retry: "later",
    hint: "make room on the disk; it is tried again, and nothing was left half done",
  },
  {
    match: /^usage: git merge-tree/m,
    code: "TOOL_MISSING",
    fault: "user",
    retry: "never",
    hint: "install git 2.38 or newer",
  },
  {
    match: /dubious ownership/i,
    remote: origin,
    code: "REPOSITORY_INVALID",
    fault: "user",
    retry: "never",
    hint: "the repository belongs to another user; allow it with git config --global --add safe.directory PATH",
  },
  {
    match: /shallow (update|roots are) not allowed|rejected.*shallow/i,
    remote: origin,
    code: "REPOSITORY_INVALID",
    fault: "user",
    retry: "never",
    hint: "the repository is a shallow clone; complete it with git fetch --unshallow",
  },
  {
    match: /authentication failed|could not read (username|password)|permission denied \(|terminal prompts disabled|invalid credentials/i,
    remote: origin,
    code: "ORIGIN_UNREACHABLE",
    fault: "user",
    retry: "later",
    hint: "log in as the user of the daemon, without a prompt: a credential helper, a token, or an SSH key that the agent holds",
  },
  {
    match: /host key verification failed/i,
    remote: origin,
    code: "ORIGIN_UNREACHABLE",
    fault: "user",
    retry: "later",
    hint: "connect once with ssh as the user of the daemon, check the host key and accept it",
  },
  {
    match:
      /remote rejected|hook declined|protected branch|error: 403|permission to .* denied|insufficient permission|read-only file system|not allowed to push/i,
    remote: origin,
    code: "ORIGIN_REFUSED",
    fault: "user",
    retry: "never",
    hint: "origin does not let this account push to the branch; change its rules or the account, then collect again",
  },
  {
    match: /repository .*not found|repository not found|does not appear to be a git repository|not a git repository|repository .* does not exist/i,
    remote: origin,
    code: "REPOSITORY_INVALID",
    fault: "user",
    retry: "never",
    hint: "see that repo in dispatch.yaml names a git repository which this account may read",
  },
  {
    match: /transport '.*' not allowed|unable to find remote helper|is not a git command|unknown protocol/i,
    remote: origin,
    code: "REPOSITORY_INVALID",
    fault: "user",
    retry: "never",
    hint: "use a path, or an address that starts with https:// or ssh://",
  },
  {
    match:
      /could not resolve host|unable to access|connection (refused|reset|closed|timed out)|could not read from remote repository|hung up|early EOF|unable to connect|network is unreachable|unexpected disconnect|operation timed out/i,
    remote: both,
    code: "ORIGIN_UNREACHABLE",
    fault: "dependency",
    retry: "later",
    hint: "check the network and the address, then try again",
  },
];

/** The failure of a git command as one of our codes, without credentials in its message. Pure. */
export function classifyGitError(failure: GitFailure): FactoryError {
  const { remote, doing } = failure;
  const stderr = stripCredentials(failure.stderr);
  const timedOut = failure.timedOut === true;
  const facts = { exitCode: failure.exitCode, stderr: stderr.slice(-4000), ...(timedOut ? { timedOut } : {}) };
  const said = saidBy(stderr);
  if (timedOut) {
    const hint = "check the network and the address, then try again";
    return new FactoryError(codeFor("ORIGIN_UNREACHABLE", remote), `could not ${doing}: no answer in time`, {
      fault: "dependency",
      retry: "later",
      hint,
      facts,
    });
  }
  const rule = rules.find((candidate) => applies(candidate, remote) && candidate.match.test(stderr));
  const message = `could not ${doing}: ${said === "" ? `git ended with ${failure.exitCode ?? "a signal"}` : said}`;
  if (rule === undefined) return new FactoryError("GIT_FAILED", message, { retry: "later", facts });
  return new FactoryError(codeFor(rule.code, remote), message, { fault: rule.fault, retry: rule.retry, hint: rule.hint, facts });
}

function applies(rule: Rule, remote: GitFailure["remote"]): boolean {
  return rule.remote === undefined || (remote !== undefined && rule.remote.includes(remote));
}

function codeFor(code: ErrorCode, remote: GitFailure["remote"]): ErrorCode {
  return code === "ORIGIN_UNREACHABLE" && remote === "node" ? "NODE_UNREACHABLE" : code;
}

/** Removes user names and passwords from addresses. */
export function stripCredentials(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^/\s]*@/gi, "$1");
}

const progress =
  /^(remote: )?(enumerating|counting|compressing|receiving|resolving|writing|unpacking|updating|filtering|delta|total|checking)\b.*(\d+%|done|objects|deltas|delta compression|reused)/i;
const chatter = /^(To |From |Everything up-to-date|error: failed to push some refs)/;

/** What git and the other side said, on one line and without progress. */
export function saidBy(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !progress.test(line) && !chatter.test(line) && !line.startsWith("hint:"));
  const text = lines.join("; ");
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}

import { FactoryError, type Forge } from "@dispatch/core";
import { stripCredentials } from "../classify-git-error.ts";
import { usersEnvironment } from "../git-environment.ts";
import type { GitOptions } from "../open-git.ts";
import { type GitAnswer, runGit } from "../run-git.ts";

export interface ForgeCall {
  forge: Forge;
  args: readonly string[];
  input?: string;
  /** What was being done, as in `could not <doing>`. */
  doing: string;
}

/** Nothing may be asked, nothing may be coloured, and nobody is told of a newer version. */
const quietly = {
  GH_PROMPT_DISABLED: "1",
  GH_NO_UPDATE_NOTIFIER: "1",
  NO_PROMPT: "1",
  GLAB_CHECK_UPDATE: "false",
  NO_COLOR: "1",
  PAGER: "cat",
};

/** Runs `gh` or `glab` with the person's own login, bounded in time, and gives what it printed. */
export async function runForge(call: ForgeCall, options: GitOptions): Promise<string> {
  const answer = await runGit({
    program: call.forge,
    args: call.args,
    env: { ...usersEnvironment(options.env), ...quietly },
    quietMs: options.remoteQuietMs,
    ...(call.input === undefined ? {} : { input: call.input }),
  });
  if (answer.exitCode === 0 && !answer.timedOut) return answer.stdout.toString("utf8");
  throw classifyForgeError(call, answer);
}

/** `gh` ends with this when it has no login. */
const ghNeedsLogin = 4;

/** The failure of a forge's program as one of our codes. Pure. */
export function classifyForgeError({ forge, doing }: ForgeCall, answer: Omit<GitAnswer, "stdout">): FactoryError {
  const stderr = stripCredentials(answer.stderr);
  const said = stderr
    .trim()
    .replace(/\s*\n\s*/g, "; ")
    .slice(0, 600);
  const facts = { forge, exitCode: answer.exitCode, stderr: stderr.slice(-4000) };
  const fail = (code: "ORIGIN_UNREACHABLE" | "ORIGIN_REFUSED" | "REPOSITORY_INVALID", fault: "user" | "dependency", hint: string): FactoryError => {
    const because = answer.timedOut ? "no answer in time" : said === "" ? `${forge} ended with ${answer.exitCode ?? "a signal"}` : said;
    const retry = code === "ORIGIN_UNREACHABLE" ? "later" : "never";
    return new FactoryError(code, `could not ${doing}: ${because}`, { fault, retry, hint, facts });
  };
  if (answer.timedOut) return fail("ORIGIN_UNREACHABLE", "dependency", "check the network and the forge, then collect again");
  if ((forge === "gh" && answer.exitCode === ghNeedsLogin) || /auth login|\b401\b|bad credentials|not logged in|unauthori[sz]ed/i.test(stderr)) {
    const token = forge === "gh" ? "GH_TOKEN" : "GITLAB_TOKEN";
    return fail("ORIGIN_UNREACHABLE", "user", `run ${forge} auth login as the user of the daemon, or give the daemon ${token}; then collect again`);
  }
  if (/\b403\b|forbidden|not accessible by|correct permissions|must have (push|write|admin)|insufficient.scope/i.test(stderr)) {
    return fail(
      "ORIGIN_REFUSED",
      "user",
      `give the account of ${forge} the right to write pull requests there (see ${forge} auth status); then collect again`,
    );
  }
  if (/\b404\b|could not resolve to a repository|not found/i.test(stderr)) {
    return fail(
      "REPOSITORY_INVALID",
      "user",
      `see that repo in dispatch.yaml names a repository which the account of ${forge} may see (${forge} auth status)`,
    );
  }
  if (/could not resolve host|no such host|dial tcp|connection (refused|reset)|timeout|network is unreachable|\b50[0234]\b/i.test(stderr)) {
    return fail("ORIGIN_UNREACHABLE", "dependency", "check the network and the forge, then collect again");
  }
  return fail("ORIGIN_REFUSED", "user", `see what ${forge} says, change it there, then collect again; the branch is pushed already`);
}

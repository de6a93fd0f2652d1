/** What the daemon takes from its environment. Nothing else of this room reads it. */
export function readEnvironment(): {
  crashAt: string | undefined;
  /** SSH configuration to use instead of the user's and the system's. */
  sshConfig: string | undefined;
  /** All of it, for ssh, which finds the agent and the home there, and for git in a repository that somebody names. */
  all: Readonly<Record<string, string | undefined>>;
} {
  return { crashAt: process.env["DISPATCH_CRASH_AT"], sshConfig: process.env["DISPATCH_SSH_CONFIG"], all: process.env };
}

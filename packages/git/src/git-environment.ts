/** Variables of the process, as far as git and what it starts may see them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const plain = ["PATH", "HOME", "TMPDIR", "TMP", "TEMP", "SystemRoot"];

/** Reflogs want a name even where no configuration gives one. */
const committer = { GIT_COMMITTER_NAME: "Dispatch", GIT_COMMITTER_EMAIL: "dispatch@localhost" };

/**
 * For commands inside the hub: no configuration but the hub's own, no attributes of the machine,
 * no replaced objects, and paths that mean themselves, so that the same input gives the same commit anywhere.
 */
export function ownEnvironment(base: Environment): Record<string, string> {
  return {
    ...pick(base, (name) => plain.includes(name)),
    ...committer,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_TERMINAL_PROMPT: "0",
    LC_ALL: "C",
  };
}

/** Settings of git that say how to reach a server. All other GIT_ variables would redirect our commands. */
const reaching = /^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|SSL_.*|HTTP_.*|PROXY_.*|CONFIG_GLOBAL|CONFIG_SYSTEM|CONFIG_NOSYSTEM|ALLOW_PROTOCOL)$/;

/** For talking to origin and for looking into a person's clone: their configuration and credentials, but no questions. */
export function usersEnvironment(base: Environment): Record<string, string> {
  return {
    ...pick(base, (name) => !name.startsWith("GIT_") || reaching.test(name)),
    ...committer,
    GIT_TERMINAL_PROMPT: "0",
    LC_ALL: "C",
  };
}

function pick(base: Environment, keep: (name: string) => boolean): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(base)) if (value !== undefined && keep(name)) kept[name] = value;
  return kept;
}

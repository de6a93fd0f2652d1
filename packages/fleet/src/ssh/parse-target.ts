import { FactoryError } from "@dispatch/core";

export interface NamedTarget {
  host: string;
  user: string | undefined;
  port: number | undefined;
}

const shape = /^(?:ssh:\/\/)?(?:([A-Za-z0-9_][A-Za-z0-9_.@+-]*)@)?([A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+(?:%\w+)?\])(?::(\d{1,5}))?\/?$/;

/** Reads `[user@]host[:port]`; undefined for anything else, above all what ssh could take for an option. */
export function parseTarget(text: string): NamedTarget | undefined {
  const [, user, host = "", port] = shape.exec(text) ?? [];
  if (host === "" || Number(port ?? 22) > 65_535) return undefined;
  return { user, host: host.replace(/^\[(.*)\]$/, "$1"), port: port === undefined ? undefined : Number(port) };
}

export function requireTarget(text: string): NamedTarget {
  const target = parseTarget(text);
  if (target !== undefined) return target;
  throw new FactoryError("CONFIG_INVALID", `${JSON.stringify(text)} is no SSH target`, {
    fault: "user",
    hint: "write user@host, user@host:port, or a name from your SSH configuration",
  });
}

import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import type { Channel, ChannelEnd, Connection } from "./transport.ts";

export interface Outcome extends ChannelEnd {
  out: string;
  said: string;
}

const limitMs = 60_000;

/** Runs a program on a node with this input and gathers what it prints; one that takes longer than a minute is ended. */
export async function runToEnd(connection: Pick<Connection, "run">, argv: readonly string[], input: Uint8Array | string): Promise<Outcome> {
  const channel = await connection.run(argv, "short");
  const timer = setTimeout(channel.kill, limitMs);
  try {
    const texts = Promise.all([textOf(channel.stdout), textOf(channel.stderr)]);
    await feed(channel.stdin, input);
    const [[out, said], end] = await Promise.all([texts, channel.ended]);
    return { ...end, out, said };
  } finally {
    clearTimeout(timer);
  }
}

/** A program may end without reading its input; how it ended tells the rest. */
async function feed(stdin: Writable, input: Uint8Array | string): Promise<void> {
  stdin.end(input);
  await finished(stdin, { readable: false }).catch(() => undefined);
}

/** What a program prints until its end, or until its connection is cut; of much the last megabyte. */
export function textOf(stream: Channel["stdout"]): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text = (text + chunk).slice(-1_000_000);
    });
    for (const event of ["end", "close", "error"]) stream.once(event, () => resolve(text));
  });
}

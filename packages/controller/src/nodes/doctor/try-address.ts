import { lookup } from "node:dns/promises";
import { connect } from "node:net";

export async function tryAddress(host: string): Promise<{ host: string; addresses: readonly string[] }> {
  const found = await lookup(host, { all: true });
  return { host, addresses: found.map(({ address }) => address) };
}

/** How long a connection to a port takes, in ms; rejects when none can be had or no SSH server greets there. */
export function tryPort(host: string, port: number, limitMs: number): Promise<{ port: number; ms: number }> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const fail = (because: string): void => {
      socket.destroy();
      reject(new Error(because));
    };
    socket.setTimeout(limitMs, () => fail("it accepts a connection and says nothing"));
    socket.once("error", (error) => fail(error.message));
    socket.once("close", () => fail("it hangs up at once"));
    socket.once("data", (greeting: Buffer) => {
      if (!greeting.toString("latin1").startsWith("SSH-")) return fail("what answers there is no SSH server");
      const ms = Math.round(performance.now() - began);
      socket.destroy();
      resolve({ port, ms });
    });
  });
}

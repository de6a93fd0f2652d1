import { FactoryError, type NodeId } from "@dispatch/core";
import type { Client, ClientChannel } from "ssh2";
import { readPin, requirePinned } from "../ssh/host-key.ts";
import { keepHostKey } from "../ssh/known-hosts.ts";
import { needsOpenssh } from "../ssh/needs-openssh.ts";
import { resolveTarget } from "../ssh/resolve-target.ts";
import type { SshAccess } from "../ssh/ssh-access.ts";
import { unreachable } from "../unreachable.ts";
import { createClosing } from "./closing.ts";
import { createChannelGate, openPatiently } from "./limit-channels.ts";
import { remoteCommand } from "./remote-command.ts";
import { skipPreamble } from "./skip-preamble.ts";
import type { Channel, ChannelEnd, Connection, Transport } from "./transport.ts";
import { uploadFile } from "./upload-file.ts";

const farewellMs = 5000;

/** One connection of the ssh2 library. */
export function createSsh2Transport(access: SshAccess): Transport {
  return {
    kind: "ssh2",
    async connect() {
      const target = await resolveTarget(access);
      const needs = await needsOpenssh(target, access);
      if (needs.length > 0) throw notForLibrary(access, needs);
      // Only who reaches a node this way pays for the library.
      const { connectClient } = await import("../ssh/connect-client.ts");
      const client = await connectClient({
        node: access.node,
        target,
        access,
        verify(key) {
          requirePinned(access.node, access.hostKey, key);
          // What lies there is for the system's ssh, which asks for the key itself where there is none.
          keepHostKey(access.knownHostsDir, access.node, key).catch((error: unknown) =>
            access.log?.warn({ node: access.node, error }, "the accepted host key could not be kept for the system's ssh"),
          );
        },
        keyType: access.hostKey === undefined ? undefined : readPin(access.hostKey).type,
      });
      return openConnection(client, access.node);
    },
  };
}

function notForLibrary({ node, target }: SshAccess, needs: readonly string[]): FactoryError {
  return new FactoryError("NODE_FAILED", `node ${node}: transport ssh2 cannot reach ${target}: it does not know ${needs.join(", ")}`, {
    fault: "user",
    hint: 'set "transport" to auto or openssh',
    facts: { node, needs },
  });
}

function openConnection(client: Client, node: NodeId): Connection {
  const closing = createClosing();
  const gate = createChannelGate();
  let onBytes = (): void => {};
  client.on("error", (error: Error) => closing.close(error.message));
  client.once("close", () => closing.close("the connection was closed"));
  const connection: Connection = {
    kind: "ssh2",
    async run(argv, lane) {
      const command = remoteCommand(argv);
      const leave = await gate.enter(lane);
      try {
        const stream = await openPatiently(() => exec(client, command), isRefusal);
        stream.once("close", leave);
        return channelOf(stream, closing.because, () => onBytes());
      } catch (error) {
        leave();
        const because = closing.because() ?? (error instanceof Error ? error.message : String(error));
        throw unreachable(node, `no channel could be opened: ${because}`);
      }
    },
    upload: (path, content) => uploadFile(connection, path, content),
    closed: closing.because,
    close() {
      client.end();
      closing.close("it was closed");
      // A peer that is frozen never answers the goodbye.
      setTimeout(() => client.destroy(), farewellMs).unref();
    },
    onBytes(listener) {
      onBytes = listener;
    },
    onClose: closing.onClose,
  };
  return connection;
}

function exec(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, stream) => (error === undefined || error === null ? resolve(stream) : reject(error)));
  });
}

/** sshd has too many sessions open on this connection. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && /open failed|unable to exec/i.test(error.message);
}

function channelOf(stream: ClientChannel, cut: () => string | undefined, onBytes: () => void): Channel {
  const { stream: stdout } = skipPreamble(onBytes);
  let end: ChannelEnd | undefined;
  stream.once("exit", (code: number | null, signal?: string) => {
    end = { code, because: code === null ? (signal ?? "a signal") : `exit code ${code}` };
  });
  const ended = new Promise<ChannelEnd>((resolve) => {
    stream.once("close", () => resolve(end ?? { code: null, because: cut() ?? "the channel was closed" }));
  });
  stream.on("error", () => {});
  stream.pipe(stdout);
  // A cut connection ends the stream without an end of its data.
  stream.once("close", () => stdout.end());
  return {
    stdin: stream,
    stdout,
    stderr: stream.stderr,
    ended,
    kill() {
      // Servers older than 7.9 do not know signals; closing ends the input of the process, which it takes for its end.
      stream.signal("KILL");
      stream.close();
      // The end is told when all was read, and nobody may be there to read it.
      stdout.resume();
      stream.stderr.resume();
    },
  };
}

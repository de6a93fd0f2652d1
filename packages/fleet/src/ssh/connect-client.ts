import type { Duplex } from "node:stream";
import { FactoryError, type NodeId } from "@dispatch/core";
import ssh2, { type Client, type ServerHostKeyAlgorithm } from "ssh2";
import { classifySshError } from "./classify-ssh-error.ts";
import { type HostKey, hostKeyOf } from "./host-key.ts";
import { gatherIdentities } from "./identities.ts";
import { userKnows } from "./known-hosts.ts";
import { type ResolvedTarget, resolveTarget } from "./resolve-target.ts";
import type { SshAccess } from "./ssh-access.ts";

/** As slow as a firewall allows: that a node fell silent is seen by its missing heartbeats. */
const keepaliveMs = 30_000;
const keepaliveMisses = 3;

/** Connections to a target and to what had to be passed on the way; ending the last one ends all. */
export interface ClientRequest {
  node: NodeId;
  target: ResolvedTarget;
  access: Pick<SshAccess, "configFile" | "env" | "signal">;
  /** Throws for a key that is not the right one. */
  verify(key: HostKey): void;
  /** Type of the key that is expected, so that a server with several shows this one. */
  keyType: string | undefined;
}

/** Connects with ssh2, through the machines of ProxyJump where there are some. Rejects with a FactoryError. */
export async function connectClient(request: ClientRequest): Promise<Client> {
  const before: Client[] = [];
  try {
    let sock: Duplex | undefined;
    for (const [n, name] of request.target.jumps.entries()) {
      const jump = await resolveTarget({ ...request.access, target: name });
      // Only the first one is reached by its own way; the others lie behind the one before.
      const target: ResolvedTarget = n === 0 ? jump : { ...jump, jumps: [] };
      const known = await userKnows(target.knownHostsFiles, target.hostname, target.port);
      const verify = (key: HostKey): void => requireKnown(request.node, name, known, key);
      const inner = { ...request, target, verify, keyType: known[0]?.type };
      const client = sock === undefined && target.jumps.length > 0 ? await connectClient(inner) : await connectOne(inner, sock);
      before.push(client);
      const next = request.target.jumps[n + 1];
      const onwards = next === undefined ? request.target : await resolveTarget({ ...request.access, target: next });
      sock = await forward(client, onwards, request.node);
    }
    const client = await connectOne(request, sock);
    client.once("close", () => endAll(before));
    return client;
  } catch (error) {
    endAll(before);
    throw error;
  }
}

function endAll(clients: readonly Client[]): void {
  for (const client of clients) client.end();
}

function whereOf({ user, hostname, port }: ResolvedTarget): string {
  return `${user}@${hostname}:${port}`;
}

async function connectOne(request: ClientRequest, sock: Duplex | undefined): Promise<Client> {
  const { target, node } = request;
  const { signal } = request.access;
  const { methods, encrypted, hardware } = await gatherIdentities(target);
  const client = new ssh2.Client();
  const serverHostKey = algorithmsFor(request.keyType);
  return await new Promise((resolve, reject) => {
    let refusal: unknown;
    const failed = (said: string, cause?: unknown): void => {
      client.end();
      reject(refusal ?? classifySshError({ node, where: whereOf(target), said, encrypted, hardware }, cause));
    };
    client.on("error", (error: Error & { level?: string }) => {
      // An agent that cannot be asked is one way less, not the end.
      if (error.level !== "agent") failed(error.message, error);
    });
    const giveUp = (): void => {
      client.destroy();
      failed("nobody waits for it any more");
    };
    signal?.addEventListener("abort", giveUp);
    client.once("close", () => {
      signal?.removeEventListener("abort", giveUp);
      failed("the connection was closed");
    });
    client.once("ready", () => {
      client.setNoDelay(true);
      resolve(client);
    });
    if (signal?.aborted === true) return giveUp();
    client.connect({
      host: target.hostname,
      port: target.port,
      username: target.user,
      ...(sock === undefined ? {} : { sock }),
      readyTimeout: target.connectTimeoutMs,
      keepaliveInterval: keepaliveMs,
      keepaliveCountMax: keepaliveMisses,
      authHandler: [...methods],
      ...(serverHostKey === undefined ? {} : { algorithms: { serverHostKey } }),
      hostVerifier: (blob: Buffer) => {
        try {
          request.verify(hostKeyOf(blob));
          return true;
        } catch (error) {
          refusal = error;
          return false;
        }
      },
    });
  });
}

function algorithmsFor(type: string | undefined): ServerHostKeyAlgorithm[] | undefined {
  if (type === undefined) return undefined;
  return type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type as ServerHostKeyAlgorithm];
}

function forward(client: Client, { hostname, port }: ResolvedTarget, node: NodeId): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    client.forwardOut("127.0.0.1", 0, hostname, port, (error, stream) => {
      if (error === undefined || error === null) resolve(stream);
      else reject(classifySshError({ node, where: `${hostname}:${port}`, said: error.message }, error));
    });
  });
}

function requireKnown(node: NodeId, jump: string, known: readonly HostKey[], presented: HostKey): void {
  if (known.some((key) => key.blob.equals(presented.blob))) return;
  const expected = known.map((key) => key.fingerprint).join(", ");
  const message =
    known.length === 0
      ? `the host key of ${jump}, on the way to node ${node}, is not in your known_hosts; it shows ${presented.fingerprint}`
      : `the host key of ${jump}, on the way to node ${node}, changed: known was ${expected}, it shows ${presented.fingerprint}`;
  throw new FactoryError("NODE_FAILED", message, {
    fault: "user",
    hint: `connect once with ssh ${jump} and check the key`,
    facts: { node, expected: expected === "" ? null : expected, presented: presented.fingerprint },
  });
}

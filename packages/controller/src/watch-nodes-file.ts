import { watch } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { FactoryError, isFactoryError, type Log } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";
import { readNodes, readText } from "./config/load-nodes.ts";
import { configInvalid } from "./config/problem.ts";
import type { Nodes } from "./config/schema.ts";

/** nodes.json while the daemon runs: what was right last stays in force. */
export interface NodesFile {
  /** What is wrong with the file as it was seen last; undefined while its nodes are in force. */
  problem(): FactoryError | undefined;
  /** Reads the file now. Never rejects. */
  look(): Promise<void>;
  close(): void;
}

export interface NodesFileOptions {
  /** The factory. */
  dir: string;
  /** Those in force. */
  nodes: Nodes;
  take(nodes: Nodes): void;
  log: Pick<Log, "info" | "warn">;
}

/** Editors write a file in several steps. */
const settleMs = 100;
/** A file that is wrong may be half written: it is read once more before anybody is told. */
const doubtMs = 500;
/** Not every file system tells of changes, and a link's target lies in another folder. */
const lookEveryMs = 5000;

/** Watches nodes.json and hands on what is right and new. */
export function watchNodesFile({ dir, nodes, take, log }: NodesFileOptions): NodesFile {
  let inForce = nodes;
  let problem: FactoryError | undefined;
  let doubted: string | undefined;
  let settling: NodeJS.Timeout | undefined;
  let reading = Promise.resolve();
  let closed = false;

  function soon(ms: number): void {
    clearTimeout(settling);
    settling = setTimeout(() => void look(true), ms).unref();
  }

  function look(patient: boolean): Promise<void> {
    reading = reading.then(async () => {
      const read = await readFile(dir);
      if (closed) return;
      if ("wrong" in read) refuse(read.wrong, patient);
      else accept(read.nodes);
    });
    return reading;
  }

  function accept(found: Nodes): void {
    if (problem !== undefined) log.info({ file: factoryPaths.nodes }, "the file of the nodes is right again");
    problem = undefined;
    doubted = undefined;
    if (isDeepStrictEqual(found, inForce)) return;
    inForce = found;
    log.info({ nodes: found.nodes.map(({ name }) => name) }, "the nodes are those of the changed file now");
    take(found);
  }

  function refuse(wrong: FactoryError, patient: boolean): void {
    if (wrong.message === problem?.message) return;
    if (patient && wrong.message !== doubted) {
      doubted = wrong.message;
      soon(doubtMs);
    } else {
      problem = wrong;
      log.warn({ problems: wrong.facts["problems"] }, "the file of the nodes is wrong; those before stay in force");
    }
  }

  const timer = setInterval(() => void look(true), lookEveryMs).unref();
  const watcher = watch(dir, { persistent: false }, (_, name) => {
    if (name === null || name === factoryPaths.nodes) soon(settleMs);
  });
  watcher.on("error", (error) => log.warn({ error }, `${dir} cannot be watched; ${factoryPaths.nodes} is read every ${lookEveryMs / 1000} s`));
  soon(0);
  return {
    problem: () => problem,
    look: () => look(false),
    close() {
      closed = true;
      watcher.close();
      clearInterval(timer);
      clearTimeout(settling);
    },
  };
}

async function readFile(dir: string): Promise<{ nodes: Nodes } | { wrong: FactoryError }> {
  try {
    const read = readNodes(await readText(dir, factoryPaths.nodes));
    return "problems" in read ? { wrong: keptBefore(configInvalid(read.problems)) } : { nodes: read.value };
  } catch (error) {
    if (isFactoryError(error)) return { wrong: keptBefore(error) };
    throw error;
  }
}

function keptBefore({ code, message, facts }: FactoryError): FactoryError {
  return new FactoryError(code, message, { fault: "user", facts, hint: "mend it; the nodes it named before stay in force until then" });
}

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { FactoryError } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";
import { classifySystemError } from "../classify-system-error.ts";
import { readNodes, readText } from "../config/load-nodes.ts";
import { configInvalid } from "../config/problem.ts";
import { Nodes } from "../config/schema.ts";
import { textNow, writeBeside } from "../factory/write-beside.ts";
import { type WrittenNode, withNode, withoutNode, withSchema } from "./splice-nodes.ts";

const schemaPath = `${factoryPaths.state}/schema/nodes.json`;
const tries = 5;

/** Adds a node to the factory's nodes.json. Throws USAGE when the name is taken and CONFIG_INVALID when the result were wrong. */
export async function addToNodesFile(dir: string, entry: WrittenNode & { name: string }): Promise<void> {
  await writeSchema(dir);
  await editNodesFile(dir, (text) => {
    refuseTaken(text, entry.name);
    return withSchema(withNode(text, entry), `./${schemaPath}`);
  });
}

/** Takes a node out of the factory's nodes.json. Throws NOT_FOUND, and NOT_ALLOWED for the last one. */
export async function removeFromNodesFile(dir: string, name: string): Promise<void> {
  await editNodesFile(dir, (text) => {
    const names = namesIn(text);
    if (!names.includes(name)) throw noSuchNode(name, names);
    if (names.length === 1) throw lastNode(name);
    return withoutNode(text, name);
  });
}

export function noSuchNode(name: string, names: readonly string[]): FactoryError {
  return new FactoryError("NOT_FOUND", `there is no node ${name}`, { fault: "user", hint: `${factoryPaths.nodes} names ${names.join(", ")}` });
}

export function lastNode(name: string): FactoryError {
  return new FactoryError("NOT_ALLOWED", `${name} is the only node, and a factory needs one`, {
    fault: "user",
    hint: `add another first (dispatch node add), or have this one take no tasks: dispatch node cordon ${name}`,
  });
}

/** Throws USAGE when the text has a node of this name. */
export function refuseTaken(text: string, name: string): void {
  if (!namesIn(text).includes(name)) return;
  throw new FactoryError("USAGE", `node ${name} is in ${factoryPaths.nodes} already`, {
    fault: "user",
    hint: `choose another name, or edit it there; to add it anew, dispatch node remove ${name} first`,
  });
}

/** All of the new text or the file as it was; what somebody else wrote meanwhile is taken in, not overwritten. */
async function editNodesFile(dir: string, edit: (text: string) => string): Promise<void> {
  const path = join(dir, factoryPaths.nodes);
  for (let n = 0; n < tries; n++) {
    const before = await readText(dir, factoryPaths.nodes);
    const text = edit(before);
    const read = readNodes(text);
    if ("problems" in read) throw configInvalid(read.problems);
    const beside = await writeBeside(path, text);
    if (textNow(path) === before) return beside.swap();
    await beside.discard();
  }
  throw new FactoryError("NOT_ALLOWED", `${factoryPaths.nodes} is being changed by somebody else`, {
    fault: "user",
    retry: "later",
    hint: "try again",
  });
}

function namesIn(text: string): string[] {
  const read = readNodes(text);
  if ("problems" in read) throw configInvalid(read.problems);
  return read.value.nodes.map((node) => node.name);
}

/** For editors: nodes.json names it beside itself. */
async function writeSchema(dir: string): Promise<void> {
  const path = join(dir, ...schemaPath.split(posix.sep));
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, `${JSON.stringify(Nodes.toJSONSchema({ io: "input" }), null, 2)}\n`);
  } catch (error) {
    throw classifySystemError(error);
  }
}

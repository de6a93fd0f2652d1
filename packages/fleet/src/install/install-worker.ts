import { randomBytes } from "node:crypto";
import { FactoryError, type NodeId } from "@dispatch/core";
import { runToEnd } from "../transport/run-to-end.ts";
import type { Connection } from "../transport/transport.ts";
import type { NodeFacts } from "./probe-node.ts";
import type { WorkerBundle } from "./read-bundle.ts";

/** Puts the worker program on a node under the name of its content, unless it is there whole, and gives its path. */
export async function installWorker(connection: Connection, node: NodeId, facts: NodeFacts, bundle: WorkerBundle): Promise<string> {
  const folder = `${facts.home}/worker`;
  const path = `${folder}/${bundle.sha256}.mjs`;
  if (facts.bundle === bundle.sha256) return path;
  const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  await connection.upload(draft, bundle.content);
  const request = JSON.stringify({ folder, draft, path, sha256: bundle.sha256 });
  const { out, said, because } = await runToEnd(connection, [facts.node, "--input-type=module", "-"], `const request = ${request};\n${program}`);
  const answer = lastJson(out);
  if (answer?.["sha256"] === bundle.sha256) return path;
  const damage = typeof answer?.["sha256"] === "string" ? "it arrived damaged" : said.trim().split("\n").at(-1) || because;
  throw new FactoryError("NODE_FAILED", `node ${node}: the worker program could not be put in place: ${damage}`, {
    fault: "dependency",
    retry: "later",
    hint: `see that there is room in ${facts.home}; it is tried again`,
    facts: { node },
  });
}

function lastJson(out: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(out.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/**
 * Runs on the node. A program is old when it is not the wanted one and no process shows it in its arguments:
 * a wrapper keeps the program that it was started with, and so does a host that may start wrappers.
 */
const program = `
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
const { folder, draft, path } = request;
const sha256 = createHash("sha256").update(readFileSync(draft)).digest("hex");
if (sha256 !== request.sha256) rmSync(draft);
else {
  const sync = (name) => {
    const file = openSync(name, "r");
    fsyncSync(file);
    closeSync(file);
  };
  sync(draft);
  renameSync(draft, path);
  sync(folder);
  const shown = () => {
    try {
      return readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).map((pid) => {
        try {
          return readFileSync("/proc/" + pid + "/cmdline", "latin1");
        } catch {
          return "";
        }
      }).join("\\n");
    } catch {
      return execFileSync("ps", ["-A", "-ww", "-o", "command="], { encoding: "latin1", maxBuffer: 1e8 });
    }
  };
  const arguments_ = shown();
  const hourAgo = Date.now() - 3600e3;
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (file === path) continue;
    const program = /^[0-9a-f]{64}\\.mjs$/.test(name);
    const left = /^[0-9a-f]{64}\\.mjs\\.[0-9a-f]+\\.tmp$/.test(name) && statSync(file).mtimeMs < hourAgo;
    if (left || (program && !arguments_.includes(name))) rmSync(file, { force: true });
  }
}
console.log(JSON.stringify({ sha256 }));
`;

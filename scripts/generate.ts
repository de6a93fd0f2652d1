import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Factory, Nodes, RepositoryPolicy } from "../packages/controller/src/config/schema.ts";
import { specFrontMatterSchema } from "../packages/spec/src/parse/front-matter.ts";
import { describeRules } from "../packages/spec/src/report-problems.ts";
import { renderStateMachines } from "./state-machines/render.ts";

/** Writes what is derived from the code; with --check only says what is not up to date. */
const documents: readonly { path: string; text: string }[] = [
  { path: "docs/state-machines.md", text: renderStateMachines() },
  { path: "docs/lint-rules.md", text: describeRules() },
  { path: "docs/schema/spec.json", text: asJson(specFrontMatterSchema()) },
  { path: "docs/schema/dispatch.json", text: asJson(Factory.toJSONSchema({ io: "input" })) },
  { path: "docs/schema/nodes.json", text: asJson(Nodes.toJSONSchema({ io: "input" })) },
  { path: "docs/schema/repository-policy.json", text: asJson(RepositoryPolicy.toJSONSchema({ io: "input" })) },
];

function asJson(schema: unknown): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function readIfAny(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

for (const { path, text } of documents) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  if (process.argv.includes("--check")) {
    if (readIfAny(file) === text) continue;
    console.error(`${path} is not what the code says; run: npm run generate`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

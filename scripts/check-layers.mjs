import { builtinModules } from "node:module";
import { posix } from "node:path";
import { isTestFile, readJson, readText, roomNames, runWhenMain, sourceFiles } from "./repository-files.mjs";

const scope = "@dispatch/";
const builtins = new Set(builtinModules);

/** Where the rooms differ from layers.json: in their dependencies, their tsconfig references and their imports. */
export function checkLayers(root) {
  const table = readJson(root, "layers.json");
  const rooms = roomNames(root);
  const problems = checkTable(table, rooms);
  const referenced = referencesOf(readJson(root, "tsconfig.json"), "packages/");
  problems.push(...compareSets("tsconfig.json", "references", referenced, rooms));
  for (const room of rooms) {
    const row = table[room];
    if (row !== undefined) problems.push(...checkManifest(root, room, row), ...checkImports(root, room, row));
  }
  return problems;
}

/** Arrows point to earlier rows; on the layers of adapters none points sideways. */
function checkTable(table, rooms) {
  const problems = compareSets("layers.json", "rooms", Object.keys(table), rooms);
  const earlier = new Set();
  for (const [room, row] of Object.entries(table)) {
    for (const name of row.imports) {
      if (!earlier.has(name)) problems.push(`layers.json: ${room} imports ${name}, which is not an earlier row`);
      else if (table[name].layer === row.layer && row.layer < 3) problems.push(`layers.json: ${room} imports ${name} of the same layer`);
    }
    earlier.add(room);
  }
  return problems;
}

function checkManifest(root, room, row) {
  const problems = [];
  const manifestPath = `packages/${room}/package.json`;
  const manifest = readJson(root, manifestPath);
  if (manifest.name !== scope + room) problems.push(`${manifestPath}: the name is ${manifest.name}; should be ${scope}${room}`);
  const dependencies = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies });
  const siblings = dependencies.filter((name) => name.startsWith(scope)).map((name) => name.slice(scope.length));
  problems.push(...compareSets(manifestPath, "dependencies", siblings, row.imports));

  const configPath = `packages/${room}/tsconfig.json`;
  const config = readJson(root, configPath);
  problems.push(...compareSets(configPath, "references", referencesOf(config, "../"), row.imports));
  const { types, lib } = config.compilerOptions ?? {};
  if (row.pure && (types ?? []).length > 0) problems.push(`${configPath}: ${room} is pure; "types" must be empty, has ${types.join(", ")}`);
  if (row.pure && lib !== undefined) problems.push(`${configPath}: ${room} is pure; "lib" comes from tsconfig.base.json`);
  if (config.extends !== "../../tsconfig.base.json") problems.push(`${configPath}: does not extend ../../tsconfig.base.json`);
  return problems;
}

function checkImports(root, room, row) {
  const problems = [];
  const folder = `packages/${room}`;
  const allowed = new Set(row.imports);
  for (const path of sourceFiles(root, `${folder}/src`)) {
    for (const { specifier, line } of importsOf(readText(root, path))) {
      const where = `${path}:${line}`;
      if (specifier.startsWith(scope)) {
        const name = specifier.slice(scope.length).split("/")[0];
        if (!allowed.has(name)) problems.push(`${where}: ${room} may not import ${name}; allowed: ${row.imports.join(", ") || "nothing"}`);
      } else if (specifier.startsWith(".")) {
        const target = posix.join(posix.dirname(path), specifier);
        const inside = target.startsWith(`${folder}/`) || (isTestFile(path) && target.startsWith("test/"));
        if (!inside) problems.push(`${where}: ${specifier} leaves the room`);
      } else if (row.pure && !isTestFile(path) && (specifier.startsWith("node:") || builtins.has(specifier))) {
        problems.push(`${where}: ${room} is pure and may not import ${specifier}`);
      }
    }
  }
  return problems;
}

const importPattern = /(?:^|[^\w$.])(?:from|import|require)\s*\(?\s*(["'])([^"'\n]+)\1/g;

/** Module specifiers named in import, export-from, import() and require(), with their 1-based lines. */
export function importsOf(text) {
  const found = [];
  for (const match of text.matchAll(importPattern)) {
    const line = text.slice(0, match.index + match[0].length).split("\n").length;
    found.push({ specifier: match[2], line });
  }
  return found;
}

function referencesOf(config, prefix) {
  return (config.references ?? []).map((reference) => reference.path.replace(prefix, ""));
}

function compareSets(path, what, have, want) {
  const problems = [];
  for (const name of want) if (!have.includes(name)) problems.push(`${path}: ${what} lack ${name}`);
  for (const name of have) if (!want.includes(name)) problems.push(`${path}: ${what} have ${name}, which layers.json or packages/ does not`);
  return problems;
}

runWhenMain(import.meta.url, checkLayers);

import { readText, roomNames, runWhenMain, sourceFiles } from "./repository-files.mjs";

const document = "docs/architecture.md";

/** Functions that docs/architecture.md names as `name()` and no room exports. */
export function checkWalk(root) {
  const exported = new Set();
  for (const room of roomNames(root)) {
    for (const path of sourceFiles(root, `packages/${room}/src`)) {
      for (const name of exportsOf(readText(root, path))) exported.add(name);
    }
  }
  const problems = [];
  let named = 0;
  for (const [i, line] of readText(root, document).split("\n").entries()) {
    for (const match of line.matchAll(/`([A-Za-z_$][\w$]*)\(\)`/g)) {
      named++;
      if (!exported.has(match[1])) problems.push(`${document}:${i + 1}: no room exports a function ${match[1]}`);
    }
  }
  if (named === 0) problems.push(`${document}: names no function as \`name()\`; the walk is gone`);
  return problems;
}

/** Names that a source declares and exports at once. */
export function exportsOf(text) {
  return [...text.matchAll(/^export (?:async )?(?:function\*? |const |class |abstract class )([\w$]+)/gm)].map((match) => match[1]);
}

runWhenMain(import.meta.url, checkWalk);

import { missingOptional } from "./complete-lockfile.mjs";
import { isTestFile, readJson, readText, roomNames, runWhenMain, sourceFiles } from "./repository-files.mjs";

/**
 * Words that may not stand in a source. `applies` picks the files, `allow` names the
 * places where the word is right, each with its reason.
 */
const rules = [
  {
    pattern: /\bDate\.now\b|\bnew Date\(|\bMath\.random\b/,
    why: "a pure room takes time and chance as arguments",
    applies: (path, pure) => pure.has(roomOf(path)) && !isTestFile(path),
    allow: [],
  },
  {
    pattern: /\bprocess\.env\b|\bprocess\s*\[\s*["']env["']\s*\]|import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*["']node:process["']/,
    why: "configuration is resolved once, in controller/src/config; hand the value in",
    applies: (path) => path.startsWith("packages/") && !isTestFile(path),
    allow: [
      { start: "packages/controller/src/config", because: "the one place that resolves configuration" },
      { start: "packages/cli/src/", because: "the door: finds the factory and the terminal" },
      { start: "packages/fleet/src/transport/local-transport.ts", because: "a host process inherits the environment of whoever starts it" },
      {
        start: "packages/git/src/create-repositories.ts",
        because: "towards origin git needs the person's own settings, agents and credential helpers",
      },
      { start: "packages/worker/src/", because: "a program of its own on the node: builds the allow-listed environment of agents" },
    ],
  },
  {
    pattern: /\bvi\s*\.\s*(?:mock|doMock|hoisted)\b/,
    why: "doubles implement ports; modules are not mocked",
    applies: () => true,
    allow: [],
  },
  {
    // A mark stands in a comment; texts that forbid such marks do not count.
    pattern: /(?:^\s*(?:\/\/|\/?\*)|[;{})]\s+\/\/).*\b(?:TODO|FIXME|XXX|HACK)\b/,
    why: "open ends belong into an issue",
    applies: () => true,
    allow: [
      { start: "packages/gates/src/", because: "the placeholder gate speaks of these words" },
      { start: "test/golden/", because: "planted changes" },
    ],
  },
  {
    pattern: /^(?!\s*(?:\/\/|\/?\*)).*rehears/i,
    why: "the product does not know the scripted agent (docs/adr/0009); it is an ordinary command",
    applies: (path) => path.startsWith("packages/") && !isTestFile(path),
    allow: [],
  },
  {
    pattern: /\b(?:describe|test|it|suite)\.(?:only|skip|todo)\b/,
    why: "a test runs, or it goes",
    applies: (path) => /\.test\.ts$/.test(path),
    allow: [{ start: "packages/gates/src/", because: "the tampering gates read such text as data" }],
  },
];

/** Forbidden words in the sources of rooms and tests, and registry hosts in package-lock.json. */
export function checkWords(root) {
  const layers = readJson(root, "layers.json");
  const pure = new Set(Object.keys(layers).filter((room) => layers[room].pure));
  const paths = roomNames(root).flatMap((room) => sourceFiles(root, `packages/${room}/src`));
  paths.push(...sourceFiles(root, "test"));
  const problems = checkLockfile(root);
  for (const path of paths) {
    const active = rules.filter((rule) => rule.applies(path, pure) && !rule.allow.some(({ start }) => path.startsWith(start)));
    for (const [i, line] of readText(root, path).split("\n").entries()) {
      for (const rule of active) {
        const found = rule.pattern.exec(line);
        if (found !== null) problems.push(`${path}:${i + 1}: ${found[0].trim()}; ${rule.why}`);
      }
    }
  }
  return problems;
}

/** A lockfile that names a host ties everybody to that registry; one that lacks a platform's package is refused by npm ci. */
function checkLockfile(root) {
  const { packages } = readJson(root, "package-lock.json");
  const hosts = Object.entries(packages)
    .filter(([, entry]) => /^\w+:/.test(entry.resolved ?? ""))
    .map(([name, entry]) => `package-lock.json: ${name} names ${entry.resolved}; run npm with --omit-lockfile-registry-resolved`);
  const lacking = missingOptional(packages).map(({ place }) => `package-lock.json: lacks ${place}; run: node scripts/complete-lockfile.mjs`);
  return [...hosts, ...lacking];
}

function roomOf(path) {
  return path.startsWith("packages/") ? path.split("/")[1] : "";
}

runWhenMain(import.meta.url, checkWords);

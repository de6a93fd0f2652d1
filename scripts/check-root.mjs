import { runWhenMain, trackedFiles } from "./repository-files.mjs";

const allowed = new Set([
  ".ci",
  ".gitignore",
  ".npmrc",
  ".oxlintrc.json",
  "AGENTS.md",
  "CHANGELOG.md",
  "CLAUDE.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "biome.json",
  "bootstrap",
  "dispatch.yaml",
  "docs",
  "inputs",
  "knip.json",
  "layers.json",
  "nodes.json",
  "package-lock.json",
  "package.json",
  "packages",
  "prompts",
  "run.sh",
  "scripts",
  "specs",
  "test",
  "tsconfig.base.json",
  "tsconfig.json",
  "turbo.json",
  "vitest.config.ts",
]);

/** Tracked entries of the top folder that nobody agreed on. */
export function checkRoot(root) {
  const files = trackedFiles(root);
  if (files === undefined) return [`${root} is not a git repository; check-root looks at tracked files only`];
  const entries = new Set(files.map((path) => path.split("/")[0]));
  return [...entries].filter((entry) => !allowed.has(entry)).map((entry) => `${entry}: not on the allow-list of scripts/check-root.mjs`);
}

runWhenMain(import.meta.url, checkRoot);

import { coversPath, type Finding, type Oid, protectedPaths } from "@dispatch/core";
import type { Change } from "./change.ts";
import { quoteLine } from "./clean-output.ts";
import { changedScripts } from "./package-scripts.ts";
import type { GateInput } from "./policy.ts";

const node = /(?:^|\/)(?:package\.json|pnpm-workspace\.yaml|\.npmrc|\.yarnrc\.yml)$/;
/** By the lockfile's name, what people write and tools make the lockfile from. */
const manifests: readonly (readonly [lockfile: RegExp, manifest: RegExp, name: string])[] = [
  [/(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?)$/, node, "package.json"],
  [
    /(?:^|\/)(?:poetry|uv|pdm)\.lock$|(?:^|\/)Pipfile\.lock$/,
    /(?:^|\/)(?:pyproject\.toml|Pipfile|setup\.(?:py|cfg)|requirements[\w.-]*\.(?:txt|in))$/,
    "pyproject.toml",
  ],
  [/(?:^|\/)go\.(?:work\.)?sum$/, /(?:^|\/)go\.(?:mod|work)$/, "go.mod"],
  [/(?:^|\/)Cargo\.lock$/, /(?:^|\/)Cargo\.toml$/, "Cargo.toml"],
  [/(?:^|\/)Gemfile\.lock$/, /(?:^|\/)(?:Gemfile|[\w.-]+\.gemspec)$/, "Gemfile"],
  [/(?:^|\/)composer\.lock$/, /(?:^|\/)composer\.json$/, "composer.json"],
  [/(?:^|\/)(?:gradle|buildscript-gradle)\.lockfile$/, /\.gradle(?:\.kts)?$|(?:^|\/)libs\.versions\.toml$/, "build.gradle"],
  [/(?:^|\/)Package\.resolved$/, /(?:^|\/)Package\.swift$/, "Package.swift"],
  [/(?:^|\/)Podfile\.lock$/, /(?:^|\/)Podfile$/, "Podfile"],
  [/(?:^|\/)packages\.lock\.json$/, /\.csproj$|(?:^|\/)Directory\.Packages\.props$/, "the project file"],
  [/(?:^|\/)mix\.lock$/, /(?:^|\/)mix\.exs$/, "mix.exs"],
  [/(?:^|\/)(?:deno\.lock)$/, /(?:^|\/)(?:deno\.jsonc?|package\.json|import_map\.json)$/, "deno.json"],
  [/(?:^|\/)flake\.lock$/, /(?:^|\/)flake\.nix$/, "flake.nix"],
];

/** G06: what decides what is run, tested and trusted. An agent may not change it unless a person has said so. */
export function judgeProtected({ changes, policy, texts }: Pick<GateInput, "changes" | "policy" | "texts">): Finding[] {
  const guards = [...protectedPaths, ...policy.protectedPaths];
  return changes.flatMap((change) => {
    const guard = guards.find((pattern) => coversPath(pattern, change.path));
    if (guard !== undefined) return [guarded(change, guard)];
    const lock = lockfileFinding(change, changes);
    if (lock !== undefined) return [lock];
    return scriptsFinding(change, texts);
  });
}

/** Blobs whose whole texts G06 compares. */
export function manifestsToRead(changes: readonly Change[]): Oid[] {
  return changes.filter(({ path, kind }) => isScriptFile(path) && kind !== "deleted").flatMap(({ oldOid, newOid }) => [oldOid, newOid]);
}

function isScriptFile(path: string): boolean {
  return /(?:^|\/)(?:package|composer)\.json$/.test(path);
}

function guarded({ path }: Change, guard: string): Finding {
  return {
    gate: "G06",
    severity: "block",
    path: quoteLine(path),
    found: `a protected path (${guard})`,
    why: "this decides what is run, tested or trusted; who is judged by it may not change it",
    hint: waiverHint("put it back as it was at the base", path),
  };
}

function lockfileFinding(change: Change, changes: readonly Change[]): Finding | undefined {
  const entry = manifests.find(([lockfile]) => lockfile.test(change.path));
  if (entry === undefined || changes.some(({ path }) => entry[1].test(path))) return undefined;
  return {
    gate: "G06",
    severity: "block",
    path: quoteLine(change.path),
    found: `the lockfile was changed, and no ${entry[2]} was`,
    why: "other versions of dependencies come in that nobody has asked for",
    hint: waiverHint("put it back as it was at the base", change.path),
  };
}

function scriptsFinding(change: Change, texts: ReadonlyMap<Oid, string>): Finding[] {
  if (!isScriptFile(change.path) || change.kind === "deleted" || change.kind === "mode-changed") return [];
  const scripts = changedScripts(change.kind === "added" ? "{}" : texts.get(change.oldOid), texts.get(change.newOid));
  const fresh = change.kind === "added";
  const named = scripts === "unreadable" ? [] : scripts.filter((name) => !fresh || /^(?:pre|post)?install$|^prepare$|^post-\w+-cmd$/.test(name));
  if (scripts !== "unreadable" && named.length === 0) return [];
  const what =
    scripts === "unreadable"
      ? "it cannot be read as JSON"
      : `scripts were ${fresh ? "added that run by themselves" : "changed"}: ${quoteLine(named.join(", "))}`;
  const line = change.addedLines.find(({ text }) => named.some((name) => text.includes(`"${name}"`)))?.line;
  return [
    {
      gate: "G06",
      severity: "block",
      path: quoteLine(change.path),
      ...(line === undefined ? {} : { line }),
      found: what,
      why: "scripts of a package are run by verify commands and by installing; who is judged by them may not change them",
      hint: waiverHint("put the scripts back as they were", change.path),
    },
  ];
}

function waiverHint(undo: string, path: string): string {
  return `${undo}; if the task needs it, the lead must say so in the spec: waivers: [{gate: G06, paths: ["${quoteLine(path)}"], because: …}]`;
}

import { coversAny, type Finding, type TaskSpec } from "@dispatch/core";
import { type Change, submoduleMode, symlinkMode } from "./change.ts";
import { quoteLine } from "./clean-output.ts";
import { isSourceLanguage, languageOf } from "./language.ts";
import type { GateInput } from "./policy.ts";

const vendored =
  /(?:^|\/)(?:node_modules|bower_components|vendor|third_party|Pods|Carthage|site-packages|\.venv|venv|__pycache__|\.tox|\.gradle|\.yarn\/(?:cache|unplugged)|\.pnpm-store)\//;
/** Folders that tools write, wherever people keep their sources. */
const built =
  /(?:^|\/)(?:dist|htmlcov|\.next|\.nuxt|\.output|\.turbo|\.parcel-cache|\.pytest_cache|\.mypy_cache|\.ruff_cache|\.nyc_output|\.eggs)\/|\.egg-info\//;
/** Folders that tools write, and that people write programs and pages for building in. */
const sometimesBuilt = /(?:^|\/)(?:build|target|coverage|out|obj)\//;
const ownSource = /(?:^|\/)(?:src|lib|app|pkg|internal|cmd|packages|crates|test|tests|docs)\/.*(?:^|\/)(?:dist|build|target|coverage|out|obj)\//;
const product =
  /\.(?:min\.(?:js|css|mjs)|bundle\.js|pyc|pyo|class|o|obj|so|dylib|dll|exe|jar|war|wasm|a|lib|tsbuildinfo|log|tmp|swp|orig|rej|bak)$|(?:^|\/)(?:\.DS_Store|Thumbs\.db|core\.\d+)$/;
/** What generators write at the head of a file. */
const generatedHead = /@generated\b|\bcode generated\b.*\bdo not edit\b|\b(?:auto-?generated|automatically generated)\b.*\b(?:do not|don't)\b/i;
const lockfile = /(?:^|\/)(?:[\w.-]*lock[\w.-]*|go\.sum|[\w.-]+\.resolved)$/i;

/** G09: what makes a repository heavy and shows nobody anything: binaries, products of tools, trees of others, large files. */
export function judgeWeight({ spec, changes, policy }: Pick<GateInput, "spec" | "changes" | "policy">): Finding[] {
  const files = changes.filter(
    ({ kind, newMode }) => kind !== "deleted" && kind !== "mode-changed" && newMode !== submoduleMode && newMode !== symlinkMode,
  );
  return files.flatMap((change) => {
    if (isNamed(change, spec)) return tooLarge(change, policy.maxFileBytes);
    const weight = weightOf(change, files);
    return weight === undefined ? tooLarge(change, policy.maxFileBytes) : [weightFinding(change, weight)];
  });
}

/** By its whole path, or by a pattern that ends in its kind: who wrote the spec meant exactly such a file. */
function isNamed({ path }: Change, spec: TaskSpec): boolean {
  const dot = path.lastIndexOf(".");
  const kind = dot < 0 ? undefined : path.slice(dot);
  const entries = [...spec.creates, ...spec.modifies];
  return entries.some(
    (entry) => entry === path || (kind !== undefined && kind.includes("/") === false && entry.endsWith(`*${kind}`) && coversAny([entry], path)),
  );
}

interface Weight {
  what: string;
  hint: string;
}

function weightOf(change: Change, files: readonly Change[]): Weight | undefined {
  const { path, kind } = change;
  if (vendored.test(path))
    return {
      what: "a file of a vendored tree or of an installed environment",
      hint: "remove it; name the dependency in the manifest, and let .gitignore keep the folder out",
    };
  if (kind === "added" && (product.test(path) || isBuilt(path)))
    return { what: "a product of a build or of a tool", hint: "remove it, and let .gitignore keep it out" };
  // Source that git cannot show is G02's.
  if (change.binary && !isSourceLanguage(languageOf(path)))
    return { what: "a binary file", hint: "remove it; if the task needs it, the lead must name its path under creates or modifies in the spec" };
  if (kind === "added" && isGenerated(change) && !comesWithItsSource(change, files))
    return {
      what: "a generated file without the source it comes from",
      hint: "remove it, and generate it where it is built; if the project keeps it, the lead must name its path under creates in the spec",
    };
  return undefined;
}

function isBuilt(path: string): boolean {
  if (ownSource.test(path)) return false;
  if (built.test(path)) return true;
  return sometimesBuilt.test(path) && ["generated", "markup", "data"].includes(languageOf(path)) && !/(?:^|\/)package\.json$/.test(path);
}

function isGenerated({ addedLines }: Change): boolean {
  return addedLines.slice(0, 10).some(({ text }) => text.length < 500 && generatedHead.test(text));
}

/** `post.proto` beside `post.pb.go`: the same change holds what it was made from. */
function comesWithItsSource(change: Change, files: readonly Change[]): boolean {
  const stem = stemOf(change.path);
  return files.some((other) => other !== change && stemOf(other.path) === stem && !isGenerated(other) && languageOf(other.path) !== "generated");
}

function stemOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  return name.replace(/\..*$/, "").replace(/^(?:mock_|zz_generated_?)|(?:_pb2(?:_grpc)?|_grpc|_gen|_generated|_string|_mock)$/g, "");
}

function tooLarge(change: Change, limit: number): Finding[] {
  const { path, bytes } = change;
  if (bytes.after <= limit || (change.kind === "modified" && bytes.before > limit) || lockfile.test(path)) return [];
  const size = `${Math.ceil(bytes.after / 1024)} KiB (at most ${Math.floor(limit / 1024)} KiB)`;
  return [
    weightFinding(change, {
      what: `a file of ${size}`,
      hint: "make it smaller, or keep it outside of the repository; the lead can raise gates.max_file_kb, or waive G09 for this path",
    }),
  ];
}

function weightFinding({ path }: Change, { what, hint }: Weight): Finding {
  return {
    gate: "G09",
    severity: "block",
    path: quoteLine(path),
    found: what,
    why: "it stays in the history for ever, and no one can read in a review what it holds",
    hint,
  };
}

/** Paths that exist in the projects of a simulation, and that agents change. */
export const workingPaths: readonly string[] = [
  "src/a.ts",
  "src/b.ts",
  "src/c.js",
  "src/ui/a.ts",
  "src/ui/b.css",
  "src/ui/deep/a.ts",
  "lib/a.ts",
  "lib/b.ts",
  "lib/ui/a.ts",
  "docs/a.md",
  "docs/b.md",
  "README.md",
  "api.yaml",
];

/** The file that projects with a shared contract name as it. */
export const contractPath = "api.yaml";

/** Every entry that a spec of a simulation may hold, with what it covers: written by hand, apart from the product's matcher. */
const covers: Readonly<Record<string, RegExp>> = {
  "src/a.ts": /^src\/a\.ts(\/|$)/,
  "src/b.ts": /^src\/b\.ts(\/|$)/,
  "src/c.js": /^src\/c\.js(\/|$)/,
  "src/ui/a.ts": /^src\/ui\/a\.ts(\/|$)/,
  "src/ui/b.css": /^src\/ui\/b\.css(\/|$)/,
  "lib/a.ts": /^lib\/a\.ts(\/|$)/,
  "lib/b.ts": /^lib\/b\.ts(\/|$)/,
  "docs/a.md": /^docs\/a\.md(\/|$)/,
  "docs/b.md": /^docs\/b\.md(\/|$)/,
  "README.md": /^README\.md(\/|$)/,
  "api.yaml": /^api\.yaml(\/|$)/,
  src: /^src(\/|$)/,
  "src/ui/": /^src\/ui(\/|$)/,
  "lib/ui": /^lib\/ui(\/|$)/,
  docs: /^docs(\/|$)/,
  "src/*.ts": /^src\/[^/]*\.ts$/,
  "src/**/*.ts": /^src\/(.*\/)?[^/]*\.ts$/,
  "src/ui/**": /^src\/ui(\/|$)/,
  "**/a.ts": /^(.*\/)?a\.ts$/,
  "lib/[ab].ts": /^lib\/[ab]\.ts$/,
  "lib/?.ts": /^lib\/[^/]\.ts$/,
  "docs/**": /^docs(\/|$)/,
  "docs/*.md": /^docs\/[^/]*\.md$/,
  "**/*.md": /^(.*\/)?[^/]*\.md$/,
};

export const entries: readonly string[] = Object.keys(covers);

/** Paths that show any two entries to overlap that can: also files below what is a file today. */
const witnesses: readonly string[] = [
  ...workingPaths,
  ...entries.filter((entry) => !/[*?[]/.test(entry)).flatMap((entry) => below(entry.replace(/\/$/, ""))),
];

function below(path: string): string[] {
  return [path, `${path}/a.ts`, `${path}/x.md`, `${path}/ui/a.ts`];
}

const overlaps = new Map<string, Map<string, boolean>>();

/** Whether one path could be covered by both entries. */
export function entriesMeet(left: string, right: string): boolean {
  const row = overlaps.get(left) ?? new Map<string, boolean>();
  overlaps.set(left, row);
  const known = row.get(right);
  if (known !== undefined) return known;
  const meet = witnesses.some((path) => entryCovers(left, path) && entryCovers(right, path));
  row.set(right, meet);
  return meet;
}

export function entryCovers(entry: string, path: string): boolean {
  const pattern = covers[entry];
  if (pattern === undefined) throw new Error(`no rule for ${entry}`);
  return pattern.test(path);
}

/** Working paths that a spec with these entries may change. */
export function ownedPaths(owned: readonly string[]): string[] {
  return workingPaths.filter((path) => owned.some((entry) => entryCovers(entry, path)));
}

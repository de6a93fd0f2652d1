/** Names of the scripts (and hook settings) that two versions of a package.json or composer.json differ in. */
export function changedScripts(before: string | undefined, after: string | undefined): readonly string[] | "unreadable" {
  const [old, now] = [read(before), read(after)];
  if (old === undefined || now === undefined) return "unreadable";
  return [...new Set([...old.keys(), ...now.keys()])].filter((name) => old.get(name) !== now.get(name)).sort();
}

/** Settings outside of `scripts` that name commands which run by themselves. */
const hooks = ["husky", "lint-staged", "simple-git-hooks", "pre-commit", "gitHooks"];

function read(text: string | undefined): Map<string, string> | undefined {
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    if (!isRecord(parsed)) return undefined;
    const scripts = isRecord(parsed["scripts"]) ? Object.entries(parsed["scripts"]) : [];
    const settings = hooks.flatMap((name) => (parsed[name] === undefined ? [] : [[name, parsed[name]] as const]));
    return new Map([...scripts, ...settings].map(([name, value]) => [name, JSON.stringify(value)]));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

import { isMap, isScalar, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import type { ConfigProblem } from "./problem.ts";

export type Read<T> = { value: T } | { problems: ConfigProblem[] };

/** Reads YAML (or JSON, which is YAML) and checks it; every problem at once, each with its place. */
export function readConfig<T>(schema: z.ZodType<T>, file: string, text: string): Read<T> {
  const lines = new LineCounter();
  const document = parseDocument(text.replace(/^\uFEFF/, ""), { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  if (document.errors.length > 0) {
    return {
      problems: document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return { file: `${file}:${line}:${col}`, path: "(syntax)", message: firstLine(error.message), hint: hintForSyntax(text, line) };
      }),
    };
  }
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    return {
      problems: [
        {
          file,
          path: "(syntax)",
          message: error instanceof Error ? firstLine(error.message) : String(error),
          hint: "write the values out instead of using anchors",
        },
      ],
    };
  }
  const parsed = schema.safeParse(data);
  if (parsed.success) return { value: parsed.data };
  return { problems: parsed.error.issues.flatMap((issue) => describeIssue(issue, file, data, place)) };

  function place(path: readonly PropertyKey[]): string {
    let node: unknown = document.contents;
    let offset: number | undefined;
    for (const key of path) {
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
        if (isScalar(pair?.key)) offset = pair.key.range?.[0] ?? offset;
        node = pair?.value;
      } else node = document.getIn([...path.slice(0, path.indexOf(key) + 1)], true);
    }
    if (offset === undefined) return file;
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  }
}

type Issue = z.core.$ZodIssue;

function describeIssue(issue: Issue, file: string, data: unknown, place: (path: readonly PropertyKey[]) => string): ConfigProblem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      file: place([...issue.path, key]),
      path: pathText([...issue.path, key]),
      message: "is not a known key",
      hint: "remove it, or see docs/configuration.md for the keys",
    }));
  }
  if (issue.code === "invalid_union") {
    const deepest = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0];
    if (deepest !== undefined && deepest.path.length > 0)
      return describeIssue({ ...deepest, path: [...issue.path, ...deepest.path] } as Issue, file, data, place);
  }
  const got = valueAt(data, issue.path);
  const missing = got === undefined;
  return [
    {
      file: place(issue.path),
      path: pathText(issue.path),
      message: missing ? "is missing" : `${lowerFirst(issue.message)}; got ${JSON.stringify(got).slice(0, 80)}`,
      hint: hintFor(issue, missing),
    },
  ];
}

function hintFor(issue: Issue, missing: boolean): string {
  const name = String(issue.path.at(-1) ?? "");
  if (issue.code === "invalid_value") return `one of: ${issue.values.map(String).join(", ")}`;
  if (name === "verify") return 'a command, for example verify: "./run.sh test"';
  if (name === "command") return 'a list, for example command: ["my-agent", "{promptFile}"]';
  if (name === "version") return "version: 1";
  if (issue.code === "too_small" || issue.code === "too_big") return "a value within the limits";
  return missing ? `add ${name}` : "see docs/configuration.md";
}

function hintForSyntax(text: string, line: number): string {
  const row = text.split(/\r?\n/)[line - 1] ?? "";
  return /^\s*\t/.test(row) ? "indent with spaces, not tabs" : "see that keys are followed by ': ' and that lists and quotes are closed";
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const key of path) value = typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined;
  return value;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "(top)" : path.map(String).join(".");
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? text;
}

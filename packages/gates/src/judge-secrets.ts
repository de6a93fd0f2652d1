import { type Finding, findSecret } from "@dispatch/core";
import type { ChangedLine } from "./change.ts";
import { quoteLine } from "./clean-output.ts";
import { isSourceLanguage, type Language, languageOf } from "./language.ts";
import type { GateInput } from "./policy.ts";

/** G08: credentials in added lines. One that stood in a removed line is old, and known already. */
export function judgeSecrets({ changes }: Pick<GateInput, "changes">): Finding[] {
  const old = new Set(changes.flatMap(({ path, removedLines }) => secretsIn(removedLines, languageOf(path)).map(({ value }) => value)));
  return changes.flatMap(({ path, addedLines }) =>
    secretsIn(addedLines, languageOf(path))
      .filter(({ value }) => !old.has(value))
      .map(({ line, what, value, by }) => ({
        gate: "G08" as const,
        severity: "block" as const,
        path: quoteLine(path),
        line,
        found: by === "form" ? `${what}: ${masked(value)}` : `a value that looks real behind ${quoteLine(what)}: ${masked(value)}`,
        why: "what is committed stays in the history and goes to everybody who can read it",
        hint: "read it from the environment or from a file that git ignores; a real one has to be revoked now, whatever becomes of this change",
      })),
  );
}

interface SecretLine {
  line: number;
  what: string;
  value: string;
  by: "form" | "name";
}

function secretsIn(lines: readonly ChangedLine[], language: Language): SecretLine[] {
  // Lockfiles and maps are full of digests; a key whose form is known is one there too.
  const quoted = isSourceLanguage(language) || language === "brace" || language === "markup" || language === "generated";
  return lines.flatMap(({ line, text }, i) => {
    const next = lines[i + 1];
    const found = findSecret(text, { quoted, next: next?.line === line + 1 ? next.text : "" });
    if (found === undefined || (language === "generated" && found.by === "name")) return [];
    return [{ line, what: found.what, value: found.value, by: found.by }];
  });
}

/** Enough to find it, not enough to use it. */
function masked(value: string): string {
  return `${quoteLine(value.slice(0, 4))}… (${value.length} characters)`;
}

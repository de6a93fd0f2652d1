import { findSecret } from "@dispatch/core";
import type { Problem } from "../problem.ts";
import { problemOn, type ReadableFile } from "./lint-facts.ts";

const destructive: readonly (readonly [string, RegExp])[] = [
  [
    "removes files outside of the work tree",
    /\brm\s+(?:-[A-Za-z]+\s+|--[a-z-]+\s+)*(?:-[A-Za-z]*[rR][A-Za-z]*|--recursive)\s+(?:-[A-Za-z]+\s+|--[a-z-]+\s+)*["']?(?:\/(?!tmp\/\w)|~|\$HOME|\$\{HOME\}|\.\.(?:\/|\s|$)|\*|\.(?:\s|$)|\.git\b)/,
  ],
  ["formats or overwrites a disk", /\bmkfs(?:\.\w+)?\s+\/|\bdd\s+[^\n|;]*\bof=\/dev\/(?!null)|>\s*\/dev\/(?:sd|nvme|hd|vd)\w*/],
  ["is a fork bomb", /:\(\)\s*\{\s*:\s*\|\s*:\s*&\s*\}\s*;\s*:/],
  ["rewrites published history", /\bgit\s+push\b[^\n|;&`]*(?:\s--force(?!-with-lease)\b|\s-[a-z]*f\b|\s--mirror\b|\s--delete\b|\s\+\w)/],
  ["throws work away", /\bgit\s+(?:reset\s+--hard\s+(?:origin|upstream)|clean\s+-[a-z]*f[a-z]*\s+\/|filter-branch|update-ref\s+-d)/],
  ["drops data", /\b(?:DROP\s+(?:DATABASE|SCHEMA)|TRUNCATE\s+TABLE|DELETE\s+FROM\s+\w+\s*(?:;|"|'|`|$))/i],
  ["drops data", /\b(?:dropdb|redis-cli\s+(?:-\S+\s+\S+\s+)*flush(?:all|db))\b/i],
  ["runs what it downloads", /\b(?:curl|wget)\b[^\n|;`]*\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b/],
  ["opens or gives away the file system", /\bch(?:mod|own)\s+(?:-[A-Za-z]+\s+)*-?R?[A-Za-z]*\s*(?:777\s+)?(?:-R\s+)?(?:\S+\s+)?\/(?:\s|$|["'`])/],
  ["stops the machine", /\b(?:shutdown\s+(?:-[hr]|now)|reboot\b(?=\s*(?:$|[;&|`"]))|init\s+0|halt\s+-f|systemctl\s+(?:poweroff|reboot))/],
  [
    "destroys infrastructure",
    /\b(?:terraform\s+destroy|kubectl\s+delete\s+(?:ns|namespace|pv|pvc|--all)|docker\s+system\s+prune\s+-[a-z]*a|aws\s+s3\s+r[bm]\s+[^\n]*--(?:recursive|force)|gcloud\s+projects\s+delete)\b/,
  ],
  ["kills processes of others", /\b(?:killall|pkill)\s+(?:-\S+\s+)*\w+|\bkill\s+-9\s+-1\b/],
];

/** SEC001, the separate scan over the whole file: values that look like secrets, and commands that destroy what is not the spec's. */
export function scanSecrets(file: ReadableFile): Problem[] {
  const { text, lines } = file.parsed;
  const ruledOut = new Set(lines.flatMap(({ kind, line }) => (kind === "do-not" ? [line] : [])));
  const rows = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  return rows.flatMap((row, i) => {
    const line = i + 1;
    const found = [...secretsIn(row, rows[i + 1]), ...(ruledOut.has(line) ? [] : destructionIn(row))];
    return found.map(({ at, code, message }) => problemOn(file, { line, column: at + 1 }, { id: "SEC001", code, message }));
  });
}

interface Found {
  at: number;
  code: "secret" | "destructive-command";
  message: string;
}

const longest = 2000;

function secretsIn(row: string, next: string | undefined): Found[] {
  const found = findSecret(row, { next: next ?? "" });
  if (found === undefined) return [];
  const said = found.by === "form" ? `this looks like ${found.what}` : `${found.what} is followed by what looks like a real value`;
  return [{ at: found.at, code: "secret", message: `${said}; name the environment variable instead, and change the value` }];
}

function destructionIn(row: string): Found[] {
  const text = row.slice(0, longest);
  return destructive.flatMap(([what, form]) => {
    const match = form.exec(text);
    return match === null
      ? []
      : [{ at: match.index, code: "destructive-command" as const, message: `"${match[0].trim().slice(0, 60)}" ${what}; no spec may do that` }];
  });
}

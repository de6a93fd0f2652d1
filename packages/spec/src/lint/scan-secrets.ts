import type { Problem } from "../problem.ts";
import { problemOn, type ReadableFile } from "./lint-facts.ts";

/** Values whose form alone gives them away. */
const secretForms: readonly (readonly [string, RegExp])[] = [
  ["a private key", /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----/],
  ["an AWS key id", /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/],
  ["a GitHub token", /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})/],
  ["a GitLab token", /\bglpat-[A-Za-z0-9_-]{20,}/],
  ["a Slack token", /\bxox[abprs]-[A-Za-z0-9-]{20,}/],
  ["a Stripe key", /\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}/],
  ["an API key", /\bsk-(?:ant-|proj-|or-)?[A-Za-z0-9_-]{24,}/],
  ["a Google API key", /\bAIza[0-9A-Za-z_-]{35}/],
  ["an npm token", /\bnpm_[A-Za-z0-9]{36}\b/],
  ["a JSON web token", /\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{15,}/],
  [
    "a password in a URL",
    /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@'"`<>]{1,60}:(?!(?:pass(?:word)?|secret|postgres|test|user|x+|\*+|\$)[^@\w]?@)[^\s:/@'"`<>${}]{6,80}@[\w.-]+/i,
  ],
];
/** A name that says secret, and a value: judged by how random the value is. */
const assignment =
  /\b([A-Za-z0-9_-]{0,40}(?:secret|token|passw(?:or)?d|passwd|api[_-]?key|access[_-]?key|private[_-]?key|credential)[A-Za-z0-9_-]{0,20})["'`]?\s*(?::|=|：)\s*["'`]?([A-Za-z0-9+/_=.~-]{16,200})/gi;
const placeholder =
  /^(?:x+|\*+|\.+)$|example|sample|dummy|placeholder|changeme|change-me|your[-_]|redacted|test|fake|demo|^[a-z]+(?:[-_.][a-z]+)*$|^(?:env|file|vault):/i;
const minEntropy = 3.6;

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
    const found = [...secretsIn(row), ...(ruledOut.has(line) ? [] : destructionIn(row))];
    return found.map(({ at, code, message }) => problemOn(file, { line, column: at + 1 }, { id: "SEC001", code, message }));
  });
}

interface Found {
  at: number;
  code: "secret" | "destructive-command";
  message: string;
}

const longest = 2000;

function secretsIn(row: string): Found[] {
  const text = row.slice(0, longest);
  for (const [what, form] of secretForms) {
    const match = form.exec(text);
    if (match !== null)
      return [{ at: match.index, code: "secret", message: `this looks like ${what}; name the environment variable instead, and change the value` }];
  }
  for (const match of text.matchAll(assignment)) {
    const value = match[2] ?? "";
    if (placeholder.test(value) || entropy(value) < minEntropy || /^[0-9a-f]{40}$|^[0-9a-f]{64}$/.test(value)) continue;
    return [
      {
        at: match.index,
        code: "secret",
        message: `${match[1]} is followed by what looks like a real value; name the environment variable instead, and change the value`,
      },
    ];
  }
  return [];
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

/** Bits of information per character. */
function entropy(value: string): number {
  const counts = new Map<string, number>();
  for (const char of value) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits;
}

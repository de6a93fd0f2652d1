/** A credential in a line of text. */
export interface FoundSecret {
  /** 0-based column. */
  at: number;
  /** What it looks like: `an AWS key id`, or the name that stands before it. */
  what: string;
  value: string;
  /** Its own form gives it away, or the name it is given to and how random it is. */
  by: "form" | "name";
}

/** Values whose form alone gives them away. */
const forms: readonly (readonly [string, RegExp])[] = [
  ["an AWS key id", /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/],
  ["a GitHub token", /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})/],
  ["a GitLab token", /\bgl(?:pat|dt|rt|ptt)-[A-Za-z0-9_-]{20,}/],
  ["a Slack token", /\bxox[abeoprs]-[A-Za-z0-9-]{20,}|\bxapp-\d-[A-Za-z0-9-]{20,}/],
  ["a Slack webhook", /hooks\.slack\.com\/(?:services|workflows)\/T[A-Z0-9]{6,}\/B?[A-Z0-9]{6,}\/[A-Za-z0-9]{16,}/],
  ["a Stripe key", /\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|\bwhsec_[A-Za-z0-9+/]{24,}/],
  ["an API key", /\bsk-(?:ant-|proj-|or-)?[A-Za-z0-9_-]{24,}/],
  ["a Google API key", /\bAIza[0-9A-Za-z_-]{35}/],
  ["a Google client secret", /\bGOCSPX-[A-Za-z0-9_-]{20,}/],
  ["an npm token", /\bnpm_[A-Za-z0-9]{36}\b/],
  ["a PyPI token", /\bpypi-AgE[A-Za-z0-9_-]{40,}/],
  ["a SendGrid key", /\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{32,}/],
  ["a Hugging Face token", /\bhf_[A-Za-z0-9]{30,}\b/],
  ["a DigitalOcean token", /\bdo[opr]_v1_[0-9a-f]{64}\b/],
  ["a Docker token", /\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}/],
  ["a Shopify token", /\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b/],
  ["a Telegram bot token", /\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b/],
  ["a Vault token", /\bhvs\.[A-Za-z0-9_-]{24,}/],
  ["an age key", /\bAGE-SECRET-KEY-1[0-9A-Z]{50,}/],
  ["an Azure storage key", /\bAccountKey=[A-Za-z0-9+/]{80,}={0,2}/],
  ["a JSON web token", /\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{15,}/],
];
const keyHeader = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----/;
/** What follows the header of a real key, on its line or below: a program that only looks for the header has none. */
const keyBody = /^(?:\\[nr]|["'`+,\s])*(?:[A-Za-z0-9+/=]{16,}|Proc-Type:|Version:)/;
const urlPassword = /\b[a-z][a-z0-9+.-]{1,20}:\/\/([^\s:/@'"`<>]{1,60}):([^\s:/@'"`<>${}]{6,80})@([\w.-]+)/i;
const ownMachine = /^(?:localhost|127\.|0\.0\.0\.0|host\.docker)|(?:^|\.)(?:example(?:\.\w+)?|test|invalid|local)$/i;
const weakPassword = /^[^@\w]*(?:pass(?:word)?|passwd|pwd|secret|postgres|test|user|root|admin|guest|changeme|token|x+|\*+)\d{0,4}[^@\w]*$/i;
/** A name that says secret, and a value: judged by how random the value is. */
const assignment =
  /\b([A-Za-z0-9_-]{0,40}(?:secret|token|passw(?:or)?d|passwd|api[_-]?key|access[_-]?key|private[_-]?key|credential)[A-Za-z0-9_-]{0,20})["'`]?\s*(?::|=|：)\s*(?:[\w<>[\]|&' ]{1,30}=\s*)?(["'`]?)([A-Za-z0-9+/_=.~-]{16,200})(["'`]?)/gi;
const placeholder =
  /^(?:x+|\*+|\.+)$|example|sample|dummy|placeholder|changeme|change-me|your[-_]|redacted|test|fake|mock|demo|^[a-z]+(?:[-_.][a-z]+)*$|^(?:env|file|vault):/i;
/** What examples in documentation are made of. */
const toy = /EXAMPLE|(.)\1{7}|x{6}|1234567890|0123456789|abcdefghij/;
const minEntropy = 3.6;
const longest = 2000;

/**
 * The first credential in a line. `next` is the line below, in which the body of a private key begins. With `quoted`
 * a value that a name gives away has to stand in quotes: in source code anything else is an expression.
 */
export function findSecret(line: string, { next = "", quoted = false }: { next?: string; quoted?: boolean } = {}): FoundSecret | undefined {
  const text = line.slice(0, longest);
  return byForm(text, next.slice(0, longest)) ?? byName(text, quoted);
}

function byForm(text: string, next: string): FoundSecret | undefined {
  for (const [what, form] of forms) {
    const match = form.exec(text);
    if (match !== null && !toy.test(match[0])) return { at: match.index, what, value: match[0], by: "form" };
  }
  const header = keyHeader.exec(text);
  if (header !== null) {
    const rest = text.slice(header.index + header[0].length);
    if (keyBody.test(/\w/.test(rest) ? rest : next)) return { at: header.index, what: "a private key", value: header[0], by: "form" };
  }
  const url = urlPassword.exec(text);
  const [, user = "", password = "", host = ""] = url ?? [];
  if (url === null || ownMachine.test(host) || weakPassword.test(password) || password === user || toy.test(password)) return undefined;
  return { at: url.index, what: "a password in a URL", value: url[0], by: "form" };
}

function byName(text: string, quoted: boolean): FoundSecret | undefined {
  for (const match of text.matchAll(assignment)) {
    const [, name = "", opening = "", value = "", closing = ""] = match;
    if (quoted && (opening === "" || closing !== opening)) continue;
    if (placeholder.test(value) || toy.test(value) || entropy(value) < minEntropy) continue;
    if (/^[0-9a-f]{40}$|^[0-9a-f]{64}$/.test(value) || !looksDrawn(value)) continue;
    return { at: match.index, what: name, value, by: "name" };
  }
  return undefined;
}

/** Names of things are words, with a number perhaps; in what was drawn at random letters and digits take turns. */
function looksDrawn(value: string): boolean {
  return value.split(/[-_./=]/).some((part) => part.length >= 10 && (part.match(/[A-Za-z](?=\d)|\d(?=[A-Za-z])/g) ?? []).length >= 3);
}

/** Bits of information per character. */
function entropy(value: string): number {
  const counts = new Map<string, number>();
  for (const char of value) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits;
}

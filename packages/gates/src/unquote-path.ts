const letters: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, "\\": 92 };

/**
 * The text of a path that git put in double quotes, and where it ends. `text` at `start` is the opening quote.
 * Undefined when the quote is never closed.
 */
export function unquotePath(text: string, start: number): { path: string; end: number } | undefined {
  let path = "";
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length > 0) path += decodeUtf8(bytes);
    bytes = [];
  };
  for (let i = start + 1; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '"') {
      flush();
      return { path, end: i + 1 };
    }
    if (char !== "\\") {
      flush();
      path += char;
      continue;
    }
    const octal = /^[0-3][0-7]{2}/.exec(text.slice(i + 1, i + 4))?.[0];
    if (octal !== undefined) {
      bytes.push(Number.parseInt(octal, 8));
      i += 3;
    } else {
      bytes.push(letters[text.charAt(i + 1)] ?? text.charCodeAt(i + 1) & 0xff);
      i += 1;
    }
  }
  return undefined;
}

/**
 * Bytes as text. Each maximal broken sequence becomes one U+FFFD, as in the decoder that reads git's output:
 * a path must come out the same from the quoted and from the NUL-separated form.
 */
export function decodeUtf8(bytes: readonly number[]): string {
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const { code, length } = decodeOne(bytes, i);
    text += String.fromCodePoint(code);
    i += length;
  }
  return text;
}

const broken = 0xfffd;

function decodeOne(bytes: readonly number[], at: number): { code: number; length: number } {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return { code: lead, length: 1 };
  const need = lead >= 0xc2 && lead <= 0xdf ? 1 : lead >= 0xe0 && lead <= 0xef ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
  if (need === 0) return { code: broken, length: 1 };
  let code = lead & (0x3f >> need);
  for (let k = 1; k <= need; k++) {
    const low = k === 1 ? (lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80) : 0x80;
    const high = k === 1 ? (lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf) : 0xbf;
    const byte = bytes[at + k];
    if (byte === undefined || byte < low || byte > high) return { code: broken, length: k };
    code = (code << 6) | (byte & 0x3f);
  }
  return { code, length: need + 1 };
}

export const tailBytes = 64 * 1024;

/** Keeps the end of a stream of bytes and counts all of it. */
export interface OutputTail {
  push(chunk: Buffer): void;
  total(): number;
  text(): string;
}

export function createOutputTail(): OutputTail {
  let chunks: Buffer[] = [];
  let kept = 0;
  let total = 0;
  return {
    push(chunk) {
      total += chunk.length;
      chunks.push(chunk);
      kept += chunk.length;
      // Trimmed at twice the size: each byte is copied at most a few times, however small the chunks are.
      if (kept > 4 * tailBytes || chunks.length > 1024) {
        const end = Buffer.from(Buffer.concat(chunks).subarray(-tailBytes));
        chunks = [end];
        kept = end.length;
      }
    },
    total: () => total,
    text: () => endAsText(Buffer.concat(chunks), tailBytes),
  };
}

/** The last bytes as text that takes at most `limit` bytes in UTF-8 and begins with a whole character. */
export function endAsText(bytes: Buffer, limit: number): string {
  let start = Math.max(0, bytes.length - limit);
  if (start > 0) while (start < bytes.length && isContinuation(bytes[start])) start++;
  let text = bytes.toString("utf8", start);
  // Bytes that are no UTF-8 grow when they are replaced.
  while (Buffer.byteLength(text) > limit) text = text.slice(Math.ceil((Buffer.byteLength(text) - limit) / 3));
  return text;
}

export function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

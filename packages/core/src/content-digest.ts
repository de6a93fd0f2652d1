/** 32 hex digits that differ when the text differs, for all but malice: a fingerprint to see changes by, not a seal. */
export function contentDigest(text: string): string {
  let a = 1779033703;
  let b = 3144134277;
  let c = 1013904242;
  let d = 2773480762;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = b ^ Math.imul(a ^ unit, 597399067);
    b = c ^ Math.imul(b ^ unit, 2869860233);
    c = d ^ Math.imul(c ^ unit, 951274213);
    d = a ^ Math.imul(d ^ unit, 2716044179);
  }
  a = Math.imul(c ^ (a >>> 18), 597399067);
  b = Math.imul(d ^ (b >>> 22), 2869860233);
  c = Math.imul(a ^ (c >>> 17), 951274213);
  d = Math.imul(b ^ (d >>> 19), 2716044179);
  return [a ^ b ^ c ^ d, b ^ a, c ^ a, d ^ a].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}

/** JSON with sorted keys, so that order and layout do not count. A value that holds itself is cut where it repeats. */
export function canonicalJson(value: unknown, around: readonly unknown[] = []): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (around.includes(value) || around.length > 200) return '"…"';
  const inside = [...around, value];
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, inside)).join(",")}]`;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item, inside)}`).join(",")}}`;
}

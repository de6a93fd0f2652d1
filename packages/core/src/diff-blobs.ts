import type { Oid } from "./ids.ts";

/** The blobs that the raw part of a diff names, before and after; a link to another repository names a commit and is left out. */
export function blobsInDiff(raw: string): Oid[] {
  const records = raw.matchAll(/(?:^|\0):(\d{6}) (\d{6}) ([0-9a-f]{40}) ([0-9a-f]{40}) /g);
  const sides = [...records].flatMap(([, oldMode = "", newMode = "", old = "", now = ""]) => [[oldMode, old] as const, [newMode, now] as const]);
  return [...new Set(sides.filter(([mode]) => mode.startsWith("10")).map(([, oid]) => oid))];
}

/** Bytes by blob, of those that are there, from what `git cat-file --batch-check` printed. */
export function sizesInAnswer(answer: string): Map<Oid, number> {
  return new Map([...answer.matchAll(/^([0-9a-f]{40}) blob (\d+)$/gm)].map(([, oid = "", bytes]) => [oid, Number(bytes)]));
}

/** The candidate that a person most probably meant, or undefined when none is close. */
export function suggestNearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = fold(word);
  let best: string | undefined;
  let limit = Math.max(1, Math.floor(word.length * 0.4)) + 1;
  for (const candidate of candidates) {
    const known = fold(candidate);
    const distance = wanted.length >= 3 && known !== wanted && known.startsWith(wanted) ? 1 : editDistance(wanted, known, limit);
    if (distance < limit) {
      best = candidate;
      limit = distance;
      if (distance === 0) break;
    }
  }
  return best;
}

/** The tracked path nearest to one that does not exist: the same name in another folder, or a name like it. */
export function suggestPath(path: string, files: readonly string[]): string | undefined {
  const name = baseName(path);
  const sameName = files.filter((file) => baseName(file) === name);
  if (sameName.length > 0) return suggestNearest(path, sameName) ?? sameName[0];
  const folder = path.slice(0, path.length - name.length);
  const inFolder = files.filter((file) => file.startsWith(folder) && !file.slice(folder.length).includes("/"));
  return (
    suggestNearest(name, inFolder.map(baseName))?.replace(/^/, folder) ??
    suggestNearest(
      path,
      files.filter((file) => Math.abs(file.length - path.length) <= 6),
    )
  );
}

/** ` did you mean "x"?` with the given opening, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>, opening = "; "): string {
  const near = suggestNearest(word, candidates);
  return near === undefined ? "" : `${opening}did you mean ${near}?`;
}

function fold(word: string): string {
  return word.toLowerCase().replace(/[-_ ]/g, "_");
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Levenshtein distance, or `limit` when it is at least that. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const swap = (previous[j - 1] ?? 0) + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1);
      const cost = Math.min(swap, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least >= limit) return limit;
    previous = row;
  }
  return previous[b.length] ?? limit;
}

/** Sum of the first groups of all lines that match; null when none does. */
export function sumOf(lines: readonly string[], pattern: RegExp): number | null {
  let sum: number | null = null;
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match !== null) sum = (sum ?? 0) + Number(match[1] ?? 0);
  }
  return sum;
}

/** Sum of the numbers before any of these words, as in `2 failed, 5 passed`. */
export function sumBefore(text: string, words: RegExp): number {
  return [...text.matchAll(/(?<!\d)(\d{1,9}) ([a-z]+)/g)].reduce((sum, [, digits, word]) => sum + (words.test(word ?? "") ? Number(digits) : 0), 0);
}

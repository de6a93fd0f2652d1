/** One JSON value as one line. */
export function encodeLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** Takes text in pieces and gives the complete lines; what follows the last line break waits for more. */
export interface LineSplitter {
  push(chunk: string): string[];
}

export function createLineSplitter(): LineSplitter {
  let waiting: string[] = [];
  return {
    push(chunk) {
      const lines = chunk.split("\n");
      const last = lines.pop() ?? "";
      if (lines.length > 0) {
        lines[0] = waiting.join("") + (lines[0] ?? "");
        waiting = [];
      }
      if (last !== "") waiting.push(last);
      return lines.filter((line) => line !== "");
    },
  };
}

/** The object on a line, or undefined when the line holds none. */
export function decodeLine(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

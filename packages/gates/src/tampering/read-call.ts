/** A call as it stands in a line: its name and the texts of its arguments. */
export interface Call {
  name: string;
  args: readonly string[];
  /** What follows the closing parenthesis. */
  rest: string;
}

const longest = 1000;

/** The first call whose name matches, when it ends on the same line. */
export function readCall(text: string, name: RegExp): Call | undefined {
  if (text.length > longest) return undefined;
  const match = name.exec(text);
  if (match === null) return undefined;
  const open = text.indexOf("(", match.index + match[0].length - 1);
  if (open < 0 || text.slice(match.index + match[0].length, open).trim() !== "") return undefined;
  const args: string[] = [];
  let depth = 0;
  let from = open + 1;
  let quote = "";
  for (let i = open; i < text.length; i++) {
    const char = text.charAt(i);
    if (quote !== "") {
      if (char === "\\") i += 1;
      else if (char === quote) quote = "";
    } else if (`"'\``.includes(char)) quote = char;
    else if ("([{".includes(char)) depth += 1;
    else if (")]}".includes(char)) {
      depth -= 1;
      if (depth > 0) continue;
      const last = text.slice(from, i).trim();
      if (last !== "") args.push(last);
      return { name: match[0].replace(/\($/, "").trim(), args, rest: text.slice(i + 1) };
    } else if (char === "," && depth === 1) {
      args.push(text.slice(from, i).trim());
      from = i + 1;
    }
  }
  return undefined;
}

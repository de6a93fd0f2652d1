/** One word of a shell command. */
export interface ShellWord {
  text: string;
  quoted: boolean;
  /** Whether the shell computes it, so that its value is not known. */
  computed: boolean;
}

/** A program with its arguments, as a shell would start it. */
export interface SimpleCommand {
  program: string;
  /** Without redirections. */
  words: readonly ShellWord[];
  /** Files it reads with `<`. */
  inputs: readonly string[];
  /** Files it writes with `>`. */
  outputs: readonly string[];
  /** Folder it runs in, below the repository root; null when that cannot be told. */
  cwd: string | null;
  /** Whether a `!` turns its result around. */
  negated: boolean;
}

type Token = { kind: "word"; word: ShellWord } | { kind: "break"; text: string } | { kind: "redirect"; text: string };

/** The programs a shell command starts, in order; `cd` is followed. A rough reading: what it cannot read it leaves out. */
export function readCommands(run: string, cwd = "."): SimpleCommand[] {
  const commands: SimpleCommand[] = [];
  let folder: string | null = cwd === "" ? "." : cwd;
  let words: ShellWord[] = [];
  let inputs: string[] = [];
  let outputs: string[] = [];
  let redirect = "";
  const finish = () => {
    const command = asCommand(words, { inputs, outputs, cwd: folder });
    if (command?.program === "cd") folder = enter(folder, command.words[1]);
    if (command !== undefined) commands.push(command);
    words = [];
    inputs = [];
    outputs = [];
  };
  for (const token of tokensOf(run)) {
    if (token.kind === "break") finish();
    else if (token.kind === "redirect") redirect = token.text;
    else if (redirect !== "") {
      if (!token.word.computed && !redirect.endsWith("&") && redirect !== "<<") (redirect.includes(">") ? outputs : inputs).push(token.word.text);
      redirect = "";
    } else words.push(token.word);
  }
  finish();
  return commands;
}

const wrappers = new Set(["time", "exec", "command", "nohup", "then", "do", "else", "if", "while", "until", "{", "env", "nice", "sudo"]);

function asCommand(
  all: readonly ShellWord[],
  where: { inputs: readonly string[]; outputs: readonly string[]; cwd: string | null },
): SimpleCommand | undefined {
  let negated = false;
  let i = 0;
  for (; i < all.length; i++) {
    const { text, quoted } = all[i] ?? { text: "", quoted: false };
    if (!quoted && text === "!") negated = !negated;
    else if (!quoted && text === "timeout") i += /^-/.test(all[i + 1]?.text ?? "") ? 2 : 1;
    else if (!/^[A-Za-z_][A-Za-z0-9_]*=/.test(text) && (quoted || !wrappers.has(text))) break;
  }
  const words = all.slice(i);
  const first = words[0];
  if (first === undefined || first.computed || first.text === "") return undefined;
  if (["for", "case", "function", "}", "fi", "done", "esac", "in"].includes(first.text)) return undefined;
  return { program: first.text, words, negated, ...where };
}

function enter(folder: string | null, into: ShellWord | undefined): string | null {
  if (folder === null || into === undefined || into.computed || into.text.startsWith("/") || into.text.startsWith("~")) return null;
  const parts = folder === "." ? [] : folder.split("/");
  for (const part of into.text.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.length === 0 ? "." : parts.join("/");
}

function tokensOf(run: string): Token[] {
  const tokens: Token[] = [];
  let word: ShellWord | null = null;
  const open = (): ShellWord => {
    word ??= { text: "", quoted: false, computed: false };
    return word;
  };
  const close = () => {
    if (word !== null) tokens.push({ kind: "word", word });
    word = null;
  };
  for (let i = 0; i < run.length; i++) {
    const char = run.charAt(i);
    if (char === "\\") {
      i += 1;
      if (run.charAt(i) !== "\n") open().text += run.charAt(i);
    } else if (char === "'" || char === '"') {
      const quoted = open();
      quoted.quoted = true;
      i = readQuoted(run, i, quoted);
    } else if (char === "$" || char === "`") {
      const computed = open();
      computed.computed = true;
      const end = endOfComputed(run, i);
      computed.text += run.slice(i, end + 1);
      i = end;
    } else if (char === " " || char === "\t") close();
    else if (char === "#" && word === null) {
      const end = run.indexOf("\n", i);
      i = end === -1 ? run.length : end - 1;
    } else if ("\n;|&()".includes(char)) {
      const before = tokens.at(-1);
      if (char === "&" && word === null && before?.kind === "redirect" && /[<>]$/.test(before.text)) {
        before.text += "&";
        continue;
      }
      if (char === "&" && run.charAt(i + 1) === ">") {
        close();
        continue;
      }
      close();
      tokens.push({ kind: "break", text: char });
    } else if (char === "<" || char === ">") {
      if (word !== null && /^\d$/.test((word as ShellWord).text)) word = null;
      close();
      const text = /^[<>]+/.exec(run.slice(i, i + 3))?.[0] ?? char;
      tokens.push({ kind: "redirect", text });
      i += text.length - 1;
    } else open().text += char;
  }
  close();
  return tokens;
}

/** Adds what stands in quotes to the word; the offset of the closing quote. */
function readQuoted(run: string, from: number, word: ShellWord): number {
  const mark = run.charAt(from);
  for (let i = from + 1; i < run.length; i++) {
    const char = run.charAt(i);
    if (char === mark) return i;
    if (char === "\\" && mark === '"') {
      i += 1;
      word.text += run.charAt(i);
      continue;
    }
    if (mark === '"' && (char === "$" || char === "`")) word.computed = true;
    word.text += char;
  }
  return run.length;
}

function endOfComputed(run: string, from: number): number {
  if (run.charAt(from) === "`") {
    const end = run.indexOf("`", from + 1);
    return end === -1 ? run.length : end;
  }
  const next = run.charAt(from + 1);
  if (next !== "(" && next !== "{") return from + (/^\$(?:\w+|[?#@*!$-])?/.exec(run.slice(from, from + 100))?.[0].length ?? 1) - 1;
  let depth = 0;
  for (let i = from + 1; i < run.length; i++) {
    const char = run.charAt(i);
    if (char === "(" || char === "{") depth += 1;
    else if (char === ")" || char === "}") {
      depth -= 1;
      if (depth === 0) return i;
    }
  }
  return run.length;
}

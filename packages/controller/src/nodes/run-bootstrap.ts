import { createInterface } from "node:readline";
import { FactoryError } from "@dispatch/core";
import { type Connection, textOf } from "@dispatch/fleet";

interface BootstrapRun {
  target: string;
  args: readonly string[];
  input: string;
  onProgress(line: string): void;
  signal: AbortSignal;
}

const usageCode = 2;

/**
 * Runs the script over a connection with its text on standard input and gives what it printed; undefined when the signal came first.
 * Then the connection is closed and nothing on the machine is killed: a package manager that is cut off leaves more to mend than one that ends.
 */
export async function runBootstrap(connection: Connection, run: BootstrapRun): Promise<string | undefined> {
  const channel = await connection.run(["sh", "-s", "--", ...run.args], "short");
  const stop = (): void => connection.close();
  run.signal.addEventListener("abort", stop, { once: true });
  if (run.signal.aborted) stop();
  channel.stdin.on("error", () => {}).end(run.input);
  const lines: string[] = [];
  try {
    const [out] = await Promise.all([textOf(channel.stdout), eachLine(channel.stderr, (line) => lines.push(line) && run.onProgress(line))]);
    const { code, because } = await channel.ended;
    if (run.signal.aborted) return undefined;
    if (code === 0) return out;
    throw code === null ? cut(run.target, connection.closed() ?? because) : failed(run.target, lines, code);
  } finally {
    run.signal.removeEventListener("abort", stop);
  }
}

async function eachLine(stream: NodeJS.ReadableStream, act: (line: string) => void): Promise<void> {
  try {
    for await (const line of createInterface({ input: stream })) act(line);
  } catch {
    // A cut connection ends the stream; how the script ended is told apart from it.
  }
}

function cut(target: string, because: string): FactoryError {
  return new FactoryError("NODE_UNREACHABLE", `the link to ${target} was cut while it was made a node: ${because}`, {
    fault: "dependency",
    retry: "later",
    hint: "run the same command again; it goes on from there",
  });
}

/** The script ends with `bootstrap: what is wrong` and `  try: what helps`. */
function failed(target: string, lines: readonly string[], code: number): FactoryError {
  const said = lines.findLast((line) => line.startsWith("bootstrap: "))?.slice("bootstrap: ".length);
  const hint = lines.findLast((line) => line.startsWith("  try: "))?.slice("  try: ".length);
  return new FactoryError(
    code === usageCode ? "USAGE" : "NODE_FAILED",
    `${target}: ${said ?? lines.at(-1) ?? `bootstrap.sh ended with exit code ${code}`}`,
    {
      fault: "user",
      retry: "later",
      hint: hint ?? "see what it said above, and run the same command again",
      facts: { target, code },
    },
  );
}

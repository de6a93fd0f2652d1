import type { CordonRequest, NodeView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { nodePath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { plural } from "../render/figures.ts";

/** `dispatch node cordon NODE` and `dispatch node uncordon NODE`. */
export async function cordonNode(context: CommandContext, input: { node: string; act: "cordon" | "uncordon"; json: boolean }): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  if (input.act === "cordon") await client.post(nodePath(input.node, "/cordon"), { drain: false } satisfies CordonRequest);
  else await client.post(nodePath(input.node, "/uncordon"));
  const node = await client.get<NodeView>(nodePath(input.node));
  if (input.json) terminal.json(node);
  else terminal.out(input.act === "cordon" ? cordonedLines(node) : uncordonedLines(node));
  return exitCodes.ok;
}

function cordonedLines({ id, state, sessions, fenced }: NodeView): string[] {
  if (state.kind === "lost")
    return [`${id} takes no new tasks when it is back; it is lost, with ${plural(fenced.length, "fenced attempt")} to fetch`];
  const rest =
    sessions.length === 0 ? "nothing runs there" : `${plural(sessions.length, "session")} there ${sessions.length === 1 ? "goes" : "go"} on`;
  return [`${id} takes no new tasks; ${rest}`, `  try: dispatch node uncordon ${id}`];
}

function uncordonedLines({ id, state, closed }: NodeView): string[] {
  if (state.kind !== "up") return [`${id} takes tasks again when it is up; it is ${state.kind}: ${state.because}`];
  return closed === null ? [`${id} takes tasks again`] : [`${id} is not cordoned any more, and takes no tasks still: ${closed.because}`];
}

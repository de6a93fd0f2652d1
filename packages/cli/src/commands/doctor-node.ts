import { type CommandContext, factoryOf } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";
import { openLiveScreen } from "../live-screen.ts";
import { examinationLines } from "../render/node-setup-lines.ts";

export interface DoctorInput {
  nodes: readonly string[];
  /** How long one check may take. */
  timeoutSeconds: number;
  json: boolean;
}

/** `dispatch node doctor [NODES...]`: 0 when nothing fails, 1 otherwise. */
export async function doctorNodes(context: CommandContext, { nodes, timeoutSeconds, json }: DoctorInput): Promise<number> {
  const { terminal } = context;
  const factory = await factoryOf(context);
  const { examineNodes } = await import("@dispatch/controller");
  const screen = terminal.live && !json ? openLiveScreen(process.stdout) : undefined;
  const steps = new Map<string, string>();
  const draw = (): void => screen?.draw([...steps].map(([node, step]) => terminal.paint.faint(`${node}: ${step}`)));
  const examined = await examineNodes(factory, nodes, {
    limitMs: timeoutSeconds * 1000,
    onStep(node, step) {
      steps.set(node, `looking at ${step}`);
      draw();
    },
    onDone({ node }) {
      steps.set(node, "done");
      draw();
    },
  }).finally(() => {
    // The answer takes the place of what was being done.
    screen?.draw([]);
    screen?.close();
  });
  const failed = examined.some(({ checks }) => checks.some((check) => check.level === "fail"));
  if (json) terminal.json({ ok: !failed, nodes: examined });
  else terminal.out(examined.flatMap((one) => examinationLines(one, terminal.view())));
  return failed ? exitCodes.failed : exitCodes.ok;
}

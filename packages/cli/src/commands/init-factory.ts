import { relative, resolve } from "node:path";
import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";

/** `dispatch init [DIR]` */
export async function initFactory(context: CommandContext, input: { dir: string | undefined; json: boolean }): Promise<number> {
  const { terminal } = context;
  const dir = resolve(context.cwd, input.dir ?? context.namedFactory ?? ".");
  const controller = await import("@dispatch/controller/files");
  const { created, kept } = await controller.initFactory(dir);
  if (input.json) {
    terminal.json({ factory: dir, created, kept });
    return exitCodes.ok;
  }
  if (created.length === 0) {
    terminal.out([`${dir} is a factory already; nothing was changed`]);
    return exitCodes.ok;
  }
  terminal.out([...created.map((path) => `${terminal.paint.good("made")} ${path}`), ...kept.map((path) => terminal.paint.faint(`kept ${path}`))]);
  const away = relative(context.cwd, dir);
  terminal.out([
    `${dir} is a factory`,
    ...(away === "" ? [] : [`  try: cd ${away}`]),
    "  try: name an agent under executors in dispatch.yaml, then",
    '  try: dispatch project add NAME --repo PATH_OR_URL --verify "CMD"',
  ]);
  return exitCodes.ok;
}

import { type CommandContext, factoryOf } from "../command-context.ts";
import { createDaemonClient } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { installedLines, removedLines, standingLines } from "../render/service-lines.ts";
import { healthOf } from "../start-daemon.ts";

export interface ServiceInput {
  scope: "user" | "system" | undefined;
  json: boolean;
}

/** `dispatch service install` */
export async function installService(context: CommandContext, { scope, json }: ServiceInput): Promise<number> {
  const { terminal } = context;
  const { controller, service, machine } = await open(context, scope ?? "user");
  const daemon = await healthOf(createDaemonClient(service.factory));
  const installed = await controller.installService(service, machine);
  if (json) terminal.json({ ...installed, daemon: daemon ?? null });
  else terminal.out(installedLines(installed, daemon, terminal.paint));
  return installed.manager.kind === "done" ? exitCodes.ok : exitCodes.failed;
}

/** `dispatch service status`: 0 when the manager keeps a daemon and that one answers. */
export async function showService(context: CommandContext, { scope, json }: ServiceInput): Promise<number> {
  const { terminal } = context;
  const { controller, service, machine } = await open(context, scope);
  const standing = await controller.lookAtService(service, machine);
  const daemon = await healthOf(createDaemonClient(service.factory));
  if (json) terminal.json({ ...standing, daemon: daemon ?? null });
  else terminal.out(standingLines(standing, daemon, terminal.view()));
  return standing.manager.kind === "known" && standing.manager.running && daemon !== undefined ? exitCodes.ok : exitCodes.failed;
}

/** `dispatch service uninstall` */
export async function uninstallService(context: CommandContext, { scope, json }: ServiceInput): Promise<number> {
  const { terminal } = context;
  const { controller, service, machine } = await open(context, scope);
  const removed = await controller.uninstallService(service, machine);
  if (json) terminal.json(removed);
  else terminal.out(removedLines(removed, terminal.paint));
  return removed.manager.kind === "done" ? exitCodes.ok : exitCodes.failed;
}

async function open(context: CommandContext, scope: ServiceInput["scope"]) {
  const controller = await import("@dispatch/controller");
  const dispatch = [process.execPath, ...process.execArgv, context.mainFile];
  return { controller, ...(await controller.openService(await factoryOf(context), scope, dispatch)) };
}

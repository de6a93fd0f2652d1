import { type Command, Option } from "commander";
import { examples, type JsonOption, jsonFlag, jsonText, type Perform } from "./perform.ts";

interface ScopeOptions extends JsonOption {
  user?: boolean;
  system?: boolean;
}

const texts = {
  install: [
    "have the daemon kept running",
    "Writes a systemd unit or a launchd job for this factory and starts it: the daemon runs again after a crash and after a reboot. Sessions of agents survive its end.",
  ],
  status: ["how the service stands", "What the service manager says of this factory's daemon, and what the daemon says itself."],
  uninstall: [
    "end that again",
    "Ends the service and removes its file, if dispatch service install wrote it. Sessions go on and are taken over at the next start.",
  ],
} as const;

/** `dispatch service`: the daemon in the keeping of the machine's service manager. */
export function declareServiceCommands(program: Command, perform: Perform): void {
  const service = program
    .command("service")
    .summary("keep the daemon running: install, status, uninstall")
    .description("The daemon in the keeping of systemd or launchd, one service for each factory.");
  for (const act of ["install", "status", "uninstall"] as const) {
    const [summary, description] = texts[act];
    service
      .command(act)
      .summary(summary)
      .description(description)
      .addOption(new Option("--user", act === "install" ? "a service of your own (the default)" : "the service of your own").conflicts("system"))
      .addOption(new Option("--system", "a service of the machine; needs root"))
      .option(jsonFlag, jsonText)
      .addHelpText("after", examples(`service ${act}`, `service ${act} --system`))
      .action(({ user, system, json = false }: ScopeOptions) =>
        perform(json, async (context) => {
          const input = { scope: system === true ? ("system" as const) : user === true ? ("user" as const) : undefined, json };
          const commands = await import("../commands/keep-service.ts");
          return { install: commands.installService, status: commands.showService, uninstall: commands.uninstallService }[act](context, input);
        }),
      );
  }
}

import { askYes, canAsk } from "./ask-person.ts";
import type { CommandContext } from "./command-context.ts";

/** Asks on this terminal whether a machine's host key is the right one; undefined where nobody sits at it. */
export function confirmHostKey(target: string, { terminal }: CommandContext): ((shown: string) => Promise<boolean>) | undefined {
  if (!canAsk()) return undefined;
  return async (shown) => {
    const [type = "", fingerprint = ""] = shown.split(" ");
    terminal.note([
      `${target} shows this host key:`,
      `  ${terminal.paint.strong(fingerprint)} (${type})`,
      `  compare it with the machine's own: ssh-keygen -lf /etc/ssh/ssh_host_${type.replace(/^ssh-|-sha2-.*$/g, "")}_key.pub`,
    ]);
    return await askYes("is it the right one?");
  };
}

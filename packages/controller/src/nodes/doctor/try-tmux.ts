import { type Connection, runToEnd } from "@dispatch/fleet";
import { readLines } from "../survey-node.ts";

/** Starts a tmux session of its own server and ends it again; rejects with what went wrong. */
export async function tryTmux(connection: Connection): Promise<void> {
  const { out, said, because } = await runToEnd(connection, ["sh"], script);
  const found = readLines(out);
  if (found.has("ended")) return;
  const told = found.get("failed")?.[0] ?? said.trim().split("\n").at(-1);
  throw new Error(told || because);
}

const script = `
unset TMUX
say() { printf 'dispatch-%s=%s\\n' "$1" "$2"; }
server=dispatch-doctor-$$
pane=$(tmux -L "$server" -f /dev/null new-session -d -P -F '#{pane_pid}' -s check 'exec cat' 2>&1) || { say failed "$pane"; exit 1; }
kill -0 "$pane" 2>/dev/null || { say failed 'the session ended at once'; exit 1; }
tmux -L "$server" kill-server
tries=0
while kill -0 "$pane" 2>/dev/null; do
  tries=$((tries + 1))
  [ "$tries" -lt 10 ] || { say failed 'the session goes on although its server was ended'; exit 1; }
  sleep 1
done
say ended yes
`;

/*
 * Runs a command on a node for `dispatch node exec`. The script is fixed; what it runs comes as data on standard input,
 * each byte as an octal number, so that no shell ever reads a word of it. First line out: its process group. When the
 * time is over it ends everything itself, also when nobody is there any more to ask for that.
 */
// The leader first, so that it does not tell of the others' end.
const endAll = `
kill -KILL "$group"
rounds=20
while [ $rounds -gt 0 ]; do
  rounds=$((rounds - 1))
  found=
  for file in $(grep -ls "DISPATCH_EXEC=$token" /proc/[0-9]*/environ); do
    pid=\${file#/proc/}
    kill -KILL "\${pid%/environ}" && found=yes
  done
  [ -n "$found" ] || rounds=0
done
kill -KILL "-$group"
`;

// The command runs in the foreground, since a shell without job control has those in the background ignore interrupts;
// `exec` takes no word for a built-in of the shell. A signal that can be caught is lost on a child that is not its program yet.
const supervise = `
echo $$
read -r limit
read -r token
read -r count
set --
while [ "$count" -gt 0 ]; do
  read -r word
  word=$(printf %bx "$word")
  set -- "$@" "\${word%x}"
  count=$((count - 1))
done
quit() { kill -KILL $!; exit 0; }
(
  trap quit TERM
  group=$$
  sleep "$limit" &
  wait $!
  ${endAll}
) </dev/null >/dev/null 2>&1 &
watch=$!
( DISPATCH_EXEC=$token; export DISPATCH_EXEC; exec "$@" )
code=$?
kill $watch 2>/dev/null
exit $code
`;

/** Program and arguments that run what `superviseInput` says; none of them needs more of a login's shell than to be one word. */
export const superviseCommand: readonly string[] = ["sh", "-c", 'read -r script; eval "$(printf %b "$script")"'];

/** What the supervising script reads before the command's own input. */
export function superviseInput(argv: readonly string[], token: string, limitSeconds: number): string {
  return [octal(supervise), String(limitSeconds), token, String(argv.length), ...argv.map(octal), ""].join("\n");
}

/** A script for `sh` on standard input that ends what carries the token in its environment, wherever it went, and the group. */
export function endScript(group: number, token: string): string {
  return `exec 2>/dev/null\ngroup=${group}\ntoken=${token}\n${endAll}\nexit 0\n`;
}

function octal(text: string): string {
  return [...Buffer.from(text)].map((byte) => `\\0${byte.toString(8)}`).join("");
}

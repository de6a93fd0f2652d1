import type { Channel, Connection } from "@dispatch/fleet";

/** As many as a connection has open at once, beside that of the host. */
const wanted = 4;
const patienceMs = 15_000;

/** Opens channels until as many are open as work needs at the same time. Gives how many there were. */
export async function tryChannels(connection: Connection): Promise<{ opened: number; wanted: number }> {
  const open: Channel[] = [];
  const opening = Array.from({ length: wanted }, async () => {
    const channel = await connection.run(["cat"], "short");
    channel.stdout.resume();
    channel.stderr.resume();
    channel.stdin.on("error", () => {});
    open.push(channel);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patienceMs);
  });
  await Promise.race([Promise.allSettled(opening), late]);
  clearTimeout(timer);
  const opened = open.length;
  // Those that come late are ended as well.
  void Promise.allSettled(opening).then(() => {
    for (const channel of open) channel.stdin.end();
  });
  for (const channel of open) channel.stdin.end();
  await Promise.race([Promise.all(open.map((channel) => channel.ended)), new Promise((resolve) => setTimeout(resolve, 2000).unref())]);
  return { opened, wanted };
}

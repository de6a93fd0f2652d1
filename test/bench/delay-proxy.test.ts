import { connect, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { openDelayProxy } from "./delay-proxy.ts";

test("what passes arrives whole and in order, no earlier than a round trip, and an end arrives too", async () => {
  const echo = createServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", () => resolve()));
  onTestFinished(() => void echo.close());
  const address = echo.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  const proxy = await openDelayProxy(address.port, 40);
  onTestFinished(() => proxy.close());
  const socket = connect(proxy.port, "127.0.0.1");
  const sent = Array.from({ length: 500 }, (_, n) => `line ${n}\n`);
  const begin = performance.now();
  let firstMs = 0;
  let got = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    if (got === "") firstMs = performance.now() - begin;
    got += text;
  });
  const ended = new Promise((resolve) => socket.once("end", resolve));
  for (const line of sent) socket.write(line);
  socket.end();
  await ended;
  expect(got).toBe(sent.join(""));
  // Timers may fire up to a millisecond early.
  expect(firstMs).toBeGreaterThanOrEqual(38);
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEventStreamReader } from "./read-event-stream.ts";

const message = fc.record({ data: fc.json(), id: fc.nat() });

describe("event stream reader", () => {
  it("gives the same messages however the stream was cut", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat({ max: 400 }), { maxLength: 12 }), (messages, cuts) => {
        const stream = `: hello\n\n${messages.map(({ data, id }) => `event: x\nid: ${id}\ndata: ${data}\n\n`).join("")}`;
        const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
        const reader = createEventStreamReader();
        const got = places.slice(1).flatMap((end, i) => reader.push(stream.slice(places[i], end)));
        expect(got).toEqual(messages.map(({ data }) => data));
      }),
    );
  });

  it("joins the lines of a message, and knows both line ends", () => {
    expect(createEventStreamReader().push("data: a\r\ndata:b\r\n\r\ndata: half")).toEqual(["a\nb"]);
  });
});

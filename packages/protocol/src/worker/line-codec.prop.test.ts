import fc from "fast-check";
import { expect, test } from "vitest";
import { createLineSplitter, decodeLine, encodeLine } from "./line-codec.ts";

test("values arrive whole however the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue())), fc.array(fc.nat(40)), (values, cuts) => {
      const stream = values.map(encodeLine).join("");
      const splitter = createLineSplitter();
      const lines: string[] = [];
      let at = 0;
      for (const cut of cuts) {
        lines.push(...splitter.push(stream.slice(at, at + cut)));
        at += cut;
      }
      lines.push(...splitter.push(stream.slice(at)));
      expect(lines.map(decodeLine)).toEqual(values.map((value) => JSON.parse(JSON.stringify(value))));
    }),
  );
});

test("a line that holds no object decodes to nothing", () => {
  for (const line of ["", "{", "[1]", "null", '"x"', "3"]) expect(decodeLine(line)).toBeUndefined();
});

test("an unfinished line waits", () => {
  const splitter = createLineSplitter();
  expect(splitter.push('{"a":')).toEqual([]);
  expect(splitter.push("1}")).toEqual([]);
  expect(splitter.push("\n")).toEqual(['{"a":1}']);
});

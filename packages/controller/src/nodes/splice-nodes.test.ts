import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { withNode, withoutNode, withSchema } from "./splice-nodes.ts";

const far = { name: "far", ssh_target: "far", slots: 8, labels: ["gpu"] };

test("a node is written as those before it are, and everything else stays to the letter", () => {
  const long = '{\n  "nodes": [\n    {\n      "name": "local",\n      "slots": 2\n    }\n  ]\n}\n';
  expect(withNode(long, { name: "far", slots: 8 })).toBe(
    '{\n  "nodes": [\n    {\n      "name": "local",\n      "slots": 2\n    },\n    {\n      "name": "far",\n      "slots": 8\n    }\n  ]\n}\n',
  );
  const rows = '{ "nodes": [ # ours\n    { "name": "a",   "slots": 1 }, # small\n    { "name": "b", "slots": 2 }\n] }';
  expect(withNode(rows, far)).toBe(
    '{ "nodes": [ # ours\n    { "name": "a",   "slots": 1 }, # small\n    { "name": "b", "slots": 2 },\n    { "name": "far", "ssh_target": "far", "slots": 8, "labels": ["gpu"] }\n] }',
  );
  expect(withNode('{"nodes":[{"name":"a","slots":1}]}', { name: "b", slots: 2 })).toBe('{"nodes":[{"name":"a","slots":1}, {"name":"b","slots":2}]}');
});

test("YAML keeps its comments", () => {
  const text = "nodes:\n  - name: a # the small one\n    slots: 1\n";
  const added = withNode(text, far);
  expect(added).toContain("# the small one");
  expect(parse(added)).toEqual({ nodes: [{ name: "a", slots: 1 }, far] });
  expect(parse(withoutNode(added, "far"))).toEqual(parse(text));
});

test("what was added and removed again leaves the text as it was", () => {
  const entry = fc.record({ name: fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/), slots: fc.integer({ min: 1, max: 99 }), labels: fc.array(fc.string()) });
  const entries = fc.uniqueArray(entry, { selector: ({ name }) => name, minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(entries, fc.constantFrom(0, 2, 4, "\t"), fc.nat(4), (nodes, indent, pick) => {
      const text = JSON.stringify({ $schema: "x", nodes }, null, indent);
      const more = { name: "zz-new", slots: 3, text: 'a "quoted" \\ one, with ] and }' };
      const added = withNode(text, more);
      expect(JSON.parse(added)).toEqual({ $schema: "x", nodes: [...nodes, more] });
      expect(withoutNode(added, "zz-new")).toBe(text);
      const gone = nodes[pick % nodes.length];
      expect(JSON.parse(withoutNode(added, gone?.name ?? ""))).toEqual({ $schema: "x", nodes: [...nodes.filter((node) => node !== gone), more] });
    }),
  );
});

test("a schema is named once, at the top", () => {
  const text = '{\n  "nodes": [{ "name": "a", "slots": 1 }]\n}\n';
  const named = withSchema(text, "./s.json");
  expect(named).toBe('{\n  "$schema": "./s.json",\n  "nodes": [{ "name": "a", "slots": 1 }]\n}\n');
  expect(withSchema(named, "./other.json")).toBe(named);
  const yaml = "nodes:\n  - name: a\n    slots: 1\n";
  expect(withSchema(yaml, "./s.json")).toBe(yaml);
});

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { gateList } from "./gate-list.ts";

test("the list for reports names the gates that the table for people names", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| (G\d\d) ([^|]+) \|/gm)].map(([, id, name]) => `${id} ${name}`);
  expect(rows).toHaveLength(15);
  expect(gateList.map(({ id, name }) => `${id} ${name}`)).toEqual(rows);
});

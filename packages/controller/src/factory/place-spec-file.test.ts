import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { prepareSpecFile } from "./place-spec-file.ts";

let dir = "";
const path = "specs/shop/S01-x.md";
const inbox = "specs/pending/S01-x.md";
const at = (file: string): string => join(dir, file);
const read = (file: string): string => readFileSync(at(file), "utf8");

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "dispatch-place-"));
  for (const folder of ["specs/shop", "specs/pending"]) mkdirSync(at(folder), { recursive: true });
  writeFileSync(at(path), "old\n");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const prepare = () => prepareSpecFile(dir, path, { base: "old\n", next: "new\n" });
const names = () => readdirSync(at("specs/shop")).sort();

describe("placing a spec's new text", () => {
  it("changes nothing before it is placed, nothing when it is discarded, all of it when it is placed", async () => {
    const first = await prepare();
    expect(read(path)).toBe("old\n");
    await first.discard();
    expect([read(path), names()]).toEqual(["old\n", ["S01-x.md"]]);
    const second = await prepare();
    second.place();
    await second.discard();
    expect([read(path), names()]).toEqual(["new\n", ["S01-x.md"]]);
  });

  it("keeps the file's mode, and follows a link to the file itself", async () => {
    mkdirSync(at("elsewhere"));
    writeFileSync(at("elsewhere/spec.md"), "old\n");
    chmodSync(at("elsewhere/spec.md"), 0o640);
    rmSync(at(path));
    symlinkSync(at("elsewhere/spec.md"), at(path));
    (await prepare()).place();
    expect(lstatSync(at(path)).isSymbolicLink()).toBe(true);
    expect([read("elsewhere/spec.md"), statSync(at(path)).mode & 0o777]).toEqual(["new\n", 0o640]);
  });

  it("refuses a file that was edited meanwhile, and takes one that has the text already", async () => {
    const late = await prepare();
    writeFileSync(at(path), "theirs\n");
    expect(() => late.place()).toThrow(expect.objectContaining({ code: "SPEC_CHANGED", facts: { file: path } }));
    await late.discard();
    expect([read(path), names()]).toEqual(["theirs\n", ["S01-x.md"]]);
    writeFileSync(at(path), "new\n");
    (await prepare()).place();
    expect(read(path)).toBe("new\n");
  });

  it("writes a file that is gone, and takes one that still lies in the inbox along", async () => {
    rmSync(at(path));
    (await prepare()).place();
    expect(read(path)).toBe("new\n");
    rmSync(at(path));
    writeFileSync(at(inbox), "old\n");
    (await prepare()).place();
    expect([read(path), existsSync(at(inbox))]).toEqual(["new\n", false]);
    rmSync(at(path));
    writeFileSync(at(inbox), "theirs\n");
    const late = await prepare();
    expect(() => late.place()).toThrow(expect.objectContaining({ code: "SPEC_CHANGED", facts: { file: inbox } }));
    await late.discard();
    expect([existsSync(at(path)), read(inbox)]).toEqual([false, "theirs\n"]);
  });

  it("removes what a killed process left, and nothing of an edit that is under way", async () => {
    writeFileSync(at(`${path}.new-999999999-7`), "forsaken\n");
    const one = await prepare();
    const two = await prepare();
    expect(names().filter((name) => name.includes(".new-"))).toHaveLength(2);
    expect(existsSync(at(`${path}.new-999999999-7`))).toBe(false);
    one.place();
    await Promise.all([one.discard(), two.discard()]);
    expect([read(path), names()]).toEqual(["new\n", ["S01-x.md"]]);
  });
});

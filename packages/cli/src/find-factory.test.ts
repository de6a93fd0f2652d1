import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "@dispatch/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findFactory, lookForFactory } from "./find-factory.ts";

let root = "";

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "dispatch-find-")));
  await mkdir(join(root, "factory/specs/shop"), { recursive: true });
  await mkdir(join(root, "elsewhere/dispatch.yaml"), { recursive: true });
  await writeFile(join(root, "factory/dispatch.yaml"), "version: 1\n");
});

afterEach(() => rm(root, { recursive: true }));

describe("findFactory", () => {
  it("walks up to the folder that holds dispatch.yaml", async () => {
    expect(await findFactory(undefined, join(root, "factory/specs/shop"))).toBe(join(root, "factory"));
    expect(await findFactory(undefined, join(root, "factory"))).toBe(join(root, "factory"));
  });

  it("takes the named folder, relative to where it was named, and does not walk from there", async () => {
    expect(await findFactory("factory", root)).toBe(join(root, "factory"));
    expect(await findFactory(join(root, "factory"), "/")).toBe(join(root, "factory"));
    await expect(findFactory("factory/specs", root).catch(errorCode)).resolves.toBe("FACTORY_MISSING");
  });

  it("fails where there is none, also where dispatch.yaml is a folder", async () => {
    await expect(findFactory(undefined, join(root, "elsewhere")).catch(errorCode)).resolves.toBe("FACTORY_MISSING");
    await expect(findFactory("nowhere", root).catch(errorCode)).resolves.toBe("FACTORY_MISSING");
    expect(await lookForFactory(undefined, join(root, "elsewhere"))).toBeUndefined();
  });
});

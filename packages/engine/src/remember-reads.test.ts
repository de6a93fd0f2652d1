import { FactoryError, type Repositories } from "@dispatch/core";
import { expect, it } from "vitest";
import { anOid, aSpec } from "../../../test/kit/build-facts.ts";
import { createFakeFactory } from "../../../test/kit/fake-factory.ts";
import { rememberReads } from "./remember-reads.ts";

function counting(): { repositories: Repositories; asked: string[]; failing: { now: boolean } } {
  const asked: string[] = [];
  const failing = { now: false };
  const answer = async <T>(what: string, value: T): Promise<T> => {
    asked.push(what);
    if (failing.now) throw new FactoryError("GIT_FAILED", what);
    return value;
  };
  const given: Pick<Repositories, "listFiles" | "readFiles" | "mainOf"> = {
    listFiles: (project, revision) => answer(`list ${project} ${revision}`, [project]),
    readFiles: (project, revision, paths) => answer(`read ${project} ${revision} ${paths.join()}`, new Map(paths.map((path) => [path, revision]))),
    mainOf: () => answer("main", anOid(1)),
  };
  return { repositories: rememberReads(given as Repositories), asked, failing };
}

it("asks once for the same files of the same commit, also when all ask at once, and anew for others", async () => {
  const { repositories, asked } = counting();
  const answers = await Promise.all([1, 2, 3].map(() => repositories.readFiles("shop", anOid(1), ["API.md"])));
  expect(answers.map((answer) => answer.get("API.md"))).toEqual([anOid(1), anOid(1), anOid(1)]);
  expect(asked).toHaveLength(1);
  await repositories.readFiles("shop", anOid(2), ["API.md"]);
  await repositories.readFiles("shop", anOid(1), ["API.md", "b"]);
  await repositories.readFiles("other", anOid(1), ["API.md"]);
  await repositories.listFiles("shop", anOid(1));
  await repositories.listFiles("shop", anOid(1));
  expect(asked).toHaveLength(5);
});

it("never remembers what can change, or what failed", async () => {
  const { repositories, asked, failing } = counting();
  await repositories.mainOf("shop");
  await repositories.mainOf("shop");
  expect(asked).toEqual(["main", "main"]);
  failing.now = true;
  await expect(repositories.listFiles("shop", anOid(1))).rejects.toMatchObject({ code: "GIT_FAILED" });
  failing.now = false;
  expect(await repositories.listFiles("shop", anOid(1))).toEqual(["shop"]);
});

it("keeps only so much, the newest", async () => {
  const { repositories, asked } = counting();
  for (let n = 1; n <= 5; n++) await repositories.listFiles("shop", anOid(n));
  await repositories.listFiles("shop", anOid(5));
  expect(asked).toHaveLength(5);
  await repositories.listFiles("shop", anOid(1));
  expect(asked).toHaveLength(6);
});

it("has many attempts that are told of one change read each side of it once", async () => {
  const reads: string[] = [];
  const fake = createFakeFactory({
    contracts: ["API.md"],
    slots: 20,
    behaviour: {
      outcome: () => undefined,
      files: (commit) => {
        reads.push(commit);
        return { "API.md": commit === anOid(50) ? "Two.\n" : "One.\n" };
      },
      takeIn: (main) => (main === anOid(50) ? { outcome: "unchanged", main } : { outcome: "ahead", candidate: anOid(50), commits: 1 }),
    },
  });
  await fake.engine.start();
  await fake.engine.commands.startProject("shop");
  await fake.engine.commands.feed(Array.from({ length: 20 }, (_, n) => ({ spec: aSpec(`S${n}`), digest: `${n}`, text: "", path: `S${n}.md` })));
  await fake.settle();
  await fake.engine.commands.collect("shop", "lead");
  await fake.settle();
  expect(fake.notices.size).toBe(20);
  expect(reads.sort()).toEqual([anOid(1), anOid(50)]);
});

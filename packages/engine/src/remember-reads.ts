import type { Repositories } from "@dispatch/core";

/** Lists are long, texts are few: what is kept is what the attempts of one or two mains ask for at once. */
const listsKept = 4;
const textsKept = 64;

/** Reads of commits, which never change, asked of git once: a change of the contract has every attempt at work ask for the same. */
export function rememberReads(repositories: Repositories): Repositories {
  const lists = new Map<string, ReturnType<Repositories["listFiles"]>>();
  const texts = new Map<string, ReturnType<Repositories["readFiles"]>>();
  return {
    ...repositories,
    listFiles: (project, revision) => remembered(lists, listsKept, `${project}@${revision}`, () => repositories.listFiles(project, revision)),
    readFiles: (project, revision, paths) =>
      remembered(texts, textsKept, JSON.stringify([project, revision, ...paths]), () => repositories.readFiles(project, revision, paths)),
  };
}

/** What failed is asked again; the answer that was not asked for longest makes room. */
function remembered<T>(known: Map<string, Promise<T>>, limit: number, key: string, ask: () => Promise<T>): Promise<T> {
  const answer = known.get(key) ?? ask();
  known.delete(key);
  known.set(key, answer);
  answer.catch(() => {
    if (known.get(key) === answer) known.delete(key);
  });
  const oldest = known.keys().next().value;
  if (known.size > limit && oldest !== undefined) known.delete(oldest);
  return answer;
}

import { type Effect, effectKey, type Oid, splitTaskId, type TaskId } from "@dispatch/core";
import type BetterSqlite3 from "better-sqlite3";

/** As programs before the landing train left them undone. */
type EffectOnOne =
  | { do: "build-candidate"; task: TaskId; onto: Oid }
  | { do: "verify-candidate"; task: TaskId; candidate: { commit: Oid } }
  | { do: "advance-main"; task: TaskId; candidate: { commit: Oid } };

/** Gives undone effects of older programs the shape of now. */
export function renewEffects(sqlite: BetterSqlite3.Database): void {
  const rows = sqlite.prepare("SELECT key, body FROM effect").all() as { key: string; body: string }[];
  const write = sqlite.prepare("UPDATE effect SET key = ?, body = ? WHERE key = ?");
  for (const { key, body } of rows) {
    const effect = renewed(JSON.parse(body) as Effect | EffectOnOne);
    if (effectKey(effect) !== key) write.run(effectKey(effect), JSON.stringify(effect), key);
  }
}

/** A branch that landed by itself is a car with its task's name. */
function renewed(effect: Effect | EffectOnOne): Effect {
  if (!("task" in effect)) return effect;
  const of = { project: splitTaskId(effect.task).project, car: effect.task };
  switch (effect.do) {
    case "build-candidate":
      return { do: "build-car", ...of, onto: effect.onto };
    case "verify-candidate":
      return { do: "run-car", ...of, commit: effect.candidate.commit, broken: 0 };
    case "advance-main":
      return { do: "advance-main", ...of, commit: effect.candidate.commit };
  }
}

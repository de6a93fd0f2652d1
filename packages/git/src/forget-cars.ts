import type { CarId } from "@dispatch/core";
import { carRef } from "./build-car.ts";
import type { Git } from "./open-git.ts";

const prefix = "refs/gate/car/";

/** Takes away the pins of cars that are not in flight any more; what landed is on main, and nobody needs the others. Returns how many went. */
export async function forgetCars(git: Git, inFlight: ReadonlySet<CarId>): Promise<number> {
  const { stdout } = await git.run({ args: ["for-each-ref", "--format=%(refname) %(objectname)", prefix], doing: "list the pins of cars" });
  const kept = new Set([...inFlight].map(carRef));
  const gone = stdout
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "" && !kept.has(line.slice(0, line.indexOf(" "))));
  // Only as it was listed: a car that is built meanwhile keeps its pin.
  const input = gone.map((line) => `delete ${line}\n`).join("");
  if (gone.length > 0) await git.run({ args: ["update-ref", "--stdin"], doing: "let go of cars", input });
  return gone.length;
}

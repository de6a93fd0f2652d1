import { type FactorySpec, waitStep } from "../kit/real-factory.ts";

const line = (path: string, id: string) => ({ append: path, content: `the line of ${id}\n` });

/** A shared file (S01 and S03 never run side by side), and a dependency (S02 tests what S01 brings). `hold`: agents wait for these names first. */
export function shopSpecs(wait: Readonly<Record<string, string>> = {}): FactorySpec[] {
  const first = (id: string): object[] => (wait[id] === undefined ? [] : [waitStep(wait[id])]);
  const plays = (id: string, steps: readonly object[]): (readonly object[])[] =>
    wait[id] === undefined ? [steps] : [[...first(id), ...steps], steps];
  return [
    {
      id: "S01-shared",
      modifies: ["shared.txt"],
      creates: ["s01.txt"],
      attempts: plays("S01-shared", [line("s01.txt", "S01"), line("shared.txt", "S01")]),
    },
    {
      id: "S02-after",
      dependsOn: ["S01-shared"],
      creates: ["s02.txt", "tests/s02.sh"],
      attempts: plays("S02-after", [line("s02.txt", "S02"), { append: "tests/s02.sh", content: "test -s s01.txt && test -s s02.txt\n" }]),
    },
    { id: "S03-shared", modifies: ["shared.txt"], attempts: plays("S03-shared", [line("shared.txt", "S03")]) },
  ];
}

/** Tasks that can all run at once. Each agent writes half of its work, waits for `agents`, and writes the rest. */
export function threeAtOnce(): FactorySpec[] {
  return ["S01-one", "S02-two", "S03-three"].map((id) => {
    const file = `${id.slice(4)}.txt`;
    return { id, creates: [file], attempts: [[line(file, `half ${id}`), waitStep("agents"), line(file, id)]] };
  });
}

/** The same, but nobody waits. */
export function oneTask(): FactorySpec[] {
  return [{ id: "S01-one", creates: ["one.txt"], attempts: [[line("one.txt", "S01"), waitStep("agents")]] }];
}

/**
 * S01 breaks the tests where it is to land, in its first attempt alone. S02 begins when `agents` lets it, so that its car stands
 * behind that of S01; its tests wait for `slow` there, so that its run is under way when S01 is refused.
 */
export function oneBehindAnother(): FactorySpec[] {
  const atLanding = (words: string): string => `case $PWD in */verify/*) ${words} ;; esac\n`;
  const slow = 'echo $$ >> "$HOLDS/slow.pids"; while [ -e "$HOLDS/slow" ]; do sleep 0.05; done';
  return [
    {
      id: "S01-red",
      creates: ["s01.txt", "tests/s01.sh"],
      attempts: [
        [line("s01.txt", "S01"), { write: "tests/s01.sh", content: atLanding("exit 1") }],
        [line("s01.txt", "S01"), { write: "tests/s01.sh", content: "test -s s01.txt\n" }],
      ],
    },
    {
      id: "S02-behind",
      creates: ["s02.txt", "tests/s02.sh"],
      attempts: [[line("s02.txt", "S02"), waitStep("agents"), { write: "tests/s02.sh", content: atLanding(slow) }]],
    },
  ];
}

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type BenchFactory, makeBenchFactory, project, writtenLine } from "./bench-factory.ts";
import { linesOf } from "./prove-main.ts";

export const verifySeconds = 2;
export const verify = "sh tests/verify.sh";
const files = 2000;
const folders = 40;
const agents = 8;
const limitMs = 30 * 60_000;

/** Waits only where a landing is tested, so that the agents before it are done soon. It tells a whole tree from one that lost something. */
const verifyScript = `#!/bin/sh
case $PWD in */verify/*) sleep ${verifySeconds} ;; esac
n=1
red=0
set -- lib/*/*.txt
if [ $# -eq ${files} ]; then echo "ok 1 - lib"; else echo "not ok 1 - lib"; red=1; fi
for file in src/*.js; do
  [ -e "$file" ] || continue
  n=$((n + 1))
  if [ "$(cat "$file")" = "${writtenLine}" ]; then echo "ok $n - $file"; else echo "not ok $n - $file"; red=1; fi
done
echo "1..$n"
exit $red
`;

function fill(target: string): void {
  for (let n = 0; n < files; n++) {
    const folder = join(target, "lib", `part-${n % folders}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `file-${n}.txt`), `${`the text of file ${n}, which nobody changes\n`.repeat(70)}`);
  }
  mkdirSync(join(target, "tests"), { recursive: true });
  writeFileSync(join(target, "tests/verify.sh"), verifyScript);
}

/** A factory whose branches are all done and wait for a collect. */
export async function makeWaitingBranches(count: number, gateSlots: number, env: Readonly<Record<string, string>> = {}): Promise<BenchFactory> {
  const factory = makeBenchFactory(agents, { gateSlots, landing: "on-collect", verify, fill, env });
  try {
    factory.writeSpecs(count);
    factory.dispatch("start", project);
    const deadline = Date.now() + limitMs;
    while ((await factory.queued()) < count) {
      if (Date.now() > deadline) throw new Error("the agents did not end within the limit");
      await delay(500);
    }
    return factory;
  } catch (error) {
    endFactory(factory);
    throw error;
  }
}

/** Also when no daemon runs for it. */
export function endFactory(factory: BenchFactory): void {
  try {
    factory.dispatch("down", "--stop");
  } finally {
    factory.remove();
  }
}

/** A `git` that comes before the system's and notes who started it. */
export interface CountingGit {
  env: Readonly<Record<string, string>>;
  /** The processes that started git so far, once for each time. */
  starters(): readonly number[];
  remove(): void;
}

export function makeCountingGit(): CountingGit {
  const folder = mkdtempSync(join(tmpdir(), "dispatch-bench-count-"));
  const log = join(folder, "log");
  const git = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  writeFileSync(log, "");
  writeFileSync(join(folder, "git"), `#!/bin/sh\necho $PPID >> ${log}\nexec ${git} "$@"\n`);
  chmodSync(join(folder, "git"), 0o755);
  return {
    env: { PATH: `${folder}:${process.env["PATH"]}` },
    starters: () => linesOf(readFileSync(log, "utf8")).map(Number),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

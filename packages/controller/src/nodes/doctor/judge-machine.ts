import { lowWaterMarks } from "@dispatch/fleet";
import type { Survey } from "../survey-node.ts";
import { type DoctorCheck, fail, judgeLook, ok, sizeText, warn } from "./finding.ts";
import type { NodeFacts } from "./node-facts.ts";

const mebi = 2 ** 20;
const warnSkewMs = 5000;
const failSkewMs = 300_000;
/** What one agent with its tests opens and starts at a time, roughly. */
const filesNeeded = 1024;
const processesPerSlot = 64;

/** What the machine itself has and lacks. */
export function judgeMachine(facts: NodeFacts): DoctorCheck[] {
  const { survey, tmuxSession } = facts;
  if (survey.kind !== "seen") return [judgeLook("machine", survey, "see that the login runs a shell there", () => ok("machine", ""))];
  const seen = survey.value;
  return [
    ...judgeShell(seen, facts.target !== null),
    judgeWorkDir(seen),
    judgeDisk(seen, marksOf(seen, facts).diskBytes),
    judgeInodes(seen),
    judgeMemory(seen, marksOf(seen, facts).memoryBytes, facts.slots),
    judgeClock(seen),
    judgeVersion("git", seen.git, [2, 38]),
    judgeVersion("tmux", seen.tmux, [3, 0]),
    judgeLook("tmux-session", tmuxSession, "run tmux new-session -d true there and see what it says", () => ok("tmux-session", "starts and ends")),
    judgeLocale(seen),
    ...judgeUlimits(seen, facts.slots),
  ].filter((check) => check.check !== "tmux-session" || seen.tmux !== null);
}

function judgeShell({ shell, noise }: Survey, remote: boolean): DoctorCheck[] {
  if (!remote) return [];
  const name = shell ?? "its login shell";
  if (noise.length === 0) return [ok("shell", `${name} starts without a word`)];
  const remedy = `print only where somebody looks: [ -t 1 ] || return, at the top of its start-up file; the text is skipped until then`;
  return [warn("shell", `start-up files of ${name} print ${JSON.stringify(noise[0])}`, remedy)];
}

function judgeWorkDir({ workDir: { path, writable, because } }: Survey): DoctorCheck {
  if (writable) return ok("work-dir", path);
  return fail(
    "work-dir",
    `${path} cannot be written to${because === null ? "" : `: ${because}`}`,
    "make it, give it to the login's user, or name another work_dir in nodes.json",
  );
}

/** What a machine that does not say its size has, may be anything. */
function marksOf({ totalDiskBytes, totalMemoryBytes }: Survey, { lowWater }: NodeFacts): { diskBytes: number; memoryBytes: number } {
  const unknown = Number.POSITIVE_INFINITY;
  return lowWaterMarks(lowWater, { diskBytes: totalDiskBytes ?? unknown, memoryBytes: totalMemoryBytes ?? unknown });
}

function judgeDisk({ freeDiskBytes, workDir }: Survey, lowWater: number): DoctorCheck {
  if (freeDiskBytes === null) return warn("disk", "df does not say what is free", "look at it there");
  const says = `${sizeText(freeDiskBytes)} free`;
  if (freeDiskBytes < lowWater)
    return fail(
      "disk",
      `${says}, and below ${sizeText(lowWater)} it takes no new tasks`,
      `make room on the disk of ${workDir.path}, or name another work_dir`,
    );
  return freeDiskBytes < lowWater * 1.5
    ? warn("disk", `${says}; below ${sizeText(lowWater)} it takes no new tasks`, `make room on the disk of ${workDir.path}`)
    : ok("disk", says);
}

function judgeInodes({ freeInodes, workDir }: Survey): DoctorCheck {
  if (freeInodes === null) return ok("inodes", "as many as there is room for");
  const remedy = `remove small files from the disk of ${workDir.path}, or name another work_dir`;
  if (freeInodes < 5000) return fail("inodes", `${freeInodes} free`, remedy);
  return freeInodes < 50_000 ? warn("inodes", `${freeInodes} free`, remedy) : ok("inodes", `${freeInodes} free`);
}

function judgeMemory({ freeMemoryBytes, totalMemoryBytes }: Survey, least: number, slots: number): DoctorCheck {
  if (totalMemoryBytes === null) return warn("memory", "it does not say what it has", 'set "memory_mb" in nodes.json');
  const says = `${freeMemoryBytes === null ? "" : `${sizeText(freeMemoryBytes)} free of `}${sizeText(totalMemoryBytes)}`;
  if (freeMemoryBytes !== null && freeMemoryBytes < least)
    return fail("memory", `${says}, and with less than ${sizeText(least)} free it takes no new tasks`, "end what takes it, or lower slots");
  const each = totalMemoryBytes / slots;
  if (each < 256 * mebi) return warn("memory", `${says}, ${sizeText(each)} for each of ${slots} slots`, "lower slots in nodes.json");
  return ok("memory", says);
}

function judgeClock({ skewMs }: Survey): DoctorCheck {
  if (skewMs === null) return warn("clock", "date does not say the time", "see date there");
  const seconds = Math.abs(skewMs) / 1000;
  const says = `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s ${skewMs < 0 ? "behind" : "ahead"}`;
  const remedy = "have it keep time: timedatectl set-ntp true, or chrony";
  if (Math.abs(skewMs) > failSkewMs) return fail("clock", says, remedy);
  return Math.abs(skewMs) > warnSkewMs ? warn("clock", says, remedy) : ok("clock", Math.abs(skewMs) <= 1500 ? "right" : says);
}

/** `git version 2.39.5`, `tmux 3.3a`, `tmux next-3.5`, `tmux openbsd-7.4` */
export function judgeVersion(tool: "git" | "tmux", said: string | null, [major, minor]: readonly [number, number]): DoctorCheck {
  const remedy = `install ${tool} ${major}.${minor} or newer there`;
  if (said === null) return fail(tool, "is not on the PATH of the login", remedy);
  const [, first, second] = /(\d+)\.(\d+)/.exec(said) ?? [];
  // What follows the system's own version is as new as the system.
  if (first === undefined || said.includes("openbsd")) return ok(tool, said);
  const enough = Number(first) > major || (Number(first) === major && Number(second) >= minor);
  return enough ? ok(tool, said) : fail(tool, `${said} is too old`, remedy);
}

function judgeLocale({ charmap }: Survey): DoctorCheck {
  if (charmap === null) return ok("locale", "no locale program; UTF-8 is taken for granted");
  if (/^utf-?8$/i.test(charmap)) return ok("locale", charmap);
  return warn(
    "locale",
    `${charmap}, so agents may garble file names and text that is not ASCII`,
    "set LANG=C.UTF-8 for the login, for example in /etc/default/locale",
  );
}

function judgeUlimits({ maxProcesses, maxFiles }: Survey, slots: number): DoctorCheck[] {
  const needed = slots * processesPerSlot;
  const how = "raise it in /etc/security/limits.conf, or in the unit that runs sshd";
  const count = (limit: number): string => (limit === Number.POSITIVE_INFINITY ? "no limit" : String(limit));
  return [
    maxProcesses === null
      ? ok("processes", "the shell names no limit")
      : maxProcesses < needed
        ? warn("processes", `${maxProcesses} at most, for ${slots} slots`, `${how} to ${needed} or more`)
        : ok("processes", count(maxProcesses)),
    maxFiles !== null && maxFiles < filesNeeded
      ? warn("files", `${maxFiles} open files at most`, `${how} to ${filesNeeded} or more`)
      : ok("files", maxFiles === null ? "the shell names no limit" : count(maxFiles)),
  ];
}

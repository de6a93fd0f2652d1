/**
 * Loaded with `node --import` before an agent of the crash tests: notes in the file AGENT_LOG when the agent begins
 * and when it ends by itself, one line each, in the order in which it happened:
 *   start <attempt> <round> <pid> <ms>      end <attempt> <round> <pid> <ms>
 *   overlap <attempt> <round> <pid> <pid of another agent of the same task that is still alive>
 */
import { appendFileSync, readFileSync } from "node:fs";

const { AGENT_LOG: log, DISPATCH_ATTEMPT: attempt, DISPATCH_ROUND: round } = process.env;
const note = (word, last) => appendFileSync(log, `${word} ${attempt} ${round} ${process.pid} ${last}\n`);
const taskOf = (id) => id.replace(/--\d+$/, "");

note("start", Date.now());
process.on("exit", () => note("end", Date.now()));

const alive = new Map();
for (const line of readFileSync(log, "utf8").split("\n")) {
  const [word, other, , pid] = line.split(" ");
  if (word === "start" && taskOf(other) === taskOf(attempt)) alive.set(Number(pid), true);
  if (word === "end") alive.delete(Number(pid));
}
alive.delete(process.pid);
for (const pid of alive.keys()) if (isAgent(pid)) note("overlap", pid);

/** A pid may have been given to another program meanwhile. */
function isAgent(pid) {
  try {
    process.kill(pid, 0);
    const state = readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\) /s, "")[0];
    return state !== "Z" && readFileSync(`/proc/${pid}/environ`, "latin1").includes(`AGENT_LOG=${log}`);
  } catch (error) {
    if (error.code === "ESRCH") return false;
    if (error.code === "ENOENT") return process.platform !== "linux";
    throw error;
  }
}

import type { AgentProgram } from "@dispatch/protocol";
import { type DoctorCheck, fail, ok, warn } from "./finding.ts";
import type { NodeFacts } from "./node-facts.ts";

/** Whether the program of each executor lies there, and whether it is logged in as far as the worker can tell. */
export function judgeExecutors({ node, executors, survey, heartbeat }: NodeFacts): DoctorCheck[] {
  if (survey.kind !== "seen") return [];
  const agents = heartbeat.kind === "seen" ? heartbeat.value.agents : [];
  return executors.map(({ name, program }) => {
    const check = `executor ${name}`;
    const found = survey.value.programs[program] ?? null;
    if (found === null) {
      return fail(
        check,
        `${program} is not on the PATH of the login`,
        `install it there, or leave ${name} out of "executors" of ${node} in nodes.json`,
      );
    }
    return judgeAgent(
      check,
      program,
      found,
      agents.find((agent) => agent.name === program.slice(program.lastIndexOf("/") + 1)),
    );
  });
}

function judgeAgent(check: string, program: string, found: string, agent: AgentProgram | undefined): DoctorCheck {
  if (agent === undefined) return ok(check, found);
  const says = agent.version === null ? found : `${found}, ${agent.version}`;
  if (agent.login === "no")
    return warn(check, `${says}, not logged in`, `log in with ${program} there once, or give it a key through the executor's env`);
  return ok(check, agent.login === "yes" ? `${says}, logged in` : says);
}

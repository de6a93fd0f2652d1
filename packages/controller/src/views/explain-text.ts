import type { Task } from "@dispatch/core";
import type { Explanation } from "@dispatch/scheduler";

/** Why a task is where it is, and what would move it, as two sentences. `now` is in ms since the epoch. */
export function explainText(task: Task, explanation: Explanation, now: number): { because: string; release: string } {
  switch (explanation.kind) {
    case "project-not-configured":
      return { because: `project ${task.project} is not in dispatch.yaml`, release: "register it again with dispatch project add" };
    case "project-paused":
      return { because: `project ${task.project} is paused by ${explanation.by}`, release: `dispatch resume ${task.project}` };
    case "backoff":
      return {
        because: `attempt ${triesOf(task)} was lost: ${explanation.because}`,
        release: `the next attempt starts in ${seconds(explanation.until - now)}`,
      };
    case "dependency":
      return dependencyText(explanation);
    case "lock":
      return {
        because: `${explanation.holder} (${explanation.holderState}) has held ${explanation.theirs} for ${seconds(now - explanation.since)}${explanation.mine === explanation.theirs ? "" : `, which meets ${explanation.mine}`}`,
        release: `${explanation.holder} is merged, parked or cancelled`,
      };
    case "slot":
      return slotText(explanation);
    case "about-to-start":
      return { because: "it is ready and a slot is free", release: "nothing is missing; it starts at once" };
    case "at-work":
      return explanation.round === 0
        ? { because: `${explanation.attempt} is being started on node ${explanation.node}`, release: "its session reports" }
        : {
            because: `round ${explanation.round} of ${explanation.attempt} runs on node ${explanation.node}`,
            release: "the agent ends and the gates have judged",
          };
    case "being-collected":
      return { because: `${explanation.attempt} has ended; its work is being brought into the hub`, release: "the work is in the hub" };
    case "being-checked":
      return { because: `the gates judge what ${explanation.attempt} delivered`, release: "the gates have judged" };
    case "waits-for-collect":
      return { because: `it passed its gates; project ${task.project} lands on collect`, release: `dispatch collect ${task.project}` };
    case "waits-for-origin":
      return { because: `a collect is ${explanation.collect}; nothing starts to land meanwhile`, release: "the collect has ended" };
    case "landing-frozen":
      return { because: `landing is frozen: ${explanation.because}`, release: `mend main, then dispatch resume ${task.project}` };
    case "waits-to-land":
      return {
        because: explanation.behind.length === 0 ? "it lands next" : `it lands after ${explanation.behind.join(", ")}`,
        release: "those before it have landed or went back",
      };
    case "landing":
      return { because: landingText(explanation.phase), release: "the tests are green on main with this change" };
    case "parked":
      return {
        because: `parked: ${explanation.reason.text}`,
        release: `dispatch retry ${task.id} (its work is kept at ${explanation.reason.salvage || "nowhere: it never started"}), or dispatch cancel ${task.id}`,
      };
    case "being-cancelled":
      return { because: `${explanation.attempt} is being stopped and its work kept`, release: "the session has ended" };
    case "merged":
      return { because: `merged as ${explanation.commit.slice(0, 12)}`, release: "nothing is left to do" };
    case "cancelled":
      return { because: `cancelled by ${explanation.by}`, release: `dispatch retry ${task.id} takes it up again` };
  }
}

function dependencyText(explanation: Extract<Explanation, { kind: "dependency" }>): { because: string; release: string } {
  const because = `it waits for ${explanation.task}, which is ${explanation.state}`;
  if (explanation.state === "parked") return { because, release: `dispatch retry ${explanation.task}` };
  if (explanation.state === "cancelled") return { because, release: `dispatch retry ${explanation.task}, or drop it from depends_on and feed again` };
  if (explanation.state === "unknown") return { because, release: `feed the spec of ${explanation.task}` };
  return { because, release: `${explanation.task} is merged` };
}

function slotText(explanation: Extract<Explanation, { kind: "slot" }>): { because: string; release: string } {
  const down = explanation.nodesDown.map((node) => `node ${node.node} is down: ${node.because}`);
  const because = `all ${explanation.slots} slots are taken or down; ${explanation.ahead} ready tasks go before it${down.length === 0 ? "" : ` (${down.join("; ")})`}`;
  return { because, release: "a session ends, or a node is added" };
}

function landingText(phase: "building" | "verifying" | "advancing"): string {
  switch (phase) {
    case "building":
      return "its candidate is being built on main";
    case "verifying":
      return "the tests run on main with this change";
    case "advancing":
      return "main is being moved to it";
  }
}

function triesOf(task: Task): number {
  return task.state.tries;
}

function seconds(ms: number): string {
  const total = Math.max(0, Math.round(ms / 1000));
  return total < 90 ? `${total} s` : `${Math.round(total / 60)} min`;
}

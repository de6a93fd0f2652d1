import type { CarState, Task, TaskId } from "@dispatch/core";
import type { Explanation } from "@dispatch/scheduler";
import { durationText, nodeMissText, openText, resourceText, shutText, sinceText, timeText } from "./explain-words.ts";

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
        release: `the next attempt starts in ${durationText(explanation.until - now)}, at ${timeText(explanation.until, now)}`,
      };
    case "dependency":
      return dependencyText(explanation);
    case "lock":
    case "contract-barrier":
    case "reserved":
    case "no-node-fits":
    case "nodes-down":
    case "nodes-closed":
    case "resource":
    case "slot":
      return waitingText(task, explanation, now);
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
      return {
        because: `landing is frozen: ${explanation.because}`,
        release: `mend main (dispatch revert takes a landing back), then dispatch resume ${task.project}`,
      };
    case "waits-to-land":
      return {
        because: explanation.behind.length === 0 ? "it lands next" : `it lands after ${explanation.behind.join(", ")}`,
        release: "those before it have landed or went back",
      };
    case "landing":
      return { because: landingText(explanation.phase, explanation.with), release: releaseText(explanation.with) };
    case "parked":
      return {
        because: `parked ${sinceText(explanation.since, now)}: ${explanation.reason.text}`,
        release: `dispatch retry ${task.id}, or dispatch cancel ${task.id}${explanation.reason.salvage === "" ? "" : `; its work is kept at ${explanation.reason.salvage}`}`,
      };
    case "being-cancelled":
      return { because: `${explanation.attempt} is being stopped and its work kept`, release: "the session has ended" };
    case "merged":
      return { because: `merged as ${explanation.commit.slice(0, 12)}`, release: "nothing is left to do" };
    case "cancelled":
      return { because: `cancelled by ${explanation.by}`, release: `dispatch retry ${task.id} takes it up again` };
  }
}

type Waiting = Extract<
  Explanation,
  { kind: "lock" | "contract-barrier" | "reserved" | "no-node-fits" | "nodes-down" | "nodes-closed" | "resource" | "slot" }
>;

/** What keeps a ready task from starting. */
function waitingText(task: Task, explanation: Waiting, now: number): { because: string; release: string } {
  switch (explanation.kind) {
    case "lock":
      return lockText(explanation, now);
    case "contract-barrier":
      return {
        because: `${explanation.task} changes the shared contract ${explanation.contract} and has been ready ${sinceText(explanation.since, now)}; nothing else of ${task.project} starts before it`,
        release: `${explanation.task} is merged, parked or cancelled`,
      };
    case "reserved":
      return {
        because: `${explanation.theirs} is kept for ${explanation.by}, which has been ready ${sinceText(explanation.since, now)} and goes first${meets(explanation)}; this one would take longer than until ${timeText(explanation.until, now)}, when it is expected to be free`,
        release: `${explanation.by} has started and is merged, parked or cancelled`,
      };
    case "no-node-fits":
      return {
        because:
          explanation.nearest === null
            ? "no node is configured"
            : `no node can ever take it; ${explanation.nearest.node} comes closest: ${nodeMissText(explanation.nearest.miss)}`,
        release: `give a node of nodes.json what it needs and start the daemon again, or ask for less: edit the spec, then dispatch retry ${task.id} --edited or feed again`,
      };
    case "nodes-down":
      return {
        because: `every node that could take it is down: ${explanation.nodes.map(({ node, because }) => `${node} (${because})`).join(", ")}`,
        release: `${explanation.nodes.map(({ node }) => node).join(" or ")} comes up again`,
      };
    case "nodes-closed":
      return {
        because: `no node that could take it takes new tasks: ${explanation.nodes.map(shutText).join("; ")}`,
        release: explanation.nodes.map(openText).join(", or "),
      };
    case "resource":
      return {
        because: `it needs ${resourceText(explanation.resource, explanation.wanted)}, and ${explanation.node}, which has most left, has ${resourceText(explanation.resource, explanation.free)} free`,
        release: `sessions on ${explanation.node} end`,
      };
    case "slot":
      return slotText(explanation);
  }
}

function dependencyText(explanation: Extract<Explanation, { kind: "dependency" }>): { because: string; release: string } {
  const because = `it waits for ${explanation.task}, which is ${explanation.state}`;
  if (explanation.state === "parked") return { because, release: `dispatch retry ${explanation.task}` };
  if (explanation.state === "cancelled") return { because, release: `dispatch retry ${explanation.task}, or drop it from depends_on and feed again` };
  if (explanation.state === "unknown") return { because, release: `feed the spec of ${explanation.task}` };
  return { because, release: `${explanation.task} is merged` };
}

function lockText(explanation: Extract<Explanation, { kind: "lock" }>, now: number): { because: string; release: string } {
  const { holder, holderState, since, mine, theirs, meeting } = explanation;
  const release = `${holder} is merged, parked or cancelled`;
  const holds = `${holder} (${holderState}) has held`;
  switch (meeting) {
    case "contract":
      return { because: `${holds} its place ${sinceText(since, now)}, and the shared contract ${mine} is changed by one task alone`, release };
    case "write-read":
      return { because: `${holds} ${theirs} for reading ${sinceText(since, now)}${meets(explanation)}`, release };
    case "read-write":
      return {
        because: `${holds} ${theirs} ${sinceText(since, now)}${mine === theirs ? "" : `, which covers what this one reads: ${mine}`}`,
        release,
      };
    case "write-write":
      return { because: `${holds} ${theirs} ${sinceText(since, now)}${meets(explanation)}`, release };
  }
}

function meets({ mine, theirs }: { mine: string; theirs: string }): string {
  return mine === theirs ? "" : `, which meets ${mine}`;
}

function slotText({ ahead, slots, nodesShut, first }: Extract<Explanation, { kind: "slot" }>): { because: string; release: string } {
  const shut = nodesShut.map((node) => `node ${shutText(node)}`);
  const place = first === null ? "it is the next in line" : `${ahead} go before it, ${first.task} first, ${orderText(first.by)}`;
  const because = `all ${slots} slots it could take are taken; ${place}${shut.length === 0 ? "" : ` (${shut.join("; ")})`}`;
  return { because, release: "a session ends, or a node is added" };
}

function orderText(by: "class" | "share" | "direction" | "rank"): string {
  switch (by) {
    case "class":
      return "which is more urgent";
    case "share":
      return "whose project uses less of its fair share";
    case "direction":
      return "whose direction has fewer sessions";
    case "rank":
      return "behind which more work waits";
  }
}

function landingText(phase: CarState["kind"] | null, others: readonly TaskId[]): string {
  const together =
    others.length === 0 ? "" : ` together with ${others.slice(0, 5).join(", ")}${others.length > 5 ? ` and ${others.length - 5} more` : ""}`;
  switch (phase) {
    case "building":
      return `it is being put on main${together}`;
    case "running":
      return `the tests run on main with this change${together}`;
    case "passed":
      return `the tests were green${together}; main is being moved for another car first`;
    case "red":
      return `the tests were red${together}; the cars ahead are awaited before anybody is blamed`;
    case "advancing":
      return `main is being moved to it${together}`;
    case null:
      return "its car is gone";
  }
}

function releaseText(others: readonly TaskId[]): string {
  return others.length === 0
    ? "the tests are green on main with this change"
    : "the tests are green on main with all of them, or show who is to blame";
}

function triesOf(task: Task): number {
  return task.state.tries;
}

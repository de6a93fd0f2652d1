import type { LimitWay } from "@dispatch/protocol";
import { type DoctorCheck, fail, judgeLook, ok, warn } from "./finding.ts";
import { judgeExecutors } from "./judge-executors.ts";
import { judgeMachine } from "./judge-machine.ts";
import type { NodeFacts } from "./node-facts.ts";

/** What the facts of a node mean for tasks there, each thing with its remedy. */
export function judgeNode(facts: NodeFacts): DoctorCheck[] {
  return [...judgeWay(facts), ...judgeMachine(facts), ...judgeWorker(facts), ...judgeExecutors(facts)];
}

/** Way, key and login; nothing of it applies to this machine. */
function judgeWay({ node, target, address, port, hostKey, login }: NodeFacts): DoctorCheck[] {
  if (target === null) return [];
  const checks = [
    judgeLook("address", address, "see that ssh_target in nodes.json names a machine or an alias of your SSH configuration", ({ host, addresses }) =>
      ok("address", `${host} is ${addresses.join(", ")}`),
    ),
    judgeLook("port", port, "see that the machine is on, runs an SSH server at this port, and that no firewall stands between", ({ port: at, ms }) =>
      ok("port", `an SSH server answers at ${at} in ${ms} ms`),
    ),
    judgeLook("host-key", hostKey, "see that the machine answers, and ssh -v what it says", (value) => judgeKey(node, value)),
    judgeLook("login", login, `ssh ${target} shows what is wrong`, ({ transport, ms }) => ok("login", `with ${transport} in ${ms} ms`)),
  ];
  return checks;
}

function judgeKey(node: string, { pinned, shown }: { pinned: string | null; shown: string }): DoctorCheck {
  if (pinned === null) {
    return fail(
      "host-key",
      `none was accepted yet; it shows ${shown}`,
      `compare it with ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub there, then write "host_key": "${shown}" into nodes.json`,
    );
  }
  if (fingerprintOf(pinned) === fingerprintOf(shown)) return ok("host-key", shown);
  return fail(
    "host-key",
    `changed: accepted was ${pinned}, it shows ${shown}`,
    `somebody may stand in between, or the machine was installed anew; when you know that it was, replace host_key of ${node} in nodes.json`,
  );
}

function fingerprintOf(pin: string): string {
  return pin.split(" ").at(-1) ?? pin;
}

function judgeWorker(facts: NodeFacts): DoctorCheck[] {
  const { target, worker, host, heartbeat, relay, channels, limited } = facts;
  const checks: DoctorCheck[] = [
    judgeLook("node.js", worker, "see the lines above", ({ nodeVersion }) => ok("node.js", nodeVersion ?? "usable")),
    judgeLook("worker", worker, "see that there is room in its work_dir", ({ bundle }) => ok("worker", `sha256 ${bundle.slice(0, 12)}`)),
    judgeLook("host", host, "see .dispatch/daemon.log, and run the worker by hand", ({ ms }) => ok("host", `answers in ${ms} ms`)),
    judgeLook("git-relay", relay, "see that git of both machines runs, and that work_dir is not on a noexec or full disk", ({ ms }) =>
      ok("git-relay", `a commit there and back in ${ms} ms`),
    ),
  ];
  if (heartbeat.kind !== "skipped") {
    checks.push(
      judgeLook("limits", heartbeat, "it should speak within seconds; see the line of the host", ({ limits }) => judgeLimits(limits, limited)),
    );
  }
  if (target !== null) {
    checks.push(
      judgeLook("channels", channels, 'set "MaxSessions 10" in its sshd_config', ({ opened, wanted }) =>
        opened >= wanted
          ? ok("channels", `${opened} beside the host`)
          : fail(
              "channels",
              `only ${opened} of ${wanted} could be opened beside the host`,
              'set "MaxSessions 10" in its sshd_config and reload sshd',
            ),
      ),
    );
  }
  return checksOfWorker(facts, checks);
}

function judgeLimits(way: LimitWay, limited: boolean): DoctorCheck {
  if (way === "cgroup") return ok("limits", "kept by cgroup v2");
  if (way === "systemd") return ok("limits", "kept by systemd");
  const says = way === "rlimit" ? "memory alone can be limited, for each process by itself" : "only output can be limited";
  if (!limited) return ok("limits", `${says}; nodes.json sets no limits for an attempt`);
  return warn("limits", says, "log in there as a user for whom systemd keeps a session (loginctl enable-linger USER), or as root with cgroup v2");
}

/** One cause is told once: without Node.js there is no worker, and without git or tmux their own lines say so. */
function checksOfWorker({ target, slots, worker, survey }: NodeFacts, checks: readonly DoctorCheck[]): DoctorCheck[] {
  if (worker.kind !== "failed") return [...checks];
  const [node, program, ...rest] = checks;
  if (node === undefined || program === undefined) return rest;
  const skip = (check: string, says: string): DoctorCheck => ({ check, level: "skip", says, remedy: null });
  if ("found" in worker.facts) {
    const remedy =
      target === null
        ? "install one that is new enough"
        : `dispatch node bootstrap ${target} --slots ${slots} installs one, or unpack one into ~/.dispatch/node`;
    return [{ ...node, remedy }, skip("worker", "it has no Node.js to run with"), ...rest];
  }
  const toolsTold = "missing" in worker.facts && survey.kind === "seen" && (survey.value.git === null || survey.value.tmux === null);
  if (toolsTold) return [skip("node.js", "not looked at"), skip("worker", "git or tmux is missing"), ...rest];
  return [skip("node.js", "not looked at"), program, ...rest];
}

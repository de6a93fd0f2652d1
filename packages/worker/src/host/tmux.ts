import { spawn } from "node:child_process";
import { FactoryError } from "@dispatch/core";
import { setCertificatesAside } from "../certificates.ts";
import { allowedEnvironment } from "../process/environment.ts";
import type { Host } from "./host.ts";

const patienceMs = 20_000;

interface TmuxAnswer {
  code: number | null;
  out: string;
  said: string;
}

export type NewSession = { outcome: "made"; pid: number } | { outcome: "exists" } | { outcome: "failed"; because: string };

/** Starts a detached session whose pane runs `argv`, a program of this bundle, without a shell. One call to tmux. */
export async function newSession(host: Host, name: string, cwd: string, argv: readonly string[]): Promise<NewSession> {
  const env = Object.entries(setCertificatesAside(allowedEnvironment())).flatMap(([key, value]) => ["-e", `${key}=${value}`]);
  const size = ["-x", "160", "-y", "48"];
  const session = ["new-session", "-d", "-P", "-F", "#{pane_pid}", "-s", name, ...size, "-c", cwd, ...env, "--", ...argv];
  const answer = await askTmux(host, ["set-option", "-g", "history-limit", "50000", ";", ...session]);
  const pid = Number(answer.out.trim());
  if (answer.code === 0 && pid > 1) return { outcome: "made", pid };
  if (/duplicate session/.test(answer.said)) return { outcome: "exists" };
  return { outcome: "failed", because: answer.said.trim() || `tmux ended with code ${answer.code}` };
}

/** The process of a session's pane, or undefined when there is no such session. */
export async function panePid(host: Host, name: string): Promise<number | undefined> {
  const answer = await askTmux(host, ["list-panes", "-s", "-t", `=${name}`, "-F", "#{pane_pid}"]);
  const pid = Number(answer.out.trim().split("\n")[0]);
  return answer.code === 0 && pid > 0 ? pid : undefined;
}

export async function killSession(host: Host, name: string): Promise<void> {
  await askTmux(host, ["kill-session", "-t", `=${name}`]);
}

/** What a session shows, with its history; empty when it is gone. */
export async function capturePane(host: Host, name: string): Promise<string> {
  const answer = await askTmux(host, ["capture-pane", "-p", "-J", "-S", "-2000", "-t", `=${name}:`]);
  return answer.code === 0 ? answer.out : "";
}

async function askTmux(host: Host, args: readonly string[]): Promise<TmuxAnswer> {
  const folder = process.env["TMUX_TMPDIR"];
  const child = spawn("tmux", ["-L", host.socket, "-f", "/dev/null", ...args], {
    env: { ...allowedEnvironment(), ...(folder === undefined ? {} : { TMUX_TMPDIR: folder }) },
    stdio: ["ignore", "pipe", "pipe"],
    cwd: host.home,
  });
  let out = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  return await new Promise((resolve, reject) => {
    child.once("error", (cause) => {
      clearTimeout(timer);
      reject(new FactoryError("TOOL_MISSING", "tmux could not be started on the node", { fault: "user", hint: "Install tmux on the node.", cause }));
    });
    const answer = (): void => resolve({ code: child.exitCode, out, said });
    child.once("close", answer);
    child.once("exit", () => {
      clearTimeout(timer);
      // Should the server that a first call leaves behind ever keep the outputs open.
      setTimeout(answer, 2000).unref();
    });
  });
}

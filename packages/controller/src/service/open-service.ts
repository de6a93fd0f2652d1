import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { loadFactory } from "../config/load-factory.ts";
import { readEnvironment } from "../config/read-environment.ts";
import { describeService, type Service, type ServiceMachine, type ServiceScope } from "./describe-service.ts";

const limitMs = 90_000;

/**
 * The service of a factory on this machine; without a scope the one that is installed, the user's first.
 * `dispatch`: program and first arguments of the command line, absolute.
 */
export async function openService(
  dir: string,
  scope: ServiceScope | undefined,
  dispatch: readonly string[],
): Promise<{ service: Service; machine: ServiceMachine }> {
  const factory = await realpath((await loadFactory(dir)).dir);
  const { all } = readEnvironment();
  const machine: ServiceMachine = {
    platform: process.platform,
    uid: userInfo().uid,
    user: await ownerOf(factory),
    home: homedir(),
    configHome: all["XDG_CONFIG_HOME"] || undefined,
    systemFolder: undefined,
    path: all["PATH"] ?? "",
    run,
  };
  const of = (one: ServiceScope): Service => describeService({ factory, scope: one, dispatch }, machine);
  if (scope !== undefined) return { service: of(scope), machine };
  const user = of("user");
  const system = of("system");
  return { service: !existsSync(user.file) && existsSync(system.file) ? system : user, machine };
}

/** A service of the system that root installs runs as the one whose factory it is. */
async function ownerOf(factory: string): Promise<string> {
  const me = userInfo();
  const { uid } = await stat(factory);
  if (uid === me.uid) return me.username;
  const { code, out } = await run(["id", "-un", String(uid)]);
  return code === 0 ? out.trim() : String(uid);
}

function run([program = "", ...args]: readonly string[]): Promise<{ code: number; out: string; said: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { encoding: "utf8", timeout: limitMs, env: managerEnvironment() }, (error, out, said) => {
      const missing = (error as NodeJS.ErrnoException | null)?.code === "ENOENT";
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      resolve({ code, out, said: missing ? `there is no ${program} on this machine` : said });
    });
  });
}

/** A login by su or a job has no XDG_RUNTIME_DIR, without which the user's own manager is not found. */
function managerEnvironment(): Record<string, string | undefined> {
  const { all } = readEnvironment();
  const folder = `/run/user/${userInfo().uid}`;
  return { ...all, XDG_RUNTIME_DIR: all["XDG_RUNTIME_DIR"] || (existsSync(folder) ? folder : undefined) };
}

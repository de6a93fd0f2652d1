import { FactoryError, type NodeId } from "@dispatch/core";
import { runToEnd } from "../transport/run-to-end.ts";
import { shellWord } from "../transport/shell-word.ts";
import type { Connection } from "../transport/transport.ts";

/** What a node has, as found once after connecting. */
export interface NodeFacts {
  /** The node's folder under its true name. */
  home: string;
  /** A usable Node.js. */
  node: string;
  /** As it says itself; null when it did not. */
  nodeVersion: string | null;
  git: string;
  /** PATH for what runs there: that of the login, with the folder of Node.js in it. */
  path: string;
  cpus: number | null;
  memoryMb: number | null;
  /** Hash of the worker program that lies there under the wanted name; null when there is none. */
  bundle: string | null;
}

export interface ProbeRequest {
  node: NodeId;
  /** Absolute, or from the login's home (`~/…`, or without a slash in front). */
  workDir: string;
  /** The wanted hash of the worker program. */
  sha256: string;
  /** Where a Node.js may lie that the PATH of the login does not name; default: where installers put it. */
  places?: readonly string[];
}

/** As a shell reads them inside double quotes. */
const usualPlaces = [
  "$home/node/bin/node",
  "$HOME/.dispatch/node/bin/node",
  "/usr/local/bin/node",
  "/opt/homebrew/bin/node",
  "$HOME/.volta/bin/node",
  "$HOME/.local/bin/node",
];

/** One script on standard input, so that it meets no start-up files but those of the login itself. */
export async function probeNode(connection: Connection, request: ProbeRequest): Promise<NodeFacts> {
  const { out, said, code, because } = await runToEnd(connection, ["sh"], probeScript(request));
  const found = new Map<string, string[]>();
  for (const line of out.split("\n")) {
    const [, key, value] = /^dispatch-([a-z]+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) found.set(key, [...(found.get(key) ?? []), value]);
  }
  if (code !== 0 || !found.has("done")) {
    throw nodeFailed(request.node, `it could not be looked at: ${said.trim().split("\n").at(-1) || because}`, {
      hint: `see that the login there runs a shell and that ${request.workDir} can be made and written to`,
      retry: "later",
    });
  }
  return requireTools(request.node, found);
}

function requireTools(id: NodeId, found: ReadonlyMap<string, readonly string[]>): NodeFacts {
  const one = (key: string): string | undefined => found.get(key)?.[0];
  const node = one("node");
  if (node === undefined) {
    const old = found.get("old") ?? [];
    throw nodeFailed(id, `it has no usable Node.js: 20.19 or newer is needed, found ${old.length === 0 ? "none" : old.join(", ")}`, {
      hint: "install Node.js there, for example with bootstrap/bootstrap.sh, or unpack one into ~/.dispatch/node",
      retry: "later",
      facts: { found: old },
    });
  }
  const git = one("git");
  const missing = ["git", "tmux"].filter((tool) => one(tool) === undefined);
  if (git === undefined || missing.length > 0) {
    throw nodeFailed(id, `it has no ${missing.join(" and no ")}`, {
      hint: `install ${missing.join(" and ")} there`,
      retry: "later",
      facts: { missing },
    });
  }
  const home = one("home") ?? "";
  const login = one("path") ?? "";
  const folder = node.slice(0, node.lastIndexOf("/"));
  return {
    home,
    node,
    nodeVersion: one("version") ?? null,
    git,
    path: login.split(":").includes(folder) ? login : `${folder}:${login}`,
    cpus: Number(one("cpus")) || null,
    memoryMb: Math.floor(Number(one("memory")) / 1024) || null,
    bundle: one("bundle") ?? null,
  };
}

export function nodeFailed(
  node: NodeId,
  message: string,
  { hint, retry, facts }: { hint: string; retry: "later" | "never"; facts?: Readonly<Record<string, unknown>> },
): FactoryError {
  return new FactoryError("NODE_FAILED", `node ${node}: ${message}`, { fault: "user", retry, hint, facts: { node, ...facts } });
}

function probeScript({ workDir, sha256, places }: ProbeRequest): string {
  const nvm = places === undefined ? ' "$HOME"/.nvm/versions/node/*/bin/node' : "";
  const fixed = (places ?? usualPlaces).map((place) => ` "${place}"`).join("");
  return `work=${shellWord(workDir)}
sha=${shellWord(sha256)}
places='set -- "$(command -v node)"${fixed}${nvm}'
${script}`;
}

const script = `
say() { printf 'dispatch-%s=%s\\n' "$1" "$2"; }
case $work in
  /*) ;;
  '~') work=$HOME ;;
  '~/'*) work=$HOME/\${work#??} ;;
  *) work=$HOME/$work ;;
esac
umask 077
mkdir -p "$work" && home=$(CDPATH='' cd "$work" && pwd -P) && [ -w "$home" ] || { echo "$work cannot be written to" >&2; exit 1; }
say home "$home"
# bootstrap.sh puts the agents there, and what a login over SSH would not find.
[ ! -d "$home/bin" ] || PATH=$home/bin:$PATH
say path "$PATH"
usable() {
  v=\${1#v}
  major=\${v%%.*}
  rest=\${v#*.}
  minor=\${rest%%.*}
  [ "$major" -gt 22 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 12 ]; } || { [ "$major" -eq 20 ] && [ "$minor" -ge 19 ]; }
}
eval "$places"
for node in "$@"; do
  case $node in /*) ;; *) continue ;; esac
  [ -x "$node" ] || continue
  version=$("$node" --version 2>/dev/null) || version=broken
  case $version in v[0-9]*.[0-9]*) if usable "$version" 2>/dev/null; then say node "$node"; say version "$version"; break; fi ;; esac
  say old "$node $version"
done
for tool in git tmux; do
  found=$(command -v "$tool") && say "$tool" "$found"
done
say cpus "$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null)"
if [ -r /proc/meminfo ]; then
  while read -r key value _; do [ "$key" = MemTotal: ] && { say memory "$value"; break; }; done </proc/meminfo
else
  bytes=$(sysctl -n hw.memsize 2>/dev/null) && say memory $((bytes / 1024))
fi
bundle=$home/worker/$sha.mjs
if [ -f "$bundle" ]; then
  sum=
  if command -v sha256sum >/dev/null 2>&1; then sum=$(sha256sum <"$bundle")
  elif command -v shasum >/dev/null 2>&1; then sum=$(shasum -a 256 <"$bundle")
  else sum=$(openssl dgst -sha256 -r <"$bundle")
  fi
  say bundle "\${sum%% *}"
fi
say done yes
`;

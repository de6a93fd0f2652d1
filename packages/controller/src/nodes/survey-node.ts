import { type Connection, runToEnd, shellWord } from "@dispatch/fleet";

/** What a look around on a machine showed; null: it did not say. */
export interface Survey {
  user: string | null;
  system: string | null;
  /** Login shell and the first lines its start-up files print for a command. */
  shell: string | null;
  noise: readonly string[];
  workDir: { path: string; writable: boolean; because: string | null };
  freeDiskBytes: number | null;
  totalDiskBytes: number | null;
  /** Null where the file system has no such limit. */
  freeInodes: number | null;
  /** Its clock minus ours, in ms; right to a second and half of the way there and back. */
  skewMs: number | null;
  git: string | null;
  tmux: string | null;
  charmap: string | null;
  cpus: number | null;
  totalMemoryBytes: number | null;
  freeMemoryBytes: number | null;
  /** Soft limits of the login; Infinity: none. */
  maxProcesses: number | null;
  maxFiles: number | null;
  /** Where each asked program lies. */
  programs: Readonly<Record<string, string | null>>;
}

export interface SurveyRequest {
  /** Absolute, or from the login's home. */
  workDir: string;
  /** Names or paths of programs. */
  programs: readonly string[];
}

/** Looks around on a machine with nothing but `sh`. Throws what the connection throws, or an Error with what `sh` said. */
export async function surveyNode(connection: Pick<Connection, "run">, request: SurveyRequest): Promise<Survey> {
  const began = Date.now();
  const { out, said, code } = await runToEnd(connection, ["sh"], surveyScript(request));
  const found = readLines(out);
  if (code !== 0 || !found.has("done")) throw new Error(said.trim().split("\n").at(-1) || "sh ended without a word");
  return readSurvey(found, request, began);
}

type Found = ReadonlyMap<string, readonly string[]>;

/** `dispatch-KEY=VALUE` lines; everything else is somebody else's. */
export function readLines(out: string): Found {
  const found = new Map<string, string[]>();
  for (const line of out.split("\n")) {
    const [, key, value] = /^dispatch-([a-z0-9-]+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) found.set(key, [...(found.get(key) ?? []), value]);
  }
  return found;
}

function readSurvey(found: Found, request: SurveyRequest, began: number): Survey {
  const text = (key: string): string | null => found.get(key)?.[0] || null;
  const number = (key: string): number | null => {
    const value = text(key);
    if (value === "unlimited") return Number.POSITIVE_INFINITY;
    return value !== null && /^\d+$/.test(value) ? Number(value) : null;
  };
  const kibi = (key: string): number | null => {
    const value = number(key);
    return value === null ? null : value * 1024;
  };
  const middle = (began + Date.now()) / 2;
  const now = number("now");
  const paths = found.get("program") ?? [];
  return {
    user: text("user"),
    system: text("system"),
    shell: text("shell"),
    noise: found.get("noise") ?? [],
    workDir: { path: text("home") ?? request.workDir, writable: text("writable") === "yes", because: text("unwritable") },
    freeDiskBytes: kibi("disk-free"),
    totalDiskBytes: kibi("disk-total"),
    freeInodes: number("inodes-total") === 0 ? null : number("inodes-free"),
    // The whole second it said stands for its middle.
    skewMs: now === null ? null : Math.round(now * 1000 + 500 - middle),
    git: text("git"),
    tmux: text("tmux"),
    charmap: text("charmap"),
    cpus: number("cpus"),
    totalMemoryBytes: kibi("memory-total"),
    freeMemoryBytes: kibi("memory-free"),
    maxProcesses: number("processes"),
    maxFiles: number("files"),
    programs: Object.fromEntries(request.programs.map((name, i) => [name, paths[i] || null])),
  };
}

function surveyScript({ workDir, programs }: SurveyRequest): string {
  const asked = programs.map((name) => `say program "$(command -v ${shellWord(name)})"`).join("\n");
  return `work=${shellWord(workDir)}\n${script}\n${asked}\nsay done yes\n`;
}

// bash reads the same files for a command over SSH only when it takes itself for the first shell; hence SHLVL.
const script = `
say() { printf 'dispatch-%s=%s\\n' "$1" "$2"; }
say now "$(date +%s)"
say user "$(id -un)"
say system "$(uname -sr)"
say shell "$SHELL"
noise=$(SHLVL=0 "\${SHELL:-sh}" -c : 2>&1 </dev/null)
[ -z "$noise" ] || printf '%s\\n' "$noise" | head -n 3 | while read -r line; do say noise "$line"; done
case $work in
  /*) ;;
  '~') work=$HOME ;;
  '~/'*) work=$HOME/\${work#??} ;;
  *) work=$HOME/$work ;;
esac
# As the host's own PATH begins; see probe-node.ts.
[ ! -d "$work/bin" ] || PATH=$work/bin:$PATH
said=$( (umask 077; mkdir -p "$work" && probe=$work/.probe-$$ && : >"$probe" && rm -f "$probe") 2>&1) && say writable yes || say unwritable "$said"
say home "$(CDPATH='' cd "$work" 2>/dev/null && pwd -P)"
there=$work
while [ ! -d "$there" ] && [ "$there" != / ]; do there=$(dirname "$there"); done
df -Pk "$there" 2>/dev/null | { read -r _; read -r _ total _ free _; say disk-total "$total"; say disk-free "$free"; }
df -Pi "$there" 2>/dev/null | { read -r _; read -r _ total _ free _; say inodes-total "$total"; say inodes-free "$free"; }
say git "$(git --version 2>/dev/null)"
say tmux "$(tmux -V 2>/dev/null)"
say charmap "$(locale charmap 2>/dev/null)"
say cpus "$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null)"
if [ -r /proc/meminfo ]; then
  while read -r key value _; do
    case $key in MemTotal:) say memory-total "$value" ;; MemAvailable:) say memory-free "$value" ;; esac
  done </proc/meminfo
else
  bytes=$(sysctl -n hw.memsize 2>/dev/null) && say memory-total $((bytes / 1024))
fi
say processes "$(ulimit -u 2>/dev/null || ulimit -p 2>/dev/null)"
say files "$(ulimit -n)"
`;

#!/bin/sh
# ./run.sh demo | test | up | help
#
# Makes sure that the tools are there, installs and builds what changed, then does what was asked.
# Everything this script itself says goes to stderr: stdout belongs to the command.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

usage() {
  cat <<'TEXT'
Usage: ./run.sh COMMAND [OPTIONS]

  demo   a whole factory in a temp folder, on this machine, with a rehearsed agent
         (--json: last line is JSON; --keep DIR: keep the folder)
  test   everything that has to hold before a change lands; what CI runs (npm run verify)
  up     the daemon, in the foreground, for the factory in this folder (dispatch up)
  help   this text

Needs Node 20.19 or newer (20, 22, 24), npm, git 2.38, tmux 3.0, make, python3 and a C++ compiler; test also sshd
and, as root on Debian or Ubuntu, debootstrap.
What is missing is installed with apt-get, dnf or brew; with sudo where that is needed, after saying so.
TEXT
}

say() { printf '%s\n' "$*" >&2; }

die() {
  say "run.sh: $*"
  exit "${exit_code:-1}"
}

have() { command -v "$1" >/dev/null 2>&1; }

# at_least "3.3a" 3 0
at_least() {
  version=$(printf '%s' "$1" | sed 's/^[^0-9]*//')
  major=${version%%.*}
  rest=${version#*.}
  minor=${rest%%[!0-9]*}
  major=${major%%[!0-9]*}
  [ "${major:-0}" -gt "$2" ] || { [ "${major:-0}" -eq "$2" ] && [ "${minor:-0}" -ge "$3" ]; }
}

node_is_good() {
  have node && node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a > 22 ? 0 : 1)'
}
git_is_good() { have git && at_least "$(git --version | sed 's/git version //')" 2 38; }
tmux_is_good() { have tmux && at_least "$(tmux -V | sed 's/^tmux //; s/^next-//')" 3 0; }
# Apple ships a c++ that does nothing but ask for its command line tools.
compiler_is_good() {
  if have xcode-select; then xcode-select -p >/dev/null 2>&1; else have c++ || have g++ || have clang++; fi
}

sshd_is_there() { have sshd || [ -x /usr/sbin/sshd ] || [ -x /usr/local/sbin/sshd ]; }

# The tests of bootstrap.sh want a bare Debian; where none can be made they say so.
bare_root_can_be_made() { have debootstrap || [ -x /usr/sbin/debootstrap ] || ! have apt-get || [ "$(id -u)" -ne 0 ]; }

# Names of what is missing, one word each. The tests log in to machines of their own, so they need an sshd.
missing_tools() {
  node_is_good || printf 'node '
  have npm || printf 'npm '
  git_is_good || printf 'git '
  tmux_is_good || printf 'tmux '
  compiler_is_good || printf 'c++ '
  have make || printf 'make '
  have python3 || printf 'python3 '
  [ "$command" != test ] || sshd_is_there || printf 'sshd '
  [ "$command" != test ] || bare_root_can_be_made || printf 'debootstrap '
}

# The packages of a platform that hold the named tools.
packages_for() {
  platform=$1
  shift
  for tool in "$@"; do
    case $platform-$tool in
      apt-node | dnf-node) printf 'nodejs ' ;;
      brew-node | brew-npm) printf 'node ' ;;
      dnf-npm) printf 'nodejs-npm ' ;;
      apt-c++) printf 'g++ ' ;;
      dnf-c++) printf 'gcc-c++ ' ;;
      apt-sshd | dnf-sshd) printf 'openssh-server ' ;;
      brew-c++ | brew-make | brew-sshd) ;;
      *) printf '%s ' "$tool" ;;
    esac
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@" >&2
  elif have sudo; then
    say "run.sh: this needs sudo: $*"
    sudo "$@" >&2
  else
    die "this has to be run as root, and there is no sudo: $*"
  fi
}

# Debian starts the server of a package as it installs it, unless this file forbids it. No server of the machine is wanted here.
without_services() {
  policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ] || [ ! -d /usr/sbin ]; then
    "$@"
    return
  fi
  as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >"$1" && chmod 755 "$1"' sh "$policy"
  installed=0
  "$@" || installed=$?
  as_root rm -f "$policy"
  return "$installed"
}

apt_has_good_node() {
  candidate=$(apt-cache policy nodejs | sed -n 's/^ *Candidate: *\([0-9]*:\)\{0,1\}//p')
  at_least "$candidate" 20 19
}

install_tools() {
  missing=$1
  say "run.sh: missing or too old: $missing"
  # Names of tools and packages hold no spaces, so splitting is meant here and below.
  # shellcheck disable=SC2046,SC2086
  if have apt-get; then
    packages=$(packages_for apt $missing)
    apt-get install -s $packages >/dev/null 2>&1 || as_root apt-get update
    case " $missing " in *" node "*) apt_has_good_node || die "the nodejs of this system is too old. Install by hand: $(advice node)" ;; esac
    without_services as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages
  elif have dnf; then
    as_root dnf install -y $(packages_for dnf $missing)
  elif have brew; then
    case " $missing " in *" c++ "* | *" make "*) die "the compiler comes with Apple's command line tools; run: xcode-select --install" ;; esac
    brew install $(packages_for brew $missing) >&2
  else
    die "no apt-get, dnf or brew here. Install these and start again: $(advice "$missing")"
  fi
  hash -r
  missing=$(missing_tools)
  [ -z "$missing" ] || die "the package manager of this system does not offer what is needed. Install by hand: $(advice "$missing")"
}

advice() {
  for tool in $1; do
    case $tool in
      node) printf 'Node 20.19 or newer, with npm (https://nodejs.org/en/download); ' ;;
      npm) printf 'npm 10 or newer (comes with Node); ' ;;
      git) printf 'git 2.38 or newer; ' ;;
      tmux) printf 'tmux 3.0 or newer; ' ;;
      c++) printf 'a C++ compiler (g++ or clang++); ' ;;
      sshd) printf 'the OpenSSH server program (no service of it has to run); ' ;;
      *) printf '%s; ' "$tool" ;;
    esac
  done
}

check_tools() {
  missing=$(missing_tools)
  [ -z "$missing" ] || install_tools "$missing"
}

# Names what node_modules was installed from: the lockfile, and the Node it was compiled for.
install_key() {
  node -e '
    const { createHash } = require("node:crypto");
    const { readFileSync } = require("node:fs");
    const built = [process.platform, process.arch, process.versions.modules].join();
    console.log(createHash("sha256").update(readFileSync("package-lock.json")).update(built).digest("hex"));
  '
}

# An interrupted npm ci leaves no stamp, so that the next run starts it again.
install_packages() {
  stamp=node_modules/.dispatch-installed
  key=$(install_key)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$key" ]; then return; fi
  say "run.sh: npm ci"
  # better-sqlite3 may have to be compiled. With the headers beside node nothing more is downloaded for that.
  prefix=$(node -p 'require("node:path").resolve(process.execPath, "..", "..")')
  if [ -z "${npm_config_nodedir:-}" ] && [ -f "$prefix/include/node/node.h" ]; then
    npm_config_nodedir=$prefix
    export npm_config_nodedir
  fi
  npm ci --no-audit --no-fund >&2
  node -e 'new (require("better-sqlite3"))(":memory:").close()' ||
    die "better-sqlite3 was installed but does not load; remove node_modules and start again, or run: npm rebuild better-sqlite3 --foreground-scripts"
  printf '%s\n' "$key" >"$stamp"
}

# Turbo has no binary for some platforms; the compiler then finds the order by itself, only without a cache.
build() {
  say "run.sh: build"
  if node_modules/.bin/turbo --version >/dev/null 2>&1; then
    npm run --silent build >&2
  else
    npm run --silent build --workspaces --if-present >&2
  fi
}

prepare() {
  check_tools
  export TURBO_TELEMETRY_DISABLED=1 TURBO_NO_UPDATE_NOTIFIER=1 DO_NOT_TRACK=1
  caller=$(pwd)
  cd -- "$root"
  install_packages
  if [ "$1" = build ]; then build; fi
  cd -- "$caller"
}

trap 'exit 130' INT
trap 'exit 143' TERM

command=${1:-help}
[ $# -eq 0 ] || shift
case $command in
  demo)
    prepare build
    exec "$root/node_modules/.bin/tsx" --conditions=@dispatch/source "$root/test/demo/run-demo.ts" "$@"
    ;;
  test)
    prepare nothing
    exec node "$root/scripts/verify.mjs" "$@"
    ;;
  up)
    prepare build
    exec node "$root/packages/cli/dist/bundle/dispatch.js" up "$@"
    ;;
  help | --help | -h)
    usage
    ;;
  *)
    usage >&2
    say ""
    exit_code=2
    die "unknown command \"$command\""
    ;;
esac

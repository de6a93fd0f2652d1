#!/bin/sh
# Makes a bare machine a node: installs what agents and their worker need, and says what it found.
#
#   curl -fsSL URL/bootstrap.sh | bash -s -- --name gpu1 --slots 8 --mode codex
#
# 1. It asks nothing and reads nothing from its input, which may be the script itself.
# 2. Done twice it changes nothing; cut off anywhere, the next run goes on. What is installed appears whole or not at all.
# 3. stdout is node-info.json alone; what happens is told on stderr, and the output of package managers lies in bootstrap.log.
# 4. Keys never stand in an argument of a program, in the log, or in the environment of what is run here.
set -eu

default_node_version=24.21.0
default_node_mirror=https://nodejs.org/dist
# What was seen to run; claude is taken as it is published.
codex_version=0.169.0
opencode_version=1.18.33

newline='
'

usage() {
  cat <<'TEXT'
Usage: bootstrap.sh [--name NAME] [--slots N] [--mode MODE] [OPTIONS]

Makes this machine a node of a factory. As root, or as a user who may use sudo without a password.

  --name NAME          the node's name; default the machine's
  --slots N            how many agents may run here at once, 1 to 512; default the number of cores, at most 8
  --mode MODE          which agents: claude, codex, opencode, hybrid (all three), glm or minimax (claude on their models), none (the default)
  --agents A,B         these agents instead of the mode's, each with @VERSION where that matters
  --label LABEL        what specs may ask for (repeatable)
  --ssh-target TARGET  how the controller reaches this machine: user@host, user@host:port, or a name from its SSH configuration
  --work-dir DIR       folder of the node's files; default ~/.dispatch
  --node-version V     the Node.js to unpack where the system offers none that is new enough
  --node-mirror URL    where from, laid out as https://nodejs.org/dist; also DISPATCH_NODE_MIRROR
  --keys none|node     none, the default: no key is kept here, and an agent needs a login of its own.
                       node: the mode's keys are taken from the environment, or from files, into DIR/env (mode 0600)
  --key-file NAME=FILE a key from the first line of a file; implies --keys node (repeatable)
  --check              only say what is missing; exit code 1 when something is
  --dry-run            only say what would be done
  --help               this text

Keys: claude ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN or CLAUDE_CODE_OAUTH_TOKEN; codex OPENAI_API_KEY or CODEX_API_KEY;
opencode any of these or OPENROUTER_API_KEY; glm ZAI_API_KEY; minimax MINIMAX_API_KEY.

Needs apt-get, dnf, microdnf, yum, apk or brew for what is missing of git, tmux, Python 3, ca-certificates and curl.
Prints node-info.json and keeps it in DIR/node-info.json; dispatch node add node-info.json registers the machine.
TEXT
}

now() { date +%s; }
have() { command -v "$1" >/dev/null 2>&1; }

# tell WORD TEXT: one line for one step.
tell() { printf '%-10s %s (%d s)\n' "$1" "$2" "$(($(now) - began))" >&2; }

fail() {
  printf 'bootstrap: %s\n  try: %s\n' "$1" "$2" >&2
  exit 1
}

wrong() {
  printf 'bootstrap: %s\n  try: bootstrap.sh --help\n' "$1" >&2
  exit 2
}

# logged REMEDY COMMAND…: its output goes to the log, whose end is shown when it fails.
logged() {
  remedy=$1
  shift
  printf '\n# %s\n' "$*" >>"$log"
  lines=$(wc -l <"$log")
  "$@" >>"$log" 2>&1 && return 0
  code=$?
  tail -n "+$((lines + 1))" "$log" | tail -n 15 | sed 's/^/    /' >&2
  fail "$1 failed with exit code $code; all it said is in $log" "$remedy"
}

# at_least "3.3a" 3 0
at_least() {
  number=$(printf '%s' "$1" | sed 's/^[^0-9]*//')
  major=${number%%.*}
  rest=${number#*.}
  minor=${rest%%[!0-9]*}
  major=${major%%[!0-9]*}
  [ "${major:-0}" -gt "$2" ] || { [ "${major:-0}" -eq "$2" ] && [ "${minor:-0}" -ge "$3" ]; }
}

# --- what was asked for ---------------------------------------------------------------------------------------------

read_arguments() {
  name='' slots='' mode=none asked_agents='' labels='' ssh_target='' work=${HOME:?}/.dispatch
  node_version=$default_node_version node_mirror=${DISPATCH_NODE_MIRROR:-$default_node_mirror}
  keys=none key_files='' act=install
  while [ $# -gt 0 ]; do
    option=$1
    shift
    case $option in
      --help | -h) usage && exit 0 ;;
      --check) act=check && continue ;;
      --dry-run) act=dry-run && continue ;;
      --name=* | --slots=* | --mode=* | --agents=* | --label=* | --ssh-target=* | --work-dir=* | --node-version=* | --node-mirror=* | --keys=* | --key-file=*)
        value=${option#*=} option=${option%%=*}
        ;;
      --name | --slots | --mode | --agents | --label | --ssh-target | --work-dir | --node-version | --node-mirror | --keys | --key-file)
        [ $# -gt 0 ] || wrong "$option needs a value"
        value=$1
        shift
        ;;
      *) wrong "unknown option $option" ;;
    esac
    case $option in
      --name) name=$value ;;
      --slots) slots=$value ;;
      --mode) mode=$value ;;
      --agents) asked_agents=$value ;;
      --label) labels="$labels $value" ;;
      --ssh-target) ssh_target=$value ;;
      --work-dir) work=$value ;;
      --node-version) node_version=${value#v} ;;
      --node-mirror) node_mirror=$value ;;
      --keys) keys=$value ;;
      --key-file) keys=node key_files="$key_files$value$newline" ;;
    esac
  done
  complete_arguments
}

complete_arguments() {
  # A machine may have any name; a node has lower-case letters, digits and dashes.
  [ -n "$name" ] || name=$(uname -n | tr '[:upper:]' '[:lower:]' | sed 's/\..*//; s/[^a-z0-9]\{1,\}/-/g; s/^[^a-z]*//; s/-$//')
  case ${name:-0} in [!a-z]* | *[!a-z0-9-]*) wrong "\"$name\" is not a node name: lower-case letters, digits and dashes, a letter first" ;; esac
  cpus=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
  [ -n "$slots" ] || slots=$((cpus < 8 ? cpus : 8))
  case $slots in
    [1-9] | [1-9][0-9] | [1-4][0-9][0-9] | 50[0-9] | 51[0-2]) ;;
    *) wrong "--slots $slots is not a number from 1 to 512" ;;
  esac
  case $mode in
    claude | glm | minimax) agents=claude ;;
    codex) agents=codex@$codex_version ;;
    opencode) agents=opencode@$opencode_version ;;
    hybrid) agents="claude codex@$codex_version opencode@$opencode_version" ;;
    none) agents='' ;;
    *) wrong "unknown mode $mode: claude, codex, opencode, hybrid, glm, minimax or none" ;;
  esac
  [ -z "$asked_agents" ] || agents=$(printf '%s' "$asked_agents" | tr ',' ' ')
  for agent in $agents; do
    package_of "${agent%%@*}" >/dev/null || wrong "unknown agent ${agent%%@*}: claude, codex or opencode"
    case $agent in *@ | *[!A-Za-z0-9.@_+-]*) wrong "--agents $agent names no version" ;; esac
  done
  for label in $labels; do
    case $label in -* | *- | *--* | *[!a-z0-9-]*) wrong "\"$label\" is not a label: lower-case letters, digits and single dashes" ;; esac
  done
  case $keys in none | node) ;; *) wrong "--keys is none or node" ;; esac
  case $work in
    /*) ;;
    \~) work=$HOME ;;
    \~/*) work=$HOME/${work#??} ;;
    *) work=$HOME/$work ;;
  esac
  # The controller names this folder in commands that pass through login shells.
  case $work in *[\'\\!]*) wrong "--work-dir must hold no quotes, backslashes and exclamation marks" ;; esac
  log=$work/bootstrap.log
}

package_of() {
  case $1 in
    claude) echo @anthropic-ai/claude-code ;;
    codex) echo @openai/codex ;;
    opencode) echo opencode-ai ;;
    *) return 1 ;;
  esac
}

# --- the system's packages ------------------------------------------------------------------------------------------

find_manager() {
  manager=none
  if [ "$(uname -s)" = Darwin ]; then
    ! have brew || manager=brew
    return 0
  fi
  for candidate in apt-get dnf microdnf yum apk brew; do
    if have "$candidate"; then
      manager=$candidate
      return 0
    fi
  done
}

certificates_are_there() {
  [ "$(uname -s)" = Darwin ] && return 0
  for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem /etc/ssl/ca-bundle.pem; do
    [ ! -s "$file" ] || return 0
  done
  return 1
}

version_of() {
  case $1 in
    git) git --version 2>/dev/null | sed 's/git version //' ;;
    tmux) tmux -V 2>/dev/null | sed 's/^tmux //; s/^next-//' ;;
    python3) python3 --version 2>/dev/null | sed 's/^Python //' ;;
  esac
}

tool_is_good() {
  case $1 in
    git) have git && at_least "$(version_of git)" 2 38 ;;
    tmux) have tmux && at_least "$(version_of tmux)" 3 0 ;;
    python3) have python3 && at_least "$(version_of python3)" 3 6 ;;
    certificates) certificates_are_there ;;
    fetcher) have curl || have wget ;;
    *) have "$1" ;;
  esac
}

wanted_of() {
  case $1 in
    git) echo 'git 2.38 or newer' ;;
    tmux) echo 'tmux 3.0 or newer' ;;
    python3) echo 'Python 3.6 or newer' ;;
    certificates) echo ca-certificates ;;
    fetcher) echo curl ;;
    node) echo "Node.js $node_needs" ;;
    *) echo "$1" ;;
  esac
}

package_for() {
  case $manager-$1 in
    *-certificates) echo ca-certificates ;;
    *-fetcher) echo curl ;;
    brew-node) echo node ;;
    *-node) echo nodejs ;;
    apt-get-xz) echo xz-utils ;;
    brew-python3) echo python ;;
    *) echo "$1" ;;
  esac
}

as_root() {
  if [ "$manager" = brew ] || [ "$(id -u)" -eq 0 ]; then "$@"
  elif have sudo && sudo -n true 2>/dev/null; then sudo -n "$@"
  elif have doas && doas -n true 2>/dev/null; then doas -n "$@"
  else
    echo "neither root, nor sudo without a password" >&2
    return 77
  fi
}

# A new machine is often still busy with its own first update: the lock is waited for.
apt() { as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"; }

# A run that was cut off may have left packages unpacked and not set up.
mend_packages() {
  [ "$manager" = apt-get ] && [ -n "$(dpkg --audit 2>/dev/null)" ] || return 0
  as_root env DEBIAN_FRONTEND=noninteractive dpkg --force-confold --configure -a
}

refresh_packages() {
  case $manager in
    apt-get) apt update ;;
    apk) as_root apk update ;;
  esac
}

install_packages() {
  case $manager in
    apt-get) mend_packages && apt install -y --no-install-recommends "$@" ;;
    dnf | yum) as_root "$manager" -y --setopt=install_weak_deps=False install "$@" ;;
    microdnf) as_root microdnf -y install "$@" ;;
    apk) as_root apk add --no-progress "$@" ;;
    brew) HOMEBREW_NO_AUTO_UPDATE=1 brew install "$@" ;;
  esac
}

# The version of Node.js that the system's packages offer; nothing when there is none.
offered_node() {
  case $manager in
    apt-get) apt-cache policy nodejs 2>/dev/null | sed -n 's/^ *Candidate: *\([0-9]*:\)\{0,1\}//p' ;;
    dnf | yum) "$manager" -q info nodejs 2>/dev/null | sed -n 's/^Version *: *//p' | tail -n 1 ;;
    microdnf) microdnf repoquery nodejs 2>/dev/null | sed -n 's/^nodejs-\([0-9]*:\)\{0,1\}\([0-9][0-9.]*\)-.*/\2/p' | tail -n 1 ;;
    apk) apk search -x nodejs 2>/dev/null | sed -n 's/^nodejs-//p' | tail -n 1 ;;
    brew) brew info --json=v2 node 2>/dev/null | sed -n 's/.*"stable": *"\([0-9.]*\)".*/\1/p' | head -n 1 ;;
  esac
}

# --- Node.js --------------------------------------------------------------------------------------------------------

node_needs='20.19 or newer (20, 22.12, 24)'

node_version_is_good() {
  number=${1#v}
  major=${number%%.*}
  rest=${number#*.}
  minor=${rest%%[!0-9]*}
  case $major-$minor in *[!0-9-]* | -* | *-) return 1 ;; esac
  [ "$major" -gt 22 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 12 ]; } || { [ "$major" -eq 20 ] && [ "$minor" -ge 19 ]; }
}

# The first that is usable, in the order in which the controller looks for it.
find_node() {
  node='' old_node=''
  for candidate in "$work/node/bin/node" "$HOME/.dispatch/node/bin/node" "$(command -v node || true)" \
    "$HOME/.volta/bin/node" "$HOME/.local/bin/node" "$HOME"/.nvm/versions/node/*/bin/node; do
    [ -x "$candidate" ] || continue
    found=$("$candidate" --version 2>/dev/null) || continue
    if node_version_is_good "$found" && { [ -z "$agents" ] || find_npm "$candidate"; }; then
      node=$candidate
      return 0
    fi
    [ -n "$old_node" ] || old_node="$candidate $found"
  done
  return 1
}

# npm beside this Node.js, else on the PATH.
find_npm() {
  npm=${1%/*}/npm
  [ -x "$npm" ] || npm=$(command -v npm) || return 1
}

# Name of the official build for this machine, or why there is none.
official_build() {
  system=$(uname -s)
  case $system in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    *) echo "no official build of Node.js for $system" && return 1 ;;
  esac
  case $(ldd --version 2>&1 || true) in
    *musl*) echo 'no official build of Node.js for musl' && return 1 ;;
  esac
  machine=$(uname -m)
  case $machine in
    x86_64 | amd64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) echo "no official build of Node.js for $machine" && return 1 ;;
  esac
  echo "node-v$node_version-$system-$machine"
}

# The certificate of a server is checked; what it sent is compared with the sum in any case.
fetch() {
  if have curl; then curl -fsSL --retry 3 --connect-timeout 20 -o "$2" "$1"; else wget -q -T 60 -O "$2" "$1"; fi
}

sha256() {
  if have sha256sum; then sha256sum <"$1"
  elif have shasum; then shasum -a 256 <"$1"
  else openssl dgst -sha256 -r <"$1"
  fi | sed 's/ .*//'
}

no_node() {
  offers="$manager offers ${offer:-none}"
  [ "$manager" != none ] || offers='there is no package manager'
  fail "no Node.js for this machine: $1, and $offers" "install Node.js $node_needs by hand, so that it is on the PATH, and start again"
}

# `build`: what official_build says.
unpack_node() {
  place=${node_mirror%/}/v$node_version
  offline="see that this machine reaches $node_mirror, or name another place with --node-mirror, or a version with --node-version"
  logged "$offline" fetch "$place/SHASUMS256.txt" "$scratch/sums"
  expected=''
  # The smaller one where it can be read and is there.
  for file in "$build.tar.xz" "$build.tar.gz"; do
    if [ "$file" = "$build.tar.gz" ] || have xz; then expected=$(sed -n "s/^\([0-9a-f]\{64\}\)  $file\$/\1/p" "$scratch/sums"); fi
    [ -z "$expected" ] || break
  done
  [ -n "$expected" ] || fail "$place/SHASUMS256.txt does not name $file" "choose another version with --node-version"
  logged "$offline" fetch "$place/$file" "$scratch/$file"
  actual=$(sha256 "$scratch/$file")
  [ "$actual" = "$expected" ] ||
    fail "the checksum of $file is wrong: expected $expected, it is $actual; nothing was installed" "start again; when it stays wrong, name another place with --node-mirror"
  logged "make room in $work and start again" unpack "$scratch/$file" "$scratch"
  logged "install Node.js $node_needs by hand; this build does not run here" "$scratch/$build/bin/node" --version
  put_in_place "$scratch/$build" "$work/node"
}

# No tar is asked for more than every tar knows. That the file is whole was seen by its sum.
unpack() {
  case $1 in *.xz) xz -dc <"$1" ;; *) gzip -dc <"$1" ;; esac | (cd "$2" && tar -xf -)
}

# Replaces a folder; what runs from the old one goes on.
put_in_place() {
  [ ! -e "$2" ] || mv "$2" "$scratch/replaced-${2##*/}"
  mv "$1" "$2"
}

# --- the steps ------------------------------------------------------------------------------------------------------

report_missing() {
  missing_now=yes
  if [ "$act" = check ]; then tell missing "$1"; else tell would "$2"; fi
}

ensure_folders() {
  lacking=''
  for part in '' /agents /attempts /bin /repos /work /worker; do [ -d "$work$part" ] || lacking="$lacking $work$part"; done
  if [ "$act" != install ]; then
    if [ -z "$lacking" ]; then tell ok "folders in $work"; else report_missing "folders in $work" "make folders in $work"; fi
    return 0
  fi
  umask 077
  for part in '' /agents /attempts /bin /repos /work /worker; do
    mkdir -p "$work$part" 2>/dev/null || fail "$work$part cannot be made" "see that $(id -un) may write there, or choose another folder with --work-dir"
    chmod 700 "$work$part"
  done
  : >>"$log"
  scratch=$(mktemp -d "$work/.bootstrap.XXXXXX")
  # What a run left that was killed.
  if have find; then find "$work" -maxdepth 1 -name '.bootstrap.*' -mtime +0 -exec rm -rf {} +; fi
  if [ -z "$lacking" ]; then tell ok "folders in $work"; else tell made "folders in $work"; fi
}

# Everything the system's package manager has to bring, in one call of it.
ensure_packages() {
  tools='git tmux python3 certificates'
  from_system=no node_was_there=yes
  if ! find_node; then
    node_was_there=no
    if [ "$manager" != none ] && [ "$act" = install ]; then refresh_once; fi
    offer=$(offered_node)
    if node_version_is_good "$offer"; then
      from_system=yes
      tools="$tools node"
      [ -z "$agents" ] || [ "$manager" = brew ] || tools="$tools npm"
    else
      build=$(official_build) || no_node "$build"
      tools="$tools fetcher tar gzip"
    fi
  fi
  lacking=''
  for tool in $tools; do
    if [ "$tool" = node ] || ! tool_is_good "$tool"; then lacking="$lacking $tool"; fi
  done
  if [ -n "$lacking" ]; then bring_packages "$lacking"; fi
  for tool in git tmux python3; do
    case " $lacking " in *" $tool "*) ;; *) tell ok "$tool $(version_of "$tool")" ;; esac
  done
}

refresh_once() {
  [ -z "${refreshed:-}" ] || return 0
  refreshed=yes
  tell begins "$manager: looking at what there is"
  # An index that cannot be had now may still be good enough from before.
  printf '\n# %s: refresh\n' "$manager" >>"$log"
  refresh_packages >>"$log" 2>&1 || tell note "$manager could not refresh its lists; see $log"
}

bring_packages() {
  packages='' by_hand=''
  for tool in $1; do
    packages="$packages $(package_for "$tool")"
    by_hand="$by_hand${by_hand:+, }$(wanted_of "$tool")"
  done
  packages=${packages# }
  if [ "$act" != install ]; then
    for tool in $1; do report_missing "$(wanted_of "$tool")" "install $(package_for "$tool") with $manager"; done
    return 0
  fi
  [ "$manager" != none ] ||
    fail "this machine lacks $by_hand, and has no apt-get, dnf, microdnf, yum, apk or brew" "install by hand: $by_hand; then start again"
  refresh_once
  tell begins "$manager: $packages"
  remedy="install by hand as root: $packages; or let $(id -un) use sudo without a password; then start again"
  # Names of packages hold no spaces.
  # shellcheck disable=SC2086
  logged "$remedy" install_packages $packages
  hash -r
  for tool in $1; do
    if [ "$tool" = node ]; then continue; fi
    tool_is_good "$tool" || fail "$manager has installed $(package_for "$tool"), which is not $(wanted_of "$tool")" "install by hand: $(wanted_of "$tool")"
    case $tool in git | tmux | python3) tell installed "$tool $(version_of "$tool")" ;; *) tell installed "$(package_for "$tool")" ;; esac
  done
}

ensure_node() {
  if [ "$node_was_there" = yes ]; then
    tell ok "Node.js $("$node" --version | sed s/v//) $node"
    return 0
  fi
  if [ "$act" != install ]; then
    [ "$from_system" = yes ] || report_missing "Node.js $node_needs${old_node:+; found $old_node}" "unpack Node.js $node_version from $node_mirror into $work/node"
    return 0
  fi
  if [ "$from_system" = no ]; then
    tell begins "Node.js $node_version from $node_mirror${old_node:+; found $old_node}"
    unpack_node
  fi
  find_node || fail "what was installed is not Node.js $node_needs" "install it by hand, with npm beside it, so that it is on the PATH, and start again"
  tell installed "Node.js $("$node" --version | sed s/v//) $node"
}

installed_version() {
  sed -n 's/^ *"version": *"\([^"]*\)".*/\1/p' "$work/agents/$1/node_modules/$(package_of "$1")/package.json" 2>/dev/null | head -n 1
}

ensure_agents() {
  for agent in $agents; do
    program=${agent%%@*}
    version=${agent#"$program"}
    version=${version#@}
    there=$(installed_version "$program")
    if [ -n "$there" ] && [ "${version:-$there}" = "$there" ]; then
      [ "$act" != install ] || write_launcher "$program"
      tell ok "$program $there"
    elif [ "$act" != install ]; then
      report_missing "$program $version" "install $(package_of "$program")${version:+@$version} into $work/agents"
    else
      install_agent "$program" "$version"
    fi
  done
}

install_agent() {
  package=$(package_of "$1")
  tell begins "npm: $package${2:+@$2}"
  prefix=$scratch/agent-$1
  mkdir "$prefix"
  find_npm "$node" || fail "there is no npm beside $node" "install npm and start again"
  offline="see that this machine reaches the npm registry (npm's own settings count: ~/.npmrc, npm_config_registry), and start again"
  logged "$offline" env "PATH=${node%/*}:$PATH" "$npm" install --prefix "$prefix" --no-audit --no-fund --no-package-lock --loglevel=error "$package${2:+@$2}"
  [ -x "$prefix/node_modules/.bin/$1" ] || fail "$package brought no program named $1" "choose another version with --agents $1@VERSION"
  logged "choose another version with --agents $1@VERSION" env "PATH=${node%/*}:$PATH" "$prefix/node_modules/.bin/$1" --version
  put_in_place "$prefix" "$work/agents/$1"
  write_launcher "$1"
  tell installed "$1 $(installed_version "$1")"
}

# A program in DIR/bin finds its Node.js by itself, and its keys where they are kept here.
write_launcher() {
  {
    printf '#!/bin/sh\n# Written by bootstrap.sh.\n'
    printf "PATH='%s':\$PATH\nexport PATH\n" "${node%/*}"
    printf "if [ -r '%s/env' ]; then\n  set -a\n  . '%s/env'\n  set +a\nfi\n" "$work" "$work"
    printf "exec '%s/agents/%s/node_modules/.bin/%s' \"\$@\"\n" "$work" "$1" "$1"
  } >"$scratch/launcher"
  chmod 700 "$scratch/launcher"
  same "$scratch/launcher" "$work/bin/$1" || mv "$scratch/launcher" "$work/bin/$1"
}

same() { [ -f "$2" ] && [ "$(cat "$1")" = "$(cat "$2")" ]; }

# Programs that a login over SSH would not find on its PATH.
ensure_links() {
  [ "$act" = install ] || return 0
  for tool in git tmux; do
    found=$(command -v "$tool")
    case $found in /usr/bin/* | /bin/* | /usr/local/bin/* | "$work"/*) continue ;; esac
    [ -e "$work/bin/$tool" ] || ln -s "$found" "$work/bin/$tool"
  done
}

# --- keys -----------------------------------------------------------------------------------------------------------

known_keys='ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN CLAUDE_CODE_OAUTH_TOKEN OPENAI_API_KEY CODEX_API_KEY OPENROUTER_API_KEY ZAI_API_KEY MINIMAX_API_KEY'

keys_of_mode() {
  case $mode in
    claude) echo ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN CLAUDE_CODE_OAUTH_TOKEN ;;
    codex) echo OPENAI_API_KEY CODEX_API_KEY ;;
    opencode | hybrid) echo ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN CLAUDE_CODE_OAUTH_TOKEN OPENAI_API_KEY CODEX_API_KEY OPENROUTER_API_KEY ;;
    glm) echo ZAI_API_KEY ;;
    minimax) echo MINIMAX_API_KEY ;;
  esac
}

# Keys leave the environment before the first program is started, and stay in variables of this shell alone.
take_keys() {
  for key in $known_keys; do
    eval "kept_$key=\${$key-}"
    unset "$key"
  done
  [ -n "$key_files" ] || return 0
  while IFS= read -r entry; do
    [ -n "$entry" ] || continue
    key=${entry%%=*} file=${entry#*=}
    case " $(keys_of_mode) " in *" $key "*) ;; *) wrong "--key-file $key is no key of mode $mode; known: $(keys_of_mode)" ;; esac
    [ -r "$file" ] || fail "the key file $file cannot be read" "see that it is there and that $(id -un) may read it"
    IFS= read -r "kept_$key" <"$file" || [ -n "$(eval "echo \${kept_$key:+x}")" ] || fail "the key file $file is empty" "write the key into its first line"
  done <<FILES
$key_files
FILES
}

# A word in single quotes for the env file; builtins only.
keep_key() {
  case $2 in *[\'\\]* | *[![:print:]]*) fail "the value of $1 holds quotes, backslashes or control characters, which no key does" "see what the variable or file holds" ;; esac
  env_text="$env_text$1='$2'$newline"
}

ensure_keys() {
  env_text=''
  if [ "$keys" = node ]; then
    for key in $(keys_of_mode); do
      eval "value=\$kept_$key"
      [ -n "$value" ] || continue
      case $key in
        ZAI_API_KEY) keep_key ANTHROPIC_BASE_URL https://api.z.ai/api/anthropic && keep_key ANTHROPIC_AUTH_TOKEN "$value" ;;
        MINIMAX_API_KEY) keep_key ANTHROPIC_BASE_URL https://api.minimax.io/anthropic && keep_key ANTHROPIC_AUTH_TOKEN "$value" ;;
        *) keep_key "$key" "$value" ;;
      esac
    done
    value=''
    [ -n "$env_text" ] || [ "$mode" = none ] || [ -f "$work/env" ] ||
      fail "mode $mode keeps its keys on the node, and none was given" "set one of: $(keys_of_mode); or name a file with --key-file NAME=FILE; or leave --keys out"
  fi
  if [ "$keys" = none ] || [ "$mode" = none ]; then
    [ ! -f "$work/env" ] || tell note "keys of an earlier run lie in $work/env and are still used; remove it if they should not be"
    tell ok "keys: none on this machine${agents:+; its agents need a login of their own, or --keys node}"
    return 0
  fi
  if [ -z "$env_text" ] || { [ -f "$work/env" ] && [ "$env_text" = "$(cat "$work/env")$newline" ]; }; then
    [ "$act" != install ] || chmod 600 "$work/env"
    tell ok "keys in $work/env"
  elif [ "$act" != install ]; then
    report_missing "keys in $work/env" "write keys to $work/env"
  else
    printf '%s' "$env_text" >"$scratch/env"
    mv "$scratch/env" "$work/env"
    tell written "keys in $work/env (mode 0600)"
  fi
}

# --- node-info.json -------------------------------------------------------------------------------------------------

write_info() {
  versions='' shown_work=$work
  # As nodes.json has it, so that it stays right when the home moves.
  # shellcheck disable=SC2088
  if [ "$work" = "$HOME/.dispatch" ]; then shown_work='~/.dispatch'; fi
  for program in claude codex opencode; do
    there=$(installed_version "$program")
    [ -z "$there" ] || versions="$versions $program=$there"
  done
  INFO="$name|$slots|$mode|$cpus|$(id -un)|$(version_of git)|$(version_of tmux)" \
    INFO_LABELS=$labels INFO_AGENTS=$versions INFO_WORK=$shown_work INFO_TARGET=$ssh_target "$node" - >"$scratch/info" <<'PROGRAM'
const { createHash } = require("node:crypto");
const { execFileSync } = require("node:child_process");
const { readFileSync } = require("node:fs");
const os = require("node:os");
const [name, slots, mode, cpus, user, git, tmux] = process.env.INFO.split("|");
const words = (text) => text.split(" ").filter((word) => word !== "");
const quietly = (act, otherwise) => {
  try {
    return act();
  } catch {
    return otherwise;
  }
};
const hostKey = () => {
  const [type, blob] = readFileSync("/etc/ssh/ssh_host_ed25519_key.pub", "utf8").split(" ");
  return `${type} SHA256:${createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64").replace(/=+$/, "")}`;
};
const cards = () => execFileSync("nvidia-smi", ["-L"], { encoding: "utf8", timeout: 20000, stdio: ["ignore", "pipe", "ignore"] });
console.log(
  JSON.stringify(
    {
      name,
      slots: Number(slots),
      mode,
      labels: words(process.env.INFO_LABELS),
      cpus: Number(cpus),
      memory_mb: Math.floor(os.totalmem() / 2 ** 20),
      gpus: quietly(() => cards().split("\n").filter((line) => line.startsWith("GPU ")).length, 0),
      work_dir: process.env.INFO_WORK,
      node: process.versions.node,
      git,
      tmux,
      agents: Object.fromEntries(words(process.env.INFO_AGENTS).map((word) => word.split("="))),
      host_key: quietly(hostKey, undefined),
      ssh_user: user,
      ssh_target: process.env.INFO_TARGET || undefined,
    },
    null,
    2,
  ),
);
PROGRAM
  if same "$scratch/info" "$work/node-info.json"; then
    tell ok "$work/node-info.json"
  else
    mv "$scratch/info" "$work/node-info.json"
    tell written "$work/node-info.json"
  fi
}

clean_up() {
  [ -z "$scratch" ] || rm -rf "$scratch"
}

main() {
  began=$(now) scratch='' missing_now=no
  read_arguments "$@"
  take_keys
  # A login over SSH that starts no login shell lacks some of these.
  PATH=$PATH:${DISPATCH_PLACES-/usr/local/bin:/opt/homebrew/bin}:/usr/sbin:/sbin
  export PATH
  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  find_manager
  if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER-}" ] && [ "$SUDO_USER" != root ]; then
    tell note "everything goes to $work, which is root's; where the controller logs in as $SUDO_USER, run this without sudo"
  fi
  ensure_folders
  ensure_packages
  ensure_node
  ensure_agents
  ensure_keys
  if [ "$act" != install ]; then
    [ "$missing_now" = no ] || [ "$act" = dry-run ] || exit 1
    return 0
  fi
  ensure_links
  write_info
  tell ready "$name: dispatch node add node-info.json registers it"
  cat "$work/node-info.json"
}

main "$@" </dev/null

# shellcheck shell=bash
# Functions shared by the scripts of this folder. Sourced, never run.

# Messages go to standard error so that a script's standard output stays its answer.
say() { printf '%s\n' "$*" >&2; }
fail() {
  printf '%s: error: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# usage_of FILE: prints the comment block at the head of FILE, which is its documentation.
usage_of() { awk 'NR == 1 { next } /^#/ { sub(/^# ?/, ""); print; next } { exit }' "$1"; }

# usage_error TEXT: a wrong command line, exit code 2.
usage_error() {
  printf '%s: %s (try --help)\n' "${0##*/}" "$*" >&2
  exit 2
}

# become_root SCRIPT ARGS...: returns at once when root, else runs the script again under sudo with its SWARM_*
# variables.
become_root() {
  [[ $EUID -eq 0 ]] && return
  command -v sudo >/dev/null || fail "this needs root, and sudo is not installed: run it as root"
  local name variables=()
  for name in ${!SWARM_@}; do variables+=("$name=${!name}"); done
  exec sudo env "${variables[@]}" "$@"
}

# direct COMMAND...: runs COMMAND without the proxies of the environment, which cannot reach hosts of this machine.
direct() {
  env -u http_proxy -u https_proxy -u all_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY "$@"
}

# milliseconds: time for measuring durations, from a clock that only counts up.
milliseconds() {
  local seconds _
  read -r seconds _ </proc/uptime
  echo $((${seconds/./} * 10))
}

# wait_for SECONDS COMMAND...: runs COMMAND every 100 ms until it succeeds; fails when the time is over.
wait_for() {
  local deadline=$(($(milliseconds) + $1 * 1000))
  shift
  until "$@"; do
    (($(milliseconds) < deadline)) || return 1
    sleep 0.1
  done
}

# is_running PID: true while the process exists and is not a zombie.
is_running() {
  local state
  [[ -n ${1:-} && -r /proc/$1/stat ]] || return 1
  state=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) || return 1
  [[ $state != Z* ]]
}

# process_start PID: the start time of a process in clock ticks, which tells a reused pid from the one recorded.
process_start() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# The private caches. Everything in them can be made again, and removing the folder is always safe.
SWARM_PARTS=${SWARM_PARTS:-/var/cache/swarm-parts}

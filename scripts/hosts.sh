#!/usr/bin/env bash
# Real Docker engines on one machine, each as a host of its own: own network address, host name, processes and disk.
#
# usage: scripts/hosts.sh [OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]
#
#   up [N]              starts N hosts (3), dockerhost01 .. at 10.100.199.201 .., engines on port 2375
#   down                ends everything that up started and removes namespaces, cgroups, certificates and data
#   status              one line a host; exit code 0 when every engine answers
#   endpoints           one DOCKER_HOST value a host
#   exec COMMAND...     runs a command in the manager's namespace, dockerswarm01 at .200, where the hosts' names resolve
#   run NN COMMAND...   runs a command inside host NN; `docker` there talks to its engine
#   load NN             loads the images of scripts/images.sh into host NN (up does it for all)
#   kill NN             SIGKILL to the engine: refused connections; its containers go on
#   stop NN             SIGTERM to the engine, which ends its containers
#   restart NN          starts the engine, after stopping it when it runs
#   freeze NN, thaw NN  SIGSTOP, SIGCONT to the engine: the port accepts, nothing answers
#   cut NN, heal NN     pulls the host's network cable, plugs it in again: packets are lost silently
#   poweroff NN, poweron NN   ends everything in the host at once; boots it again with its disk
#   certs FOLDER [N]    makes the certificates of a TLS set of N hosts, without any host
#
# options:
#   --tls               engines ask for client certificates, port 2376; certificates are made in STATE/certs: swarm,
#                       client, rogue, dockerhostNN, each usable as DOCKER_CERT_PATH
#   --engines LIST      engine of each host, 20.10,26.1,28.5 (see scripts/parts.sh); the last one repeats
#   --memory LIST       memory in MB that each engine reports; --cpus LIST  CPUs that each engine may use
#   --labels NN=LABELS  engine labels of one host, e.g. --labels 02="zone=external disk=hdd"
#   --no-images         up loads no images
#   --prefix P          another set beside the default one: prefix of its namespaces (7 small letters or digits at most)
#   --net A.B.C         the set's network (10.100.199); two sets need two networks
#
# The machine itself has the address .254 in a set's network, so tests outside the namespaces reach every host. Labels
# are those of the posts' demonstration: 01 master, internal; 02 non-master, external; 03 master, external; all ssd.
# Needs root. An engine that the machine already runs shares nothing with these and is never touched.
#
# Exit codes: 0 done, 1 failed, 2 wrong command line, 3 an engine version is not available here.
# Environment: SWARM_HOSTS_DIR  state of all sets (/var/lib/swarm-hosts; STATE is DIR/default or DIR/PREFIX)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
source "$here/lib/common.sh"
prefix=
# shellcheck source=lib/hosts_state.sh
source "$here/lib/hosts_state.sh"
# shellcheck source=lib/hosts_network.sh
source "$here/lib/hosts_network.sh"
# shellcheck source=lib/certificates.sh
source "$here/lib/certificates.sh"

readonly max_hosts=50 start_seconds=60 stop_seconds=20
with_images=1

is_up() { [[ -e /run/netns/$(switch_namespace) ]]; }
require_up() { { is_up && load_config; } || fail "no hosts are up${prefix:+ with prefix $prefix}: run scripts/hosts.sh up"; }

# require_host NUMBER: sets `number`.
require_host() {
  require_up
  if ! [[ ${1:-} =~ ^[0-9]{1,2}$ ]] || ((10#$1 < 1 || 10#$1 > count)); then
    usage_error "'${1:-}' is not a host number: 01 to $(printf %02d "$count")"
  fi
  number=$((10#$1))
}

require_engine() { pid=$(engine_pid "$number") || fail "the engine of $(host_name "$number") does not run"; }

answers() { engine_curl "$1" /_ping -o /dev/null; }

# answers_or_ended NUMBER: true when waiting is over; an engine that was seen and is gone will never answer.
answers_or_ended() {
  if engine_pid "$1" >/dev/null; then engine_seen=1; elif [[ -n $engine_seen ]]; then return 0; fi
  init_pid "$1" >/dev/null || [[ -z $engine_seen ]] || return 0
  answers "$1"
}

wait_until_answering() {
  local number=$1 engine_seen=''
  if wait_for "$start_seconds" answers_or_ended "$number" && answers "$number"; then return; fi
  say "hosts: the engine of $(host_name "$number") does not answer; the end of its log:"
  tail -n 5 "$(host_folder "$number")"/{boot,engine}.log >&2 || true
  return 1
}

# boot NUMBER: starts the host's first process; it records itself.
boot() {
  local folder
  folder=$(host_folder "$1")
  mkdir -p "$folder"
  rm -f "$folder/init"
  setsid nsenter --net="/run/netns/$(host_namespace "$1")" unshare --pid --fork --uts --mount --propagation private \
    "$here/lib/host_init.sh" "$prefix" "$1" >"$folder/boot.log" 2>&1 </dev/null &
}

power_off() {
  local pid
  pid=$(init_pid "$1") || return 0
  kill -KILL "$pid"
  wait_for "$stop_seconds" host_is_off "$1" || fail "$(host_name "$1") (pid $pid) does not end"
  rm -f "$(host_folder "$1")/init"
}
host_is_off() { ! init_pid "$1" >/dev/null; }

start_engine() {
  init_pid "$number" >/dev/null || fail "$(host_name "$number") is off: run hosts.sh poweron"
  echo start | timeout 5 tee "$(host_folder "$number")/control" >/dev/null
  wait_until_answering "$number"
}

stop_engine() {
  local pid
  pid=$(engine_pid "$number") || return 0
  kill -CONT "$pid"
  kill -TERM "$pid"
  wait_for "$stop_seconds" engine_has_ended "$number" || fail "the engine of $(host_name "$number") does not stop"
}
engine_has_ended() { ! engine_pid "$1" >/dev/null; }

# cgroups that the engine made for its containers; both versions of the hierarchy.
remove_cgroups() {
  local group
  for group in /sys/fs/cgroup/"$1" /sys/fs/cgroup/*/"$1"; do
    [[ ! -d $group ]] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || return
  done
}

check_can_start() {
  local number
  ! is_up || fail "hosts are already up${prefix:+ with prefix $prefix}: run scripts/hosts.sh down first"
  [[ $net =~ ^([0-9]{1,3}\.){2}[0-9]{1,3}$ ]] || usage_error "--net takes three numbers, as 10.100.199"
  if ! [[ $count =~ ^[0-9]{1,2}$ ]] || ((10#$count < 1 || 10#$count > max_hosts)); then
    usage_error "up takes 1 to $max_hosts hosts"
  fi
  ! ip -o addr show | grep -q " ${net//./\\.}\." || fail "the network $net.0/24 is in use here: choose another with --net"
  for ((number = 1; number <= count; number++)); do
    "$here/parts.sh" path "engine-$(nth "$engines" "$number")" >/dev/null || exit 3
  done
}

up() {
  local number failed=0 begin
  begin=$(milliseconds)
  check_can_start
  rm -rf "$(set_folder)"
  save_config
  trap 'say "hosts: up was not completed"; down' EXIT
  trap 'exit 130' INT TERM
  [[ -z $tls ]] || make_certificates "$(set_folder)/certs"
  network_up
  for ((number = 1; number <= count; number++)); do boot "$number"; done
  for ((number = 1; number <= count; number++)); do wait_until_answering "$number" || failed=1; done
  ((failed == 0)) || exit 1
  [[ -z $with_images ]] || load_images $(seq "$count")
  trap - EXIT INT TERM
  say "hosts: $count up after $(($(milliseconds) - begin)) ms"
  status
}

# load_images NUMBER...
load_images() {
  local number endpoints=()
  for number in "$@"; do endpoints+=("tcp://$(address_of "$number"):$(port)"); done
  if [[ -n $tls ]]; then
    DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=$(set_folder)/certs/client "$here/images.sh" load "${endpoints[@]}"
  else
    env -u DOCKER_TLS_VERIFY -u DOCKER_CERT_PATH "$here/images.sh" load "${endpoints[@]}"
  fi
}

down() {
  local namespace number
  load_config || true
  for ((number = 1; number <= count; number++)); do power_off "$number"; done
  for namespace in $(all_namespaces); do end_processes_in "$namespace"; done
  for ((number = 1; number <= count; number++)); do
    wait_for 10 remove_cgroups "$(host_namespace "$number")" ||
      say "hosts: cgroups are left: /sys/fs/cgroup/*/$(host_namespace "$number")"
  done
  network_down
  rm -rf --one-file-system "$(set_folder)"
  rmdir "${SWARM_HOSTS_DIR:-/var/lib/swarm-hosts}" 2>/dev/null || true
}

status() {
  local number info failed=0
  require_up
  for ((number = 1; number <= count; number++)); do
    printf '%s %s:%s ' "$(host_name "$number")" "$(address_of "$number")" "$(port)"
    if ! init_pid "$number" >/dev/null; then
      echo "off"
      failed=1
    elif ! engine_pid "$number" >/dev/null; then
      echo "engine ended"
      failed=1
    elif info=$(engine_curl "$number" /info); then
      jq -r '"engine \(.ServerVersion), \(.Containers) containers, \(.Images) images, \(.NCPU) CPUs, " +
        "\(.MemTotal / 1048576 | floor) MB, \(.Labels | join(" "))"' <<<"$info"
    else
      echo "no answer"
      failed=1
    fi
  done
  return $failed
}

endpoints() {
  local number
  require_up
  for ((number = 1; number <= count; number++)); do echo "tcp://$(address_of "$number"):$(port)"; done
}

# read_options ARGUMENTS...: takes options from the front; the rest stays in `arguments`.
read_options() {
  while [[ ${1:-} == --* ]]; do
    case $1 in
      --tls) tls=1 ;;
      --no-images) with_images= ;;
      --engines | --memory | --cpus | --prefix | --net | --labels)
        (($# > 1)) || usage_error "$1 needs a value"
        case $1 in
          --engines) engines=$2 ;;
          --memory) memory=$2 ;;
          --cpus) cpus=$2 ;;
          --prefix) prefix=$2 ;;
          --net) net=$2 ;;
          --labels)
            [[ $2 =~ ^([0-9]{1,2})=(.*)$ ]] || usage_error "--labels takes NN=LABELS"
            labels_of[10#${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
            ;;
        esac
        shift
        ;;
      --help)
        usage_of "$0"
        exit 0
        ;;
      *) usage_error "unknown option '$1'" ;;
    esac
    shift
  done
  arguments=("$@")
}

everything=("$@")
read_options "$@"
command=${arguments[0]:-}
[[ -n $command ]] || usage_error "no command"
read_options "${arguments[@]:1}"
[[ $prefix =~ ^[a-z0-9]{0,7}$ ]] || usage_error "--prefix takes up to 7 small letters and digits"
set -- "${arguments[@]}"
if [[ $command != certs ]]; then become_root "$here/hosts.sh" "${everything[@]}"; fi
case $command in
  up)
    if (($# > 0)); then count=$1; fi
    up
    ;;
  down) down ;;
  status) status ;;
  endpoints) endpoints ;;
  exec)
    require_up
    (($# > 0)) || usage_error "exec needs a command"
    exec ip netns exec "$(manager_namespace)" "$@"
    ;;
  run)
    require_host "${1:-}"
    shift
    pid=$(init_pid "$number") || fail "$(host_name "$number") is off"
    (($# > 0)) || usage_error "run needs a command"
    exec env -u DOCKER_HOST nsenter -t "$pid" --net --uts --mount --pid "$@"
    ;;
  load) require_host "${1:-}" && load_images "$number" ;;
  kill) require_host "${1:-}" && require_engine && kill -KILL "$pid" && wait_for 5 engine_has_ended "$number" ;;
  stop) require_host "${1:-}" && stop_engine ;;
  restart) require_host "${1:-}" && stop_engine && start_engine ;;
  freeze) require_host "${1:-}" && require_engine && kill -STOP "$pid" ;;
  thaw) require_host "${1:-}" && require_engine && kill -CONT "$pid" ;;
  cut) require_host "${1:-}" && ip -n "$(switch_namespace)" link set "$(switch_port "$number")" down ;;
  heal) require_host "${1:-}" && ip -n "$(switch_namespace)" link set "$(switch_port "$number")" up ;;
  poweroff) require_host "${1:-}" && power_off "$number" ;;
  poweron) require_host "${1:-}" && power_off "$number" && boot "$number" && wait_until_answering "$number" ;;
  certs)
    (($# > 0)) || usage_error "certs needs a folder"
    if (($# > 1)); then count=$2; fi
    make_certificates "$1"
    ;;
  *) usage_error "unknown command '$command'" ;;
esac

# shellcheck shell=bash
# Names, addresses and recorded state of one set of testbed hosts. Sourced by hosts.sh and host_init.sh after
# common.sh; needs `prefix`.

# The state of a set: its folder, below it one folder a host. `config` there holds the variables of save_config.
set_folder() { echo "${SWARM_HOSTS_DIR:-/var/lib/swarm-hosts}/${prefix:-default}"; }
host_folder() { printf '%s/host%02d' "$(set_folder)" "$((10#$1))"; }

# Defaults of a set, overwritten by options and by load_config.
net=10.100.199     # first three numbers of the set's network
count=3            # hosts
tls=               # non-empty: engines ask for client certificates, port 2376
engines=20.10      # engine version of each host, the last one repeats
memory=            # MB that each engine reports, the last one repeats; empty: the machine's
cpus=              # CPUs that each engine may use, the last one repeats; empty: all
labels_of=()       # [host number]="key=value ..." instead of the usual labels

save_config() {
  mkdir -p "$(set_folder)"
  declare -p net count tls engines memory cpus labels_of | sed 's/^declare -[-a]* //' >"$(set_folder)/config"
}
# shellcheck disable=SC1091 # written by save_config
load_config() { source "$(set_folder)/config" 2>/dev/null; }

port() { [[ -n $tls ]] && echo 2376 || echo 2375; }
address_of() { echo "$net.$((200 + 10#$1))"; } # 0 is the manager
host_name() { printf 'dockerhost%02d' "$((10#$1))"; }
readonly manager_name=dockerswarm01

# Network namespaces; the prefix keeps several sets apart.
switch_namespace() { echo "${prefix}swarmswitch"; }
manager_namespace() { echo "$prefix$manager_name"; }
host_namespace() { echo "$prefix$(host_name "$1")"; }
all_namespaces() {
  local number
  switch_namespace
  manager_namespace
  for ((number = 1; number <= count; number++)); do host_namespace "$number"; done
}

# nth LIST NUMBER: that element of a comma separated list; the last one repeats.
nth() {
  local elements
  IFS=, read -r -a elements <<<"$1"
  ((${#elements[@]} > 0)) || return 0
  echo "${elements[$(($2 <= ${#elements[@]} ? $2 - 1 : ${#elements[@]} - 1))]}"
}

# labels NUMBER: the engine labels of a host, as in the posts' demonstration.
labels() {
  if [[ -n ${labels_of[$1]:-} ]]; then
    echo "${labels_of[$1]}"
    return
  fi
  case $1 in
    1) echo "status=master disk=ssd zone=internal storage=ssd tier=app env=prod" ;;
    2) echo "status=non-master disk=ssd zone=external storage=ssd tier=app env=prod" ;;
    3) echo "status=master disk=ssd zone=external storage=ssd tier=app env=prod" ;;
    *) echo "status=non-master disk=hdd zone=internal storage=hdd tier=data env=dev" ;;
  esac
}

# record_init NUMBER PID: remembers the host's first process with its start time, so that a reused pid is never taken
# for it.
record_init() { echo "$2 $(process_start "$2")" >"$(host_folder "$1")/init"; }

# init_pid NUMBER: pid of the host's first process, seen from outside; fails when it does not run.
init_pid() {
  local pid started
  read -r pid started 2>/dev/null <"$(host_folder "$1")/init" || return 1
  is_running "$pid" && [[ $(process_start "$pid") == "$started" ]] || return 1
  echo "$pid"
}

# engine_pid NUMBER: pid of the host's dockerd, seen from outside; fails when it does not run.
engine_pid() {
  local init
  init=$(init_pid "$1") && pgrep -P "$init" -x dockerd
}

# names_file: the hosts file of a set.
names_file() {
  local number
  printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n%s %s\n' "$(address_of 0)" "$manager_name"
  for ((number = 1; number <= count; number++)); do
    printf '%s %s\n' "$(address_of "$number")" "$(host_name "$number")"
  done
}

# engine_curl NUMBER PATH [CURL ARGUMENTS...]: one request to a host's engine.
engine_curl() {
  local number=$1 path=$2 scheme=http options=()
  shift 2
  if [[ -n $tls ]]; then
    local client
    client=$(set_folder)/certs/client
    scheme=https
    options=(--cacert "$client/ca.pem" --cert "$client/cert.pem" --key "$client/key.pem")
  fi
  direct curl -sf -m 5 "${options[@]}" "$@" "$scheme://$(address_of "$number"):$(port)$path"
}

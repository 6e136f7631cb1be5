# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of hosts_state.sh
# The network of a set of testbed hosts: one bridge in a namespace of its own, a port for the manager, for each host,
# and for the machine itself. Sourced by hosts.sh after hosts_state.sh.

# The root namespace's end of its port; interface names have at most 15 characters.
root_interface() { echo "${prefix}swarmlan"; }
switch_port() { printf 'port%02d' "$((10#$1))"; }

# plug NAMESPACE NUMBER: makes the namespace with one interface on the switch. Nothing leaves it for other networks: a
# look-up or a pull from outside fails at once instead of after a time-out.
plug() {
  local namespace=$1 number=$2 switch
  switch=$(switch_namespace)
  ip netns add "$namespace"
  ip -n "$namespace" link set lo up
  ip -n "$namespace" link add eth0 type veth peer name "$(switch_port "$number")" netns "$switch"
  ip -n "$switch" link set "$(switch_port "$number")" master switch0 up
  ip -n "$namespace" addr add "$(address_of "$number")/24" dev eth0
  ip -n "$namespace" link set eth0 up
  ip -n "$namespace" route add unreachable default
  mkdir -p "/etc/netns/$namespace"
  names_file >"/etc/netns/$namespace/hosts" # what `ip netns exec` shows as /etc/hosts
}

network_up() {
  local switch number
  switch=$(switch_namespace)
  ip netns add "$switch"
  ip -n "$switch" link set lo up
  ip -n "$switch" link add switch0 type bridge
  ip -n "$switch" link set switch0 up
  # A bridge that hands packets to iptables would filter them by rules that are none of its business.
  ip netns exec "$switch" sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null || true
  plug "$(manager_namespace)" 0
  for ((number = 1; number <= count; number++)); do plug "$(host_namespace "$number")" "$number"; done
  ip link add "$(root_interface)" type veth peer name portroot netns "$switch"
  ip -n "$switch" link set portroot master switch0 up
  ip addr add "$net.254/24" dev "$(root_interface)"
  ip link set "$(root_interface)" up
}

# network_down: removes what network_up made, however far it came.
network_down() {
  local namespace
  ip link del "$(root_interface)" 2>/dev/null || true
  for namespace in $(all_namespaces); do
    [[ ! -e /run/netns/$namespace ]] || ip netns del "$namespace"
    rm -rf "/etc/netns/$namespace"
  done
  rmdir /etc/netns 2>/dev/null || true
}

# end_processes_in NAMESPACE: TERM, then KILL, to whatever still runs in it.
end_processes_in() {
  [[ -e /run/netns/$1 ]] || return 0
  local pids
  pids=$(ip netns pids "$1")
  [[ -n $pids ]] || return 0
  # shellcheck disable=SC2086 # a list of pids
  kill -TERM $pids 2>/dev/null || true
  wait_for 3 namespace_is_empty "$1" && return
  # shellcheck disable=SC2046
  kill -KILL $(ip netns pids "$1") 2>/dev/null || true
  wait_for 5 namespace_is_empty "$1" || say "hosts: processes are left in $1: $(ip netns pids "$1" | paste -sd' ')"
}
namespace_is_empty() { [[ -z $(ip netns pids "$1") ]]; }

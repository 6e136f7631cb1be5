#!/usr/bin/env bash
# The first process (PID 1) of a testbed host; started by hosts.sh in network, mount, UTS and PID namespaces of its own.
#
# usage: host_init.sh PREFIX NUMBER
#
# It gives the host its own /proc, /sys, /run, /etc and host name, starts the engine, and then waits for commands in
# the fifo `control` of the host's folder: `start` starts the engine again after it ended. Killing this process ends
# everything in the host at once, as a power cut does; the engine's data stays for the next boot.
set -euo pipefail
prefix=$1 number=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=common.sh
source "$here/common.sh"
# shellcheck source=hosts_state.sh
source "$here/hosts_state.sh"
load_config
folder=$(host_folder "$number")
certificates=$(set_folder)/certs/$(host_name "$number")
version=$(nth "$engines" "$number")
bin=$("$here/../parts.sh" path "engine-$version")

# A sysfs of our own shows this network namespace in /sys/class/net, which the engine's bridge needs, but hides the
# cgroups: they are bound back. All this must come before the tree is made shared, or the last umount would propagate.
mount_sys() {
  mkdir -p "$folder/cgroup"
  mount --rbind /sys/fs/cgroup "$folder/cgroup"
  mount -t sysfs sysfs /sys
  mount --rbind "$folder/cgroup" /sys/fs/cgroup
  umount -l "$folder/cgroup"
}

# /etc of our own, laid over the machine's. An engine 20.10 makes its ID from /etc/docker/key.json, so without this all
# engines would share one ID; and the settings of an engine that the machine runs itself must not be read.
mount_etc() {
  mkdir -p "$folder"/{etc,etc-work,docker-etc}
  mount -t overlay -o "lowerdir=/etc,upperdir=$folder/etc,workdir=$folder/etc-work" overlay /etc
  mkdir -p /etc/docker
  mount --bind "$folder/docker-etc" /etc/docker
  rm -f /etc/hosts /etc/hostname
  names_file >/etc/hosts
  host_name "$number" >/etc/hostname
}

# The engine reports the memory of /proc/meminfo.
mount_memory() {
  local megabytes
  megabytes=$(nth "$memory" "$number")
  [[ -n $megabytes ]] || return 0
  sed -E "s/^MemTotal:.*/MemTotal:       $((megabytes * 1024)) kB/" /proc/meminfo >"$folder/meminfo"
  mount --bind "$folder/meminfo" /proc/meminfo
}

engine=
start_engine() {
  if [[ -n $engine ]] && kill -0 "$engine" 2>/dev/null; then return; fi
  local label options=() limit=()
  for label in $(labels "$number"); do options+=(--label "$label"); done
  if [[ -n $tls ]]; then
    options+=(--tlsverify --tlscacert "$certificates/ca.pem" --tlscert "$certificates/cert.pem"
      --tlskey "$certificates/key.pem")
  else
    options+=(--tls=false) # unless this is said, dockerd waits 16 s before it listens without TLS
  fi
  [[ -z $cpus ]] || limit=(taskset -c "0-$(($(nth "$cpus" "$number") - 1))")
  rm -f /run/docker.pid # the pid in it may be taken by another process since the engine was killed
  PATH=$bin:$PATH "${limit[@]}" dockerd --host "tcp://0.0.0.0:$(port)" --host unix:///run/docker.sock \
    --config-file /etc/docker/daemon.json --data-root "$folder/data" --storage-driver overlay2 \
    --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$(host_namespace "$number")" \
    --insecure-registry "$net.0/24" "${options[@]}" >>"$folder/engine.log" 2>&1 3>&- &
  engine=$!
}

read -r own_pid _ </proc/self/stat # /proc is still the machine's, so this is the pid seen from outside
record_init "$number" "$own_pid"
mount_sys
mount --make-rshared /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mount_etc
mount_memory
hostname "$(host_name "$number")"
mkdir -p "$folder/data"
echo '{}' >/etc/docker/daemon.json

rm -f "$folder/control"
mkfifo "$folder/control"
exec 3<>"$folder/control"
start_engine
while read -r command <&3; do
  case $command in
    start) start_engine ;;
  esac
done

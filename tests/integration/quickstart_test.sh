#!/usr/bin/env bash
# The quickstart from beginning to end: it succeeds, and `down` leaves nothing behind.
#
# usage: quickstart_test.sh SWARMD
#
# Runs scripts/quickstart.sh beside whatever else runs on this machine, with a set of hosts of its own, and compares
# namespaces, interfaces, mounts, cgroups, processes and state folders before and after. An engine that the machine
# already runs must be the same process afterwards.
#
# Exit codes: 0 all held, 1 something did not, 77 SKIPPED (no root, no engine here).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scripts=$here/../../scripts
prefix=qst net=10.100.181

skip() {
  echo "SKIPPED: $*"
  exit 77
}

swarmd=${1:-${SWARMD:-}}
[[ -n $swarmd && -x $swarmd ]] || skip "no swarmd given: quickstart_test.sh SWARMD"
[[ $EUID -eq 0 ]] || skip "hosts in network namespaces need root"
for part in engine-20.10 cli-20.10; do "$scripts/parts.sh" path "$part" >/dev/null 2>&1 || skip "no $part on this machine"; done
export SWARM_SWARMD=$swarmd
"$scripts/images.sh" build >/dev/null 2>&1 || skip "the images cannot be built on this machine"
# Nobody listens there: what asked a proxy for a host of this machine would fail.
export http_proxy=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9 no_proxy=''

work=$(mktemp -d)
# shellcheck disable=SC2317 # called by the trap
finish() {
  "$scripts/quickstart.sh" down --prefix "$prefix" --net "$net" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

# What the set could leave behind, one line each. Only what carries the set's names: others may come and go meanwhile.
traces() {
  ip netns list | grep -w "^${prefix}[a-z0-9]*" || true
  ip -o link show | grep -o "[^ ]*${prefix}[^ ]*" || true
  ip -o addr show | grep -o " ${net//./\\.}\.[0-9]*" || true
  grep -o "/[^ ]*${prefix}[^ ]*" /proc/self/mounts || true
  find /sys/fs/cgroup -maxdepth 2 -name "$prefix*" || true
  for folder in /var/lib/swarm-hosts /var/lib/swarm-quickstart /run/netns; do
    find "$folder"* -maxdepth 1 -name "*$prefix*" 2>/dev/null || true
  done
  local process
  for process in /proc/[0-9]*; do
    if tr '\0' ' ' 2>/dev/null <"$process/cmdline" | grep -q -e "--cgroup-parent /$prefix" -e "swarm-hosts/$prefix" -e " $net\."; then
      echo "process ${process#/proc/}: $(tr '\0' ' ' 2>/dev/null <"$process/cmdline")"
    fi
  done
}
own_engines() { pgrep -x dockerd -a | grep -v -e swarm-hosts || true; }

failed=0
expect() {
  local name=$1
  shift
  if "$@"; then echo "ok     $name"; else
    echo "FAILED $name"
    failed=1
  fi
}

before=$(traces)
engines_before=$(own_engines)
expect "nothing of this set is there before" test -z "$before"
if timeout -k 10 330 "$scripts/quickstart.sh" up --prefix "$prefix" --net "$net" >"$work/up" 2>&1; then
  echo "ok     quickstart.sh up"
else
  echo "FAILED quickstart.sh up, exit code $?; the end of its output:"
  tail -n 25 "$work/up"
  failed=1
fi
expect "it leaves everything running" "$scripts/quickstart.sh" status --prefix "$prefix" --net "$net"
for text in 'zone==external' 'status==non-master' 'affinity:container=nginx' 'affinity:image=nginx' 'mbajor/deepthought'; do
  expect "its output shows the posts' line with $text" grep -q -e "docker run .*$text" "$work/up"
done
expect "docker ps names the hosts" grep -q -E 'dockerhost0[123]/' "$work/up"
expect "docker info lists three nodes" grep -q -E 'Nodes: 3' "$work/up"
expect "there are traces of it to look for" test -n "$(traces)"
expect "quickstart.sh down" timeout -k 10 60 "$scripts/quickstart.sh" down --prefix "$prefix" --net "$net"
after=$(traces)
expect "down leaves nothing behind" test -z "$after"
[[ -z $after ]] || printf '%s\n' "$after"
expect "engines of this machine are what they were" test "$(own_engines)" = "$engines_before"
exit $failed

#!/usr/bin/env bash
# From a fresh clone to one Docker endpoint over three real engines, and the containers of the posts on it.
#
# usage: scripts/quickstart.sh [up]       installs, builds, starts and demonstrates; leaves everything running
#        scripts/quickstart.sh down       ends what up started and leaves nothing behind
#        scripts/quickstart.sh status     engines and swarmd
#
# options (after the command):
#   --engines LIST      engine of each host, e.g. 20.10,26.1,28.5 (default 20.10; see scripts/parts.sh)
#   --prefix P --net N  beside another set of hosts, as in scripts/hosts.sh
#
# It makes three hosts in network namespaces (scripts/hosts.sh), dockerhost01 to 03 at 10.100.199.201 to .203, and
# runs swarmd on a fourth, dockerswarm01 at .200. Then it runs the `docker run` lines of the posts' parts 4, 2 and 3
# with the docker client of Debian 12 and checks where each container landed; the first surprise ends it with exit
# code 1. An engine that this machine already runs is not touched. Needs root or sudo.
#
# Environment: SWARM_SWARMD     a swarmd to use instead of installing and building
#              SWARM_DOCKER     the docker client to use (default: 20.10)
#              SWARM_QUICKSTART_DIR  pid file and log of swarmd (/var/lib/swarm-quickstart)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
# shellcheck source=lib/common.sh
source "$here/lib/common.sh"

readonly healthy_seconds=30 answer_seconds=10 stop_seconds=15
engines=20.10 prefix='' net=10.100.199

hosts() { "$here/hosts.sh" ${prefix:+--prefix "$prefix"} "$@"; }
title() { printf '\n== %s\n' "$*"; }

# ---- swarmd ----

swarmd_pid() {
  local pid started
  read -r pid started 2>/dev/null <"$state/swarmd.pid" || return 1
  is_running "$pid" && [[ $(process_start "$pid") == "$started" ]] || return 1
  echo "$pid"
}
swarmd_has_ended() { ! swarmd_pid >/dev/null; }

build_swarmd() {
  "$here/setup.sh" build engines
  swarmd=$root/build/release/examples/swarmd/swarmd
  say "quickstart: building swarmd"
  (cd "$root" && cmake --preset release >/dev/null && cmake --build --preset release --target swarmd -j "$(nproc)") >&2
  [[ -x $swarmd ]] || fail "the build made no $swarmd"
}

start_swarmd() {
  local pid line=("$swarmd" manage --names=node --insecure -H 0.0.0.0:2375 "$net.[201:203]:2375")
  title "swarmd on dockerswarm01"
  echo "\$ ${line[*]/#$swarmd/swarmd}"
  setsid "$here/hosts.sh" ${prefix:+--prefix "$prefix"} exec "${line[@]}" >"$state/swarmd.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid $(process_start "$pid")" >"$state/swarmd.pid"
  wait_for "$healthy_seconds" three_nodes_healthy || failed "swarmd does not report three healthy nodes"
}

stop_swarmd() {
  local pid
  pid=$(swarmd_pid) || return 0
  kill -TERM "$pid" 2>/dev/null || true
  wait_for "$stop_seconds" swarmd_has_ended && return
  say "quickstart: swarmd (pid $pid) did not end on SIGTERM within $stop_seconds s; killing it"
  kill -KILL "$pid" 2>/dev/null || true
}

three_nodes_healthy() {
  swarmd_pid >/dev/null || failed "swarmd ended"
  [[ $(docker info 2>/dev/null | grep -c 'Status: Healthy') == 3 ]]
}

# ---- docker, and what is expected of it ----

docker() {
  direct env -u DOCKER_CONTEXT -u DOCKER_TLS_VERIFY -u DOCKER_CERT_PATH \
    timeout -k 2 60 "$client" -H "tcp://$net.200:2375" "$@"
}

# failed TEXT: the demonstration did not go as it must.
failed() {
  printf '\nFAILED: %s\n' "$*" >&2
  if [[ -s $state/swarmd.log ]]; then
    say "the end of $state/swarmd.log:"
    tail -n 15 "$state/swarmd.log" >&2
  fi
  say "everything is left as it is; 'scripts/quickstart.sh down' ends it"
  exit 1
}

# run ARGUMENTS...: shows and executes `docker run ARGUMENTS`; sets id and node (the host that it landed on).
run() {
  echo "\$ docker run $*"
  id=$(docker run "$@") || failed "docker run $* ended with exit code $?"
  node=$(node_of "$id")
  echo "${id:0:12} on $node"
}

# node_of ID: the host part of the container's name, as docker ps shows it.
node_of() {
  local name
  name=$(docker ps -a --filter "id=$1" --format '{{.Names}}')
  [[ $name == dockerhost0[123]/* ]] || failed "docker ps shows container ${1:0:12} as '$name', not as dockerhostNN/name"
  echo "${name%%/*}"
}

# expect_on NODE...: the last container landed on one of these.
expect_on() {
  [[ " $* " == *" $node "* ]] || failed "container ${id:0:12} landed on $node, not on ${*// / or }"
}

# expect_answer TEXT: the last container's port 80, published on its host, answers with TEXT.
expect_answer() {
  local address
  address=$(docker inspect --format '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}' "$id") ||
    failed "container ${id:0:12} publishes no port 80"
  address=$net.$((200 + 10#${node#dockerhost})):$address
  wait_for "$answer_seconds" serves "$address" "$1" || failed "http://$address/ does not answer '$1'"
}
serves() { [[ $(direct curl -s -m 2 "http://$1/") == "$2" ]]; }

remove_all() {
  local ids
  title "removing these containers: $1"
  mapfile -t ids < <(docker ps -aq)
  ((${#ids[@]} == 0)) || docker rm -f "${ids[@]}" >/dev/null || failed "docker rm -f ${ids[*]}"
}

# ---- the posts ----

part_4() {
  title "part 4: two proxies outside, three webapps inside"
  run -d -e constraint:zone==external -e constraint:status==master -e SERVICE_NAME=proxy -p 80:80 nginx:latest
  expect_on dockerhost03
  expect_answer "hello from ${id:0:12}"
  run -d -e constraint:zone==external -e constraint:status==non-master -e SERVICE_NAME=proxy -p 80:80 nginx:latest
  expect_on dockerhost02
  expect_answer "hello from ${id:0:12}"
  for _ in 1 2 3; do
    run -d -e constraint:zone==internal -e SERVICE_NAME=webapp -p 80 nginx:latest
    expect_on dockerhost01
    expect_answer "hello from ${id:0:12}"
  done
  show_ps 5
  docker ps | grep -q "$net.203:80->80/tcp" || failed "docker ps does not show the proxy at $net.203:80->80/tcp"
  echo "\$ docker info"
  docker info 2>/dev/null
}

part_2() {
  local nginx_node
  title "part 2: constraints and affinities"
  run -d -P -e constraint:storage=ssd -e constraint:zone=external -t nginx
  expect_on dockerhost02 dockerhost03
  run -d -P --name nginx -t nginx
  nginx_node=$node
  run -d -P --name mysql -e affinity:container=nginx -t mysql
  expect_on "$nginx_node"
  echo "(the next line uses the name nginx again, so the first container of that name goes)"
  docker rm -f nginx >/dev/null || failed "docker rm -f nginx"
  run -d -P --name nginx -e affinity:image=nginx -t nginx
  expect_answer "hello from ${id:0:12}"
  show_ps 8
}

part_3() {
  local nodes=()
  title "part 3: three instances of deepthought on three hosts"
  for _ in 1 2 3; do
    run -d -P mbajor/deepthought:latest
    expect_answer "42, says ${id:0:12}"
    nodes+=("$node")
  done
  [[ $(printf '%s\n' "${nodes[@]}" | sort -u | wc -l) == 3 ]] || failed "the three landed on ${nodes[*]}"
  show_ps 3
}

# show_ps COUNT: shows docker ps, which must list that many.
show_ps() {
  local shown
  echo "\$ docker ps"
  docker ps
  shown=$(docker ps -q | wc -l)
  [[ $shown == "$1" ]] || failed "docker ps lists $shown containers, not $1"
}

# ---- commands ----

up() {
  if swarmd_pid >/dev/null; then fail "it is already up: run scripts/quickstart.sh down first"; fi
  if [[ -n ${SWARM_SWARMD:-} ]]; then swarmd=$SWARM_SWARMD; else build_swarmd; fi
  [[ -x $swarmd ]] || fail "$swarmd is no program"
  SWARM_SWARMD=$swarmd become_root "$here/quickstart.sh" "${everything[@]}"
  client=${SWARM_DOCKER:-$("$here/parts.sh" path cli-20.10)}
  mkdir -p "$state"
  title "three hosts, an engine on each"
  hosts up --engines "$engines" --net "$net" 3
  start_swarmd
  part_4
  part_2
  remove_all "the next part shows an even spread over empty hosts"
  part_3
  title "everything landed where it should"
  cat <<TEXT
Use it:      export DOCKER_HOST=tcp://$net.200:2375     then docker ps, docker run, docker info ...
             (behind a proxy: export no_proxy=$net.200 as well)
A host:      scripts/hosts.sh ${prefix:+--prefix $prefix }run 01 docker ps
Log:         $state/swarmd.log
End it all:  scripts/quickstart.sh down${prefix:+ --prefix $prefix}
TEXT
}

down() {
  become_root "$here/quickstart.sh" "${everything[@]}"
  stop_swarmd
  hosts down
  rm -rf "$state"
}

status() {
  become_root "$here/quickstart.sh" "${everything[@]}"
  hosts status
  if swarmd_pid >/dev/null; then echo "swarmd $net.200:2375 pid $(swarmd_pid)"; else fail "swarmd does not run"; fi
}

everything=("$@")
command=up
if (($# > 0)) && [[ $1 != --* ]]; then
  command=$1
  shift
fi
while (($# > 0)); do
  case $1 in
    --help) usage_of "$0"; exit 0 ;;
    --engines | --prefix | --net)
      (($# > 1)) || usage_error "$1 needs a value"
      printf -v "${1#--}" %s "$2"
      shift 2
      ;;
    *) usage_error "unknown argument '$1'" ;;
  esac
done
state=${SWARM_QUICKSTART_DIR:-/var/lib/swarm-quickstart}${prefix:+-$prefix}
case $command in
  up) up ;;
  down) down ;;
  status) status ;;
  *) usage_error "unknown command '$command': up, down or status" ;;
esac

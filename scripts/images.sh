#!/usr/bin/env bash
# The container images of the tests and the demonstration, made without a registry.
#
# usage: scripts/images.sh build                  makes the archive when needed and prints its path
#        scripts/images.sh list                   prints "NAME IMAGE_ID" for each image
#        scripts/images.sh load DOCKER_HOST...    loads the images into engines, e.g. tcp://10.100.199.201:2375
#
# Names (all :latest): nginx mysql busybox ubuntu alpine redis mbajor/deepthought. They are made of Debian's packages,
# so every one of them runs without being pulled, and an image has the same id on every engine. nginx, deepthought and
# redis are the real servers; mysql only listens on 3306 and says that it holds no database; ubuntu is busybox with
# bash. What each contains stands in scripts/lib/make_images.py and in the label `description` of the image.
#
# Loading skips an engine that has them all. TLS engines: DOCKER_TLS_VERIFY and DOCKER_CERT_PATH as for docker.
#
# Environment: SWARM_PARTS  the cache folder (/var/cache/swarm-parts)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
source "$here/lib/common.sh"

readonly archive=$SWARM_PARTS/images/images.tar

build() {
  mkdir -p "$SWARM_PARTS/images" 2>/dev/null || true
  [[ -w $SWARM_PARTS/images ]] || fail "$SWARM_PARTS/images cannot be written: run this as root, or set SWARM_PARTS"
  python3 "$here/lib/make_images.py" "$archive"
}

list() { python3 "$here/lib/make_images.py" --ids "$archive"; }

# has_all HOST: the engine already holds every image under its id.
has_all() {
  local name id names=() ids=()
  while read -r name id; do
    names+=("$name")
    ids+=("$id")
  done < <(list)
  [[ $(direct timeout 20 "$client" -H "$1" image inspect --format '{{.Id}}' "${names[@]}" 2>/dev/null) == \
    "$(printf '%s\n' "${ids[@]}")" ]]
}

# load_one HOST
load_one() {
  local output
  has_all "$1" && return
  output=$(direct timeout 300 "$client" -H "$1" load -q -i "$archive" 2>&1) || {
    say "images: $1 did not load $archive: $output"
    return 1
  }
}

load() {
  local host failed=0 loaders=()
  client=$("$here/parts.sh" path cli-20.10 2>/dev/null) || client=$(command -v docker) ||
    fail "no docker client on this machine; run scripts/setup.sh engines"
  build
  for host in "$@"; do
    load_one "$host" &
    loaders+=($!)
  done
  for host in "${loaders[@]}"; do wait "$host" || failed=1; done
  return $failed
}

case ${1:-} in
  build)
    build
    echo "$archive"
    ;;
  list)
    build
    list
    ;;
  load)
    shift
    (($# > 0)) || usage_error "load needs at least one DOCKER_HOST"
    load "$@"
    ;;
  -h | --help) usage_of "$0" ;;
  *) usage_error "unknown command '${1:-}': build, list or load" ;;
esac

#!/usr/bin/env bash
# Docker engines and clients of several ages, beside the system and without touching it.
#
# usage: scripts/parts.sh list                 every part: where it is, or why it is not there
#        scripts/parts.sh fetch [NAME...]      makes parts available (default: all); needs root
#        scripts/parts.sh path NAME            prints the part's path; exit code 3 and the reason when there is none
#        scripts/parts.sh missing              names of parts that a fetch would try to get
#
#   engine-20.10 engine-26.1 engine-28.5       path: a folder with dockerd, containerd, runc ... to put first in PATH
#   cli-20.10 cli-26.1 cli-28                  path: the docker client
#   buildx                                     path: the client's plugin for builds, to be linked into cli-plugins
#   compose-2                                  path: docker-compose of major 2, which runs as it is
#   node-clients                               path: a folder node_modules with the clients of tests/clients/node
#   python-build                               path: a folder for PYTHONPATH with scikit-build-core and what it needs
#
# 20.10 is Debian 12's docker.io, used where it is installed. The others come from the packages of Debian 13 and of
# unstable on the same mirror that this machine uses, read through an apt of their own (own sources, lists and cache)
# and unpacked without running their scripts. Of unstable, the newest version of major 28 is taken. Their programs run
# on Debian 12's C library; the newer runc does not, so every engine uses Debian 12's. The node-clients come from the npm
# registry, in the exact versions of tests/clients/node/package-lock.json; none of their install scripts is run.
#
# A part that cannot be had is SKIPPED with its reason; that is no error. The reason is remembered for a day.
#
# Environment: SWARM_PARTS  the cache folder (/var/cache/swarm-parts); removing it is safe
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
source "$here/lib/common.sh"
# shellcheck source=lib/suite_apt.sh
source "$here/lib/suite_apt.sh"

readonly parts=(engine-20.10 engine-26.1 engine-28.5 cli-20.10 cli-26.1 cli-28 buildx compose-2 node-clients
  python-build)
readonly engine_programs=(dockerd containerd containerd-shim-runc-v2 docker-proxy docker-init runc)
readonly node_clients=$here/../tests/clients/node npm_seconds=300

# describe NAME: sets suite, version (a glob that the version of the first package must match) and packages.
describe() {
  case $1 in
    engine-20.10) suite=bookworm version='20.10.*' packages=(docker.io containerd runc tini) ;;
    engine-26.1) suite=trixie version='26.1.*' packages=(docker.io containerd) ;;
    engine-28.5) suite=sid version='28.*' packages=(docker.io containerd) ;;
    cli-20.10) suite=bookworm version='20.10.*' packages=(docker.io) ;;
    cli-26.1) suite=trixie version='26.1.*' packages=(docker-cli) ;;
    cli-28) suite=sid version='28.*' packages=(docker-cli) ;;
    buildx) suite=trixie version='*' packages=(docker-buildx) ;;
    compose-2) suite=trixie version='2.*' packages=(docker-compose) ;;
    # Pure Python, so that Debian 12's interpreter runs them.
    python-build)
      suite=trixie version='*'
      packages=(python3-scikit-build-core python3-pyproject-metadata python3-pathspec python3-packaging)
      ;;
    node-clients) suite='' version='' packages=() ;; # see fetch_node_clients
    *) usage_error "no part is called '$1'; there are: ${parts[*]}" ;;
  esac
}

# part_path NAME: what `path` prints; fails when the part is not there.
part_path() {
  local bin=$SWARM_PARTS/$1/bin program
  case $1 in
    engine-*)
      for program in "${engine_programs[@]}"; do [[ -x $bin/$program ]] || return 1; done
      echo "$bin"
      ;;
    buildx)
      [[ -x $bin/docker-buildx ]] || return 1
      echo "$bin/docker-buildx"
      ;;
    compose-2)
      [[ -x $bin/docker-compose ]] || return 1
      echo "$bin/docker-compose"
      ;;
    python-build)
      bin=$SWARM_PARTS/$1/tree/usr/lib/python3/dist-packages
      [[ -d $bin/scikit_build_core ]] || return 1
      echo "$bin"
      ;;
    node-clients)
      # Those that the tree asks for now.
      cmp -s "$node_clients/package-lock.json" "$SWARM_PARTS/$1/package-lock.json" || return 1
      echo "$SWARM_PARTS/$1/node_modules"
      ;;
    *)
      [[ -x $bin/docker ]] || return 1
      echo "$bin/docker"
      ;;
  esac
}

reason_file() { echo "$SWARM_PARTS/$1/unavailable"; }
reason_of() { cat "$(reason_file "$1")" 2>/dev/null || echo "not fetched yet: run scripts/setup.sh engines"; }

# known_unavailable NAME: a fetch failed less than a day ago.
known_unavailable() { [[ -n $(find "$(reason_file "$1")" -mmin -1440 2>/dev/null) ]]; }

# skip NAME REASON
skip() {
  mkdir -p "$SWARM_PARTS/$1"
  echo "$2" >"$(reason_file "$1")"
  say "SKIPPED $1: $2"
}

# system_has VERSION: Debian's docker.io of that version is installed on this machine.
system_has() {
  local installed
  # shellcheck disable=SC2016 # dpkg expands it
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Version}' docker.io 2>/dev/null) || return 1
  # shellcheck disable=SC2053 # the right side is a glob
  [[ $installed == "installed "$1 ]]
}

# find_program NAME ROOT...: the first of the roots that holds the program; the system's root is the empty one.
find_program() {
  local program=$1 root folder
  shift
  for root in "$@"; do
    for folder in usr/sbin usr/bin sbin bin usr/libexec/docker/cli-plugins usr/lib/docker/cli-plugins; do
      if [[ -x $root/$folder/$program ]]; then
        echo "$root/$folder/$program"
        return
      fi
    done
  done
  return 1
}

# link_programs NAME ROOT: fills the part's bin folder from the unpacked tree ROOT, or from the system when ROOT is
# empty.
link_programs() {
  local name=$1 root=$2 bin=$SWARM_PARTS/$1/bin program source roots=("$2") programs=("${engine_programs[@]}")
  rm -rf "$bin"
  mkdir -p "$bin"
  case $name in
    engine-*) ;;
    buildx) programs=(docker-buildx) ;;
    compose-2) programs=(docker-compose) ;;
    *) programs=(docker) ;;
  esac
  for program in "${programs[@]}"; do
    # What a newer suite does not bring, or brings for a newer C library, is Debian 12's.
    case $name:$program in
      engine-20.10:*) roots=("$root") ;;
      engine-*:runc | engine-*:docker-init) roots=("" "$SWARM_PARTS/engine-20.10/tree") ;;
      *) roots=("$root") ;;
    esac
    if ! source=$(find_program "$program" "${roots[@]}"); then
      skip "$name" "the packages ${packages[*]} of $suite hold no program $program"
      return 1
    fi
    ln -sfn "$source" "$bin/$program"
  done
}

# check_runs NAME: the unpacked programs start on this machine's C library.
check_runs() {
  local program output argument
  for program in "$SWARM_PARTS/$1"/bin/{dockerd,containerd,docker,docker-buildx,docker-compose}; do
    [[ -e $program ]] || continue
    argument=--version
    [[ $program != *-buildx ]] || argument=version
    if ! output=$("$program" $argument 2>&1); then
      skip "$1" "${program##*/} does not run on this machine: ${output%%$'\n'*}"
      return 1
    fi
  done
}

# fetch_node_clients: package-lock.json comes last, and is what part_path looks for.
fetch_node_clients() {
  local folder=$SWARM_PARTS/node-clients output
  rm -rf "$folder/node_modules" "$folder/package-lock.json"
  if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
    skip node-clients "node and npm are not installed"
    return
  fi
  cp "$node_clients/package.json" "$folder/package.json"
  cp "$node_clients/package-lock.json" "$folder/npm-shrinkwrap.json"
  if ! output=$(cd "$folder" && timeout -k 10 "$npm_seconds" npm ci --ignore-scripts --omit=optional --no-audit \
    --no-fund 2>&1); then
    skip node-clients "npm did not deliver them within $npm_seconds s: ${output##*$'\n'}"
    return
  fi
  mv "$folder/npm-shrinkwrap.json" "$folder/package-lock.json"
  say "parts: node-clients is at $(part_path node-clients)"
}

# check_python_build: this machine's interpreter can load it.
check_python_build() {
  local output
  if ! output=$(PYTHONPATH=$(part_path python-build) /usr/bin/python3 -c 'import scikit_build_core.build' 2>&1); then
    skip python-build "it does not load: ${output##*$'\n'}"
    rm -rf "${SWARM_PARTS:?}/python-build/tree"
    return
  fi
  say "parts: python-build is at $(part_path python-build)"
}

# fetch NAME
fetch() {
  local name=$1 suite version packages root='' found
  describe "$name"
  mkdir -p "$SWARM_PARTS/$name"
  rm -f "$(reason_file "$name")"
  if [[ $name == node-clients ]]; then
    fetch_node_clients
    return
  fi
  if ! { [[ $suite == bookworm ]] && system_has "$version"; }; then
    root=$SWARM_PARTS/$name/tree
    if ! suite_update "$suite"; then
      skip "$name" "the mirror does not serve the package lists of $suite"
      return
    fi
    if ! found=$(suite_newest "$suite" "${packages[0]}" "$version"); then
      skip "$name" "$suite has no ${packages[0]} $version (it has: $(suite_versions "$suite" "${packages[0]}"))"
      return
    fi
    if ! suite_unpack "$suite" "$root" "${packages[0]}=$found" "${packages[@]:1}"; then
      skip "$name" "the mirror did not deliver ${packages[*]} of $suite"
      return
    fi
  fi
  if [[ $name == python-build ]]; then
    check_python_build
    return
  fi
  if link_programs "$name" "$root" && check_runs "$name"; then
    say "parts: $name is at $(part_path "$name")"
  else
    rm -rf "${SWARM_PARTS:?}/$name/bin"
  fi
}

fetch_all() {
  local name
  for name in "$@"; do describe "$name"; done
  become_root "$here/parts.sh" fetch "$@"
  mkdir -p "$SWARM_PARTS"
  exec 9>"$SWARM_PARTS/lock"
  flock -w 600 9 || fail "another fetch holds $SWARM_PARTS/lock"
  for name in "$@"; do
    part_path "$name" >/dev/null || fetch "$name"
  done
}

case ${1:-list} in
  list)
    for name in "${parts[@]}"; do
      printf '%-14s %s\n' "$name" "$(part_path "$name" || echo "SKIPPED: $(reason_of "$name")")"
    done
    ;;
  fetch)
    shift
    if (($# > 0)); then fetch_all "$@"; else fetch_all "${parts[@]}"; fi
    ;;
  path)
    describe "${2:?path needs the name of a part}"
    part_path "$2" && exit
    say "$2: $(reason_of "$2")"
    exit 3
    ;;
  missing)
    for name in "${parts[@]}"; do
      part_path "$name" >/dev/null || known_unavailable "$name" || echo "$name"
    done
    ;;
  -h | --help) usage_of "$0" ;;
  *) usage_error "unknown command '$1'" ;;
esac

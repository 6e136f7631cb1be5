#!/usr/bin/env bash
# Installs what libswarm needs on a Debian 12 machine.
#
# usage: scripts/setup.sh [build|test|engines|all]...     (default: all)
#
#   build     compiler, CMake and libraries: enough to build swarmd
#   test      build, and the second compiler, checkers and programs that tests and benchmarks use
#   engines   Docker engines and clients: Debian's own, and newer ones unpacked beside the system (scripts/parts.sh)
#   all       everything
#
# The packages are those of scripts/packages.txt. Needs root or sudo. Running it again is quick and changes nothing.
#
# No packaged daemon is started, stopped or restarted, and no installed package is removed: an engine, proxy or web
# server that this machine already runs goes on undisturbed. A test or engine part that the mirror does not have is
# skipped with the reason; a missing build package is an error.
#
# Environment: SWARM_PARTS  where newer parts are unpacked (/var/cache/swarm-parts)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
source "$here/lib/common.sh"

readonly policy=/usr/sbin/policy-rc.d saved_policy=/usr/sbin/policy-rc.d.before-swarm-setup
apt=(apt-get -y -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

# packages_of SECTION: the names in one section of packages.txt.
packages_of() {
  awk -v wanted="$1" '
    /^# section: / { section = $3; next }
    { sub(/#.*/, "") }
    NF && section == wanted { print $1 }' "$here/packages.txt"
}

# missing_of PACKAGE...: those that are not installed.
missing_of() {
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
    awk '$1 == "installed" { print $2 }') || true
  # Node.js of another source brings npm along, and conflicts with Debian's package of it.
  ! command -v npm >/dev/null || installed+=$'\nnpm'
  printf '%s\n' "$@" | sort -u | grep -vxF -e "$installed" || true
}

# While packages are installed, policy-rc.d answers 101 (do not start or stop any service) to every maintainer script.
forbid_service_starts() {
  restore_service_policy # of an earlier run that was killed
  if [[ -e $policy ]]; then mv "$policy" "$saved_policy"; fi
  printf '#!/bin/sh\nexit 101\n# made by libswarm setup.sh\n' >"$policy"
  chmod 755 "$policy"
  trap restore_service_policy EXIT
}
restore_service_policy() {
  if [[ -e $policy ]] && grep -q '^# made by libswarm setup.sh$' "$policy"; then rm -f "$policy"; fi
  if [[ -e $saved_policy ]]; then mv "$saved_policy" "$policy"; fi
}

lists_are_fresh=
update_lists() {
  [[ -z $lists_are_fresh ]] || return 0
  say "setup: reading package lists"
  "${apt[@]}" update >/dev/null || { sleep 2; "${apt[@]}" update >/dev/null; } ||
    say "setup: apt-get update failed; going on with the lists at hand"
  lists_are_fresh=1
}

# can_install PACKAGE: the mirror has it, and installing it removes nothing.
can_install() { "${apt[@]}" install --simulate --no-install-recommends --no-remove "$1" >/dev/null 2>&1; }

# install_required PACKAGE...: all or nothing.
install_required() {
  "${apt[@]}" install --no-install-recommends --no-remove "$@" >/dev/null && return
  lists_are_fresh=
  update_lists
  "${apt[@]}" install --no-install-recommends --no-remove "$@" >/dev/null ||
    fail "apt-get could not install: $*"
}

# install_optional PACKAGE...: installs those that can be; names and skips the others.
install_optional() {
  local package possible=()
  for package in "$@"; do
    if can_install "$package"; then
      possible+=("$package")
    elif [[ -z $(apt-cache show --no-all-versions "$package" 2>/dev/null) ]]; then
      say "SKIPPED $package: the mirror does not have it"
    else
      say "SKIPPED $package: it cannot be installed without removing a package that this machine has"
    fi
  done
  ((${#possible[@]} == 0)) || install_required "${possible[@]}"
}

# install_section SECTION
install_section() {
  local section=$1 packages missing
  mapfile -t packages < <(packages_of "$section")
  ((${#packages[@]} > 0)) || fail "packages.txt has no section '$section'"
  mapfile -t missing < <(missing_of "${packages[@]}")
  if ((${#missing[@]} == 0)); then
    say "setup: $section: all ${#packages[@]} packages are installed"
    return
  fi
  become_root "$here/setup.sh" "${sections[@]}"
  [[ -e $policy && -e $saved_policy ]] || forbid_service_starts
  update_lists
  say "setup: $section: installing ${missing[*]}"
  if [[ $section == build ]]; then install_required "${missing[@]}"; else install_optional "${missing[@]}"; fi
}

# fetch_parts: newer engines and clients; parts.sh names each one that cannot be had, and why.
fetch_parts() {
  local missing
  mapfile -t missing < <("$here/parts.sh" missing)
  if ((${#missing[@]} > 0)); then
    become_root "$here/setup.sh" "${sections[@]}"
    "$here/parts.sh" fetch "${missing[@]}"
  fi
  say "setup: engines: newer parts:"
  "$here/parts.sh" list | sed 's/^/  /' >&2
}

command -v apt-get >/dev/null || fail "this machine has no apt-get; libswarm is built on Debian 12"
sections=("$@")
((${#sections[@]} > 0)) || sections=(all)
wanted=
for section in "${sections[@]}"; do
  case $section in
    build) wanted+=" build" ;;
    test) wanted+=" build test" ;;
    engines) wanted+=" engines" ;;
    all) wanted+=" build test engines" ;;
    -h | --help) usage_of "$0"; exit 0 ;;
    *) usage_error "unknown section '$section': build, test, engines or all" ;;
  esac
done
for section in build test engines; do
  if [[ " $wanted " == *" $section "* ]]; then install_section "$section"; fi
done
if [[ " $wanted " == *" engines "* ]]; then fetch_parts; fi

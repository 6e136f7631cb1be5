#!/usr/bin/env bash
# Proves the package list: an empty Debian 12 with nothing but what scripts/setup.sh installs there builds swarmd.
#
# usage: tests/install/clean_root.sh
#
# Makes a minimal root with debootstrap from the mirror in this machine's apt sources, copies the tracked files into
# it, and runs setup.sh build, the release build of swarmd and `swarmd version` inside; then setup.sh all. Nothing of
# this machine's packages is seen there. Needs root, about 4 GB of disk and a quarter of an hour.
#
# Exit codes: 0 it builds and runs, 1 it does not, 77 skipped: the root could not be made here.
# Environment: SWARM_CLEAN_ROOT  the folder to make the root in (/var/tmp)
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=../../scripts/lib/common.sh
source "$repository/scripts/lib/common.sh"
# shellcheck source=../../scripts/lib/suite_apt.sh
source "$repository/scripts/lib/suite_apt.sh"

# shellcheck source=debian_root.sh
source "$repository/tests/install/debian_root.sh"

become_root "$repository/tests/install/clean_root.sh"
make_root "clean root"

say "clean root: copying the tracked files"
mkdir -p "$clean/src/libswarm"
git -C "$repository" -c safe.directory="$repository" ls-files -z |
  tar -C "$repository" --null --ignore-failed-read -T - -c | tar -C "$clean/src/libswarm" -x

say "clean root: scripts/setup.sh build"
inside /src/libswarm/scripts/setup.sh build
inside /src/libswarm/scripts/setup.sh build 2>&1 | grep -q 'are installed' || fail "a second setup.sh found work to do"
say "clean root: release build of swarmd"
inside bash -c 'cd /src/libswarm && cmake --preset release -DSWARM_UNITY=ON'
inside bash -c "cd /src/libswarm && cmake --build --preset release --target swarmd -j $(nproc)"
inside /src/libswarm/build/release/examples/swarmd/swarmd version
say "clean root: scripts/setup.sh all"
inside /src/libswarm/scripts/setup.sh all
inside /src/libswarm/scripts/parts.sh path engine-20.10 >/dev/null
[[ ! -e $clean/usr/sbin/policy-rc.d ]] || fail "setup.sh left its policy-rc.d behind"
say "clean root: it builds and runs"

#!/usr/bin/env bash
# Proves the Debian packages: they install by apt in an empty Debian 12, and run there.
#
# usage: tests/install/packages_root.sh [BUILD]    BUILD: a built release tree (build/release)
#
# Makes a minimal root with debootstrap from the mirror in this machine's apt sources and runs deb_test.py --install in
# it: swarmd answers, a C program is built against libswarm-dev, Python imports pyswarm, and a purge leaves nothing.
# Needs root, about 2 GB of disk and five minutes.
#
# Exit codes: 0 they do, 1 they do not, 77 skipped: the root could not be made here.
# Environment: SWARM_CLEAN_ROOT  the folder to make the root in (/var/tmp)
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=../../scripts/lib/common.sh
source "$repository/scripts/lib/common.sh"
# shellcheck source=../../scripts/lib/suite_apt.sh
source "$repository/scripts/lib/suite_apt.sh"
# shellcheck source=debian_root.sh
source "$repository/tests/install/debian_root.sh"

build=$(cd "${1:-$repository/build/release}" && pwd)
become_root "$repository/tests/install/packages_root.sh" "$build"
make_root "packages"
inside apt-get update >/dev/null || skip "apt cannot reach its mirror from the new root"
python3 -B "$repository/tests/install/deb_test.py" --build "$build" --install "$clean"

#!/usr/bin/env bash
# Debian packages of a build tree: libswarm1, libswarm-dev, swarmd and python3-pyswarm, of what was built there.
#
# usage: scripts/package.sh [BUILD [FOLDER]]   BUILD: a built release tree (build/release); FOLDER: where the packages
#                                              go (BUILD/packages/deb)
#
# Prints the path of each package, one a line. They are for the Debian that BUILD was built on; install them with
# `apt install ./*.deb`, which brings what they need. Needs no root.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
source "$here/lib/common.sh"

case ${1:-} in
  -h | --help) usage_of "$0"; exit 0 ;;
  -*) usage_error "unknown argument '$1'" ;;
esac
(($# <= 2)) || usage_error "two arguments at most"
build=${1:-$here/../build/release}
[[ -f $build/CPackConfig.cmake ]] || fail "$build is no configured build: cmake --preset release && cmake --build --preset release"
for program in dpkg-shlibdeps file; do
  command -v "$program" >/dev/null || fail "$program is not installed (scripts/setup.sh build)"
done
build=$(cd "$build" && pwd)
folder=${2:-$build/packages/deb}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# Of an earlier run, perhaps of another version.
rm -f "$folder"/{libswarm,swarmd,python3-pyswarm}*.deb
# The times of the files, so that the same tree makes the same packages.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(dpkg-parsechangelog -l "$here/../packaging/debian/changelog" -S Timestamp)}
export SOURCE_DATE_EPOCH
log=$(mktemp)
trap 'rm -rf "$log" "$folder/_CPack_Packages"' EXIT
(cd "$build" && cpack --config "$build/CPackConfig.cmake" -B "$folder" -D CPACK_THREADS=0) >"$log" 2>&1 || {
  cat "$log" >&2
  fail "cpack could not build the packages"
}
rm -rf "$folder/_CPack_Packages"
find "$folder" -maxdepth 1 -name '*.deb' | sort

#!/usr/bin/env bash
# The binary interface of libswarm.so, as it was at the last release, and what has become of it.
#
# usage: scripts/abi.sh check [LIBRARY [HEADERS]]
#                                         compares the library with bindings/c/abi/libswarm.abi: what is missing or
#                                         changed is printed. New functions and enumerators are no change, nor are new
#                                         members at the end of structs that begin with struct_size
#        scripts/abi.sh renew [LIBRARY]   writes the description anew, and tools/exported_symbols.txt. At each release,
#                                         and with a new number in SWARM_ABI (bindings/c/CMakeLists.txt)
#
# LIBRARY is build/release/bindings/c/libswarm.so unless given: not stripped, since the types are read from its debug
# information. HEADERS is the folder, include/swarmlib unless given, of the headers that it was compiled with.
#
# Exit codes: 0 as it was, 1 something a compiled program relies on is gone or changed, 2 wrong usage, 77 SKIPPED:
# abigail-tools is not installed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
# shellcheck source=lib/common.sh
source "$here/lib/common.sh"

readonly description=$root/bindings/c/abi/libswarm.abi growth=$here/lib/abi_structs.py
library=${2:-$root/build/release/bindings/c/libswarm.so}
include=${3:-$root/include/swarmlib}
readonly headers=("$include/swarm.h" "$include/swarm_extend.h")

case ${1:-} in
  -h | --help) usage_of "$0"; exit 0 ;;
  check | renew) ;;
  *) usage_error "check or renew is wanted" ;;
esac
for program in abidw abidiff; do
  command -v "$program" >/dev/null || {
    echo "SKIPPED: $program is not installed (scripts/setup.sh test)"
    exit 77
  }
done
[[ -r $library ]] || fail "there is no $library; build the target swarm_c"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# describe FILE: only what is exported, with the types of the two headers; all others are names. Nothing in it tells in
# which folder the library was built.
describe() {
  local options=() header
  for header in "${headers[@]}"; do options+=(--header-file "$header"); done
  abidw "${options[@]}" --exported-interfaces-only --drop-private-types --drop-undefined-syms --no-elf-needed \
    --no-show-locs --no-corpus-path --no-comp-dir-path --type-id-style hash --out-file "$1" "$library"
  sed -i "s|\(<abi-instr .*path='\)/[^']*/\(bindings/c/\)|\1\2|" "$1"
}

if [[ $1 == renew ]]; then
  describe "$work/now.abi"
  if grep "path='/" "$work/now.abi"; then fail "the description would name folders of this machine"; fi
  cp "$work/now.abi" "$description"
  nm -D --defined-only "$library" | awk '{ print $3 }' | LC_ALL=C sort >"$root/tools/exported_symbols.txt"
  echo "written: $(grep -c '<elf-symbol ' "$description") functions"
  exit
fi

describe "$work/now.abi"
code=0
python3 -B "$growth" "$description" "$work/now.abi" || code=$?
# 1 and 2: abidiff itself failed; 4: a change; 8: one that breaks programs for certain.
abidiff --no-added-syms "$description" "$work/now.abi" || code=$?
((code == 0)) || exit 1
echo "the binary interface is that of $(basename "$description")"

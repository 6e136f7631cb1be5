#!/usr/bin/env bash
# libswarm.so exports the functions of tools/exported_symbols.txt and nothing else. Prints what is missing or too much,
# and how large the library is without its debug information.
#
# usage: tools/check_exports.sh LIBRARY
#
# Exit codes: 0 it does, 1 it does not.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
library=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

nm -D --defined-only "$library" | awk '{ print $3 }' | LC_ALL=C sort >"$work/now"
if ! diff "$root/tools/exported_symbols.txt" "$work/now"; then
  echo "< is missing, > is new; scripts/abi.sh renew writes the list anew"
  exit 1
fi
strip -o "$work/stripped" "$library"
echo "$(wc -l <"$work/now") symbols; $(stat -c %s "$work/stripped") bytes stripped, $(stat -Lc %s "$library") with debug information"

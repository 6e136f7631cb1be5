#!/usr/bin/env bash
# Every C and C++ file is as clang-format 14 with .clang-format leaves it. Prints the files that are not.
#
# usage: tools/check_format.sh
#
# Exit codes: 0 all are, 1 some are not, 77 SKIPPED: clang-format-14 is not installed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
command -v clang-format-14 >/dev/null || {
  echo "SKIPPED: clang-format-14 is not installed (scripts/setup.sh test)"
  exit 77
}
cd "$root"
mapfile -t files < <(find src include examples bindings tests/unit tests/capi -name '*.cc' -o -name '*.h' -o -name '*.c' | LC_ALL=C sort)
wrong=$({ clang-format-14 --dry-run -Werror "${files[@]}" 2>&1 || true; } | sed -n 's/^\([^:]*\):.*error:.*/\1/p' | uniq)
if [[ -n $wrong ]]; then
  printf '%s\n' "$wrong" "these want: clang-format-14 -i FILE"
  exit 1
fi
echo "${#files[@]} files are as they should be"

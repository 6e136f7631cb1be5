#!/usr/bin/env bash
# The C scenario under valgrind: no invalid access, no use of what was not set, no block that is lost.
#
# usage: tests/capi/valgrind.sh PROGRAM ARGUMENT...
#
# Exit codes: 0 clean, 9 not, 77 SKIPPED: valgrind is not installed.
set -euo pipefail
command -v valgrind >/dev/null || {
  echo "SKIPPED: valgrind is not installed (scripts/setup.sh test)"
  exit 77
}
valgrind --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect --show-leak-kinds=definite,indirect \
  --num-callers=20 "$@" | tail -n 1

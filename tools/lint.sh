#!/usr/bin/env bash
# clang-tidy with the list in .clang-tidy.
#
# usage: tools/lint.sh [FILE.cc...]      these files, or all of src/{base,model,sched,core,wire,net}
#
# Makes a compile database of its own (clang, no precompiled headers), so nothing needs to be built before. Every
# finding is an error. About five minutes on two idle processors.
#
# Exit codes: 0 clean, 1 findings, 77 SKIPPED: clang-tidy-14 or clang++-14 is not installed.
# Environment: SWARM_LINT_DIR  folder of the database (build/lint)
#              SWARM_JOBS      files at a time (number of processors)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${SWARM_LINT_DIR:-$root/build/lint}
readonly rooms=(base model sched core wire net) seconds_a_file=300

for program in clang-tidy-14 clang++-14; do
  command -v "$program" >/dev/null || {
    echo "SKIPPED lint: $program is not installed (scripts/setup.sh test)"
    exit 77
  }
done

files=("$@")
if ((${#files[@]} == 0)); then
  mapfile -t files < <(cd "$root" && find "${rooms[@]/#/src/}" -name '*.cc' | LC_ALL=C sort)
fi
cd "$root"
mkdir -p "$build"
cmake --preset clang -B "$build" -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DSWARM_TESTS=OFF >"$build/configure.log" 2>&1 || {
  cat "$build/configure.log" >&2
  exit 1
}
if printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "${SWARM_JOBS:-$(nproc)}" \
  timeout "$seconds_a_file" clang-tidy-14 -p "$build" --config-file="$root/.clang-tidy" --quiet 2>/dev/null; then
  echo "lint: ${#files[@]} files clean"
else
  echo "lint: findings in the list above, in ${#files[@]} files"
  exit 1
fi

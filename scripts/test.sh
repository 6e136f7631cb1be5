#!/usr/bin/env bash
# Builds libswarm in its several ways and runs its tests; what CI runs.
#
# usage: scripts/test.sh              what CI runs, in 75 minutes on 2 cores: setup, lint of the scripts, release
#                                     build with all tests (the quickstart among them), ASan and UBSan on unit,
#                                     simulation and API tests, and the threaded tests by clang with TSan
#        scripts/test.sh --sanitizers of these only the two with sanitizers
#        scripts/test.sh --quick      release build, tests that need no engines
#        scripts/test.sh --all        all of the above with every test under ASan and TSan and with clang, and coverage
#                                     of the pure rooms, fuzz targets, engines of one age, a clean Debian root, the
#                                     Debian packages on another
#        scripts/test.sh --long       the long, seeded forms (SWARM_LONG=1): of the release tests, and of the C and Python
#                                     threads under ASan and TSan
#
# Every phase goes on to the next when it fails. The last line is 'N passed, N failed, N skipped' over everything that
# ran: each CTest test, build and script counts as one. Exit code 0 only when nothing failed. build/last-gate keeps the
# commit, the times and that line.
#
# Environment: SWARM_JOBS           parallel compilers and tests (the number of cores)
#              SWARM_TEST_MINUTES   bound of the whole run (85; 300 with --all or --long)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
# shellcheck source=lib/common.sh
source "$here/lib/common.sh"
cd "$root"

readonly coverage_percent=95 fuzz_seconds=30 skip_code=77
mode=ci
case ${1:-} in
  '') ;;
  --quick | --sanitizers | --all | --long) mode=${1#--} ;;
  -h | --help) usage_of "$0"; exit 0 ;;
  *) usage_error "unknown argument '$1'" ;;
esac
(($# <= 1)) || usage_error "one argument at most"

jobs=${SWARM_JOBS:-$(nproc)}
minutes=85
[[ $mode != all && $mode != long ]] || minutes=300
readonly deadline=$(($(milliseconds) / 1000 + ${SWARM_TEST_MINUTES:-$minutes} * 60))
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
# These override the certificate authority that a test names.
unset CURL_CA_BUNDLE REQUESTS_CA_BUNDLE DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_CONTEXT
export CTEST_OUTPUT_ON_FAILURE=1

passed=0 failed=0 skipped=0 phase_times=()

# bounded COMMAND...: at most for what is left of the whole run.
bounded() {
  local left=$((deadline - $(milliseconds) / 1000))
  if ((left <= 0)); then
    say "the time of this run is over: not run: $*"
    return 124
  fi
  timeout --foreground -k 10 "$left" "$@" </dev/null
}

# phase TITLE COMMAND...: runs it and notes how long it took.
phase() {
  local title=$1 begin
  shift
  begin=$(milliseconds)
  printf '\n=== %s\n' "$title"
  "$@" || true
  phase_times+=("$(printf '%6d s  %s' $((($(milliseconds) - begin) / 1000)) "$title")")
}

# check NAME COMMAND...: one step that counts as one test.
check() {
  local name=$1 code=0
  shift
  bounded "$@" || code=$?
  case $code in
    0) passed=$((passed + 1)) ;;
    "$skip_code") skipped=$((skipped + 1)); say "SKIPPED: $name" ;;
    *) failed=$((failed + 1)); say "FAILED: $name (exit code $code)"; return 1 ;;
  esac
}

# configure PRESET [CMAKE_OPTIONS...]
configure() {
  local preset=$1
  shift
  check "configure $preset" cmake --preset "$preset" "$@" >"$results/configure-$preset.log" && return
  cat "$results/configure-$preset.log"
  return 1
}

# build PRESET [TARGET...]
build() {
  local preset=$1 target options=()
  shift
  for target in "$@"; do options+=(--target "$target"); done
  check "build $preset" cmake --build --preset "$preset" -j "$jobs" "${options[@]}"
}

# targets_of PRESET CTEST_OPTIONS...: the programs behind those tests, which carry the tests' names.
targets_of() {
  local preset=$1
  shift
  ctest --test-dir "build/$preset" --show-only=json-v1 "$@" | jq -r '.tests[].name' | sort >"$results/tests"
  ninja -C "build/$preset" -t targets all | sed -n 's/: phony$//p' | sort | comm -12 - "$results/tests"
}

# run_tests PRESET CTEST_OPTIONS...
run_tests() {
  local preset=$1 report counts
  shift
  report=$results/ctest-$preset-${#phase_times[@]}.xml
  bounded ctest --test-dir "build/$preset" -j "$jobs" --no-tests=error --timeout 900 --output-junit "$report" "$@" || true
  read -r -a counts < <(python3 "$here/lib/test_summary.py" "$report")
  passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
}

# ---- phases ----

# Builds from nothing that nobody edits in compile each room as a few units, in half the time; the release build shows
# that each file compiles alone.
readonly as_units=-DSWARM_UNITY=ON

# everything_in PRESET CTEST_OPTIONS...: the whole tree and the chosen tests.
everything_in() {
  local preset=$1 options=("$as_units")
  shift
  [[ $preset != release ]] || options=()
  configure "$preset" "${options[@]}" && build "$preset" && run_tests "$preset" "$@"
}

# chosen_in PRESET CTEST_OPTIONS...: only the chosen tests, and only what they need.
chosen_in() {
  local preset=$1 targets
  shift
  configure "$preset" "$as_units" || return
  mapfile -t targets < <(targets_of "$preset" "$@")
  ((${#targets[@]} > 0)) || { say "FAILED: no test of $preset is chosen by '$*'"; failed=$((failed + 1)); return 1; }
  build "$preset" "${targets[@]}" && run_tests "$preset" "$@"
}

sanitizers() {
  phase "ASan and UBSan: unit, simulation, API" chosen_in dev -L 'unit|sim|api'
  phase "clang and TSan: threads" chosen_in tsan -L threads
}

# Eight threads, 10,000 calls each.
long_threads() {
  local -x SWARM_LONG=1
  phase "ASan and UBSan: C and Python threads, long forms" chosen_in dev -R '^(capi|python)_threads$'
  phase "TSan: C and Python threads, long forms" chosen_in tsan -R '^(capi|python)_threads$'
}

lint_scripts() {
  local skip=(bash -c "exit $skip_code")
  ! command -v shellcheck >/dev/null || skip=()
  check "shellcheck" "${skip[@]}" shellcheck scripts/*.sh scripts/lib/*.sh .ci/run tests/*/*.sh
}

# As a user calls it, setup and build included; the test `quickstart` runs the rest of it in every mode.
quickstart() {
  check "quickstart up" scripts/quickstart.sh up --engines 20.10,26.1,28.5 --prefix demo --net 10.100.198 || true
  check "quickstart down" scripts/quickstart.sh down --prefix demo --net 10.100.198
}

coverage() {
  local room
  configure coverage && build coverage unit_model unit_sched unit_core || return
  find build/coverage -name '*.gcda' -delete
  run_tests coverage -R '^unit_(model|sched|core)$'
  for room in model sched core; do
    check "coverage of $room" gcovr --root . build/coverage --exclude-throw-branches --filter "src/$room/" \
      --fail-under-line "$coverage_percent" || true
  done
}

fuzz() {
  local target
  configure fuzz && build fuzz || return
  while read -r target; do
    check "${target##*/} for $fuzz_seconds s" "$target" -max_total_time="$fuzz_seconds" -timeout=5 || true
  done < <(find build/fuzz/tests -name '*_fuzz' -type f -perm -u+x)
}

# The integration tests take engines of all ages at once by default; here each age alone.
engines_of_one_age() {
  local version
  for version in 20.10 26.1 28.5; do
    scripts/parts.sh path "engine-$version" >/dev/null || continue
    SWARM_ENGINES=$version run_tests release -L integration
  done
}

phase "setup" check "setup" scripts/setup.sh all
phase "scripts" lint_scripts
case $mode in
  quick) phase "release, without engines" everything_in release -LE integration ;;
  sanitizers) sanitizers ;;
  long)
    SWARM_LONG=1 phase "release, long forms" everything_in release
    long_threads
    ;;
  *)
    phase "release, all tests" everything_in release
    if [[ $mode == ci ]]; then
      sanitizers
    else
      phase "ASan and UBSan: all tests" everything_in dev
      phase "TSan: all tests" everything_in tsan -LE integration
      phase "clang: all tests" everything_in clang -LE integration
    fi
    ;;
esac
if [[ $mode == all ]]; then
  phase "coverage" coverage
  phase "fuzz targets" fuzz
  phase "engines of one age" engines_of_one_age
  phase "quickstart, mixed engine versions" quickstart
  phase "clean Debian root" check "clean root" tests/install/clean_root.sh
  phase "packages on a clean Debian" check "packages" tests/install/packages_root.sh
fi

printf '\n=== times\n'
printf '%s\n' "${phase_times[@]}"
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
{
  printf 'commit  %s\nmode    %s\n' "$(git rev-parse HEAD 2>/dev/null || echo unknown)" "$mode"
  printf '%s\n' "${phase_times[@]}"
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
} >build/last-gate
((failed == 0))

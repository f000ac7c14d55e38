#!/usr/bin/env bash
# Every check and every test, one step after the other; a failed step does not keep the others from running. Ends with what
# was skipped and why, what failed, a table of steps and the totals; exits non-zero unless all passed.
#
#   deploy/test.sh            all steps
#   deploy/test.sh gpu        what needs an NVIDIA GPU: its tests and its benchmark
#   deploy/test.sh STEP...    only these, of: format release demo core-only asan tsan tidy exporter nnunet bench
#
# TIDY=all lets clang-tidy read every source, not only what changed since TIDY_BASE (default: see deploy/tidy.sh).
set -uo pipefail
cd "$(dirname "$0")/.."

deploy/setup.sh || exit 1

results=build/test-results
steps=(format release demo core-only asan tsan tidy exporter nnunet bench)

# ctest over one build tree (or a folder of it); leaves its reports where test_summary.py finds them.
run_ctest() { # STEP TREE ARGUMENT...
  local report="$PWD/$results/$1" tree=$2
  shift 2
  mkdir -p "$report/gtest"
  GTEST_OUTPUT="xml:$report/gtest/" ctest --test-dir "$tree" --output-junit "$report/ctest.xml" \
    --output-on-failure --no-tests=error "$@"
}

step_format() { deploy/format.sh --check; }

step_release() { deploy/build.sh release && run_ctest release build/release -LE 'bench|slow'; }

# The README's first command, once more on what release has built.
step_demo() { deploy/demo.sh; }

step_core-only() { deploy/build.sh core-only && run_ctest core-only build/core-only -L unit; }

# The sanitizers' builds hold neither torch nor OpenVINO, which are not instrumented: networks are fakes there.
step_asan() {
  deploy/build.sh asan tests/unit/all tests/integration/all &&
    ASAN_OPTIONS=strict_string_checks=1 LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp" \
      UBSAN_OPTIONS=print_stacktrace=1 \
      run_ctest asan build/asan -j 3 -L 'unit|integration'
}

# core and the server: what threads share. ITK and the client's tests add nothing here, and integration.slow_reader's
# megabytes of answers take longer than its deadline.
step_tsan() {
  local core='base|geometry|volume|resample|plan|preprocess|tiling|inference|restore|model|pipeline'
  deploy/build.sh tsan tests/unit/core/all tests/unit/server/all tests/integration/server/all &&
    TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tests/tsan.supp" \
      run_ctest tsan build/tsan -j 3 -R "^(unit\.($core|server)|integration\.server_.*)\$"
}

step_tidy() { deploy/tidy.sh; }

step_exporter() {
  deploy/export/setup --int8 &&
    (cd deploy/export && .venv/bin/python -m pytest -q --junit-xml="$OLDPWD/$results/exporter/pytest.xml")
}

# Stock nnU-Net and nnseg side by side: trained models on small images through server and client, and models of every kind
# made at random. All golden cases: --cases .; more random ones: --count N --seed FIRST.
step_nnunet() {
  local compare=(deploy/export/.venv/bin/python tests/parity/against_nnunet.py)
  "${compare[@]}" --cases 'oblique_f0_notta_s050|slab_f01_notta|tiny|small' &&
    "${compare[@]}" --count 20
}

# Every part of the benchmark at small sizes: that it runs, not how fast.
step_bench() { deploy/bench.sh --quick --output "$results/bench/out"; }

# Not among the steps of every day: it fetches torch's CUDA libraries (several GB), and without a GPU all of it is skipped.
step_gpu() {
  deploy/setup.sh --cuda && deploy/build.sh gpu cuda_engine_test cuda_device_test gpu_bench &&
    run_ctest gpu build/cuda -L gpu && build/cuda/bin/gpu_bench
}

if (($#)); then steps=("$@"); fi
rm -rf "$results"
for step in "${steps[@]}"; do
  declare -F "step_$step" >/dev/null || { echo "test: no step '$step'" >&2; exit 2; }
  mkdir -p "$results/$step"
  printf '\n=== %s ===\n' "$step"
  begin=$SECONDS
  "step_$step" 2>&1 | tee "$results/$step/log"
  echo "${PIPESTATUS[0]}" >"$results/$step/rc"
  echo $((SECONDS - begin)) >"$results/$step/seconds"
done

printf '\n=== summary ===\n'
exec /usr/bin/python3 tests/tools/test_summary.py "$results"

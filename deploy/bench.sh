#!/usr/bin/env bash
# nnseg-bench: nnseg against nnU-Net in Python on this machine: see docs/performance.md. Builds what is missing, then measures for
# about half an hour; nothing else should run meanwhile. Leaves out/bench/{results.csv,results.md,*.png}.
#
#   deploy/bench.sh [--quick] [--only PART,...] [--threads N] [--output DIR] [--write-docs]
set -euo pipefail
cd "$(dirname "$0")/.."

deploy/setup.sh
deploy/export/setup
deploy/build.sh bench nnseg-server nnseg nnseg-network tests/bench/all

PYTHONPATH=tests/bench exec deploy/export/.venv/bin/python -m nnseg_bench "$@"

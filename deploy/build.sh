#!/usr/bin/env bash
# Configures and builds one CMake preset.
#
#   deploy/build.sh PRESET [TARGET...]   (all targets when none is named)
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:?usage: deploy/build.sh PRESET [TARGET...]}
shift
log=build/$preset/configure.log
mkdir -p "build/$preset"
if ! cmake --preset "$preset" >"$log" 2>&1; then
  echo "build: CMake could not configure the preset $preset:" >&2
  cat "$log" >&2
  exit 1
fi
cmake --build --preset "$preset" ${1:+--target "$@"}

#!/usr/bin/env bash
# Configures and builds one CMake preset.
#
#   deploy/build.sh PRESET [TARGET...]   (all targets when none is named)
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:?usage: deploy/build.sh PRESET [TARGET...]}
shift
cmake --preset "$preset" --log-level=WARNING
if (($#)); then
  cmake --build --preset "$preset" --target "$@"
else
  cmake --build --preset "$preset"
fi

#!/usr/bin/env bash
# Formats the C++ and proto sources with clang-format 14 (Debian 12's: other versions format differently).
#
#   deploy/format.sh          in place
#   deploy/format.sh --check  only names the lines that differ; exit 1 when there are any
set -euo pipefail
cd "$(dirname "$0")/.."

command -v clang-format-14 >/dev/null || { echo "format: clang-format-14 is missing; run: make setup" >&2; exit 1; }
mapfile -t files < <(git ls-files --cached --others --exclude-standard -- '*.h' '*.cc' '*.proto' ':!third_party')
case "${1:-}" in
  "") clang-format-14 -i "${files[@]}" ;;
  --check) clang-format-14 --dry-run --Werror "${files[@]}" && echo "${#files[@]} files are formatted" ;;
  *) echo "usage: deploy/format.sh [--check]" >&2; exit 2 ;;
esac

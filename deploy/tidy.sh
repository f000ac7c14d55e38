#!/usr/bin/env bash
# clang-tidy 14 over the sources of core/, proto/, server/ and client/ that changed since a base commit; each warning is an
# error. Reads the commands of build/release, so that preset must have been built.
#
#   deploy/tidy.sh            what changed since TIDY_BASE (default: where this branch left origin/main, else the last commit)
#   TIDY=all deploy/tidy.sh   every source
set -euo pipefail
cd "$(dirname "$0")/.."

command -v clang-tidy-14 >/dev/null || { echo "tidy: clang-tidy-14 is missing; run: make setup" >&2; exit 1; }
[[ -f build/release/compile_commands.json ]] || { echo "tidy: build/release is missing; run: make build" >&2; exit 1; }

base=${TIDY_BASE:-}
if [[ -z "$base" ]]; then
  base=$(git merge-base HEAD origin/main 2>/dev/null || true)
  if [[ -z "$base" || "$base" == "$(git rev-parse HEAD)" ]]; then
    base=$(git rev-parse --verify --quiet HEAD~1 || true)
  fi
fi

mapfile -t sources < <(git ls-files --cached --others --exclude-standard -- {core,proto,server,client}/'*.cc')
if [[ "${TIDY:-changed}" != all && -n "$base" ]]; then
  # A changed header is read through the source of its own name.
  changed=$({ git diff --name-only "$base" --; git ls-files --others --exclude-standard; } | sed -n 's/\.\(cc\|h\)$//p' | sort -u)
  mapfile -t sources < <(comm -12 <(printf '%s\n' "${sources[@]%.cc}" | sort) <(echo "$changed") | sed 's/$/.cc/')
fi
# What a preset without some part does not compile has no command to be read by.
mapfile -t sources < <(printf '%s\n' "${sources[@]}" | while read -r file; do
  if [[ -n "$file" ]] && grep -qF "\"$PWD/$file\"" build/release/compile_commands.json; then echo "$file"; fi
done)
echo "tidy: ${#sources[@]} sources"
((${#sources[@]})) || exit 0
printf '%s\0' "${sources[@]}" |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy-14 --quiet -p build/release --warnings-as-errors='*'

#!/usr/bin/env bash
# Prepares a Debian 12 machine to build, run and test nnseg: Debian packages, then the wheels of the two network engines
# into .cache/wheels (or NNSEG_WHEELS_DIR). Asks for nothing and does only what is missing, so a second run ends at once.
#
#   deploy/setup.sh               all that building, running and testing need
#   deploy/setup.sh --build-only  without what only the tests need (the container's build stage)
#   deploy/setup.sh --cuda        with the CUDA libraries that a build with NNSEG_WITH_CUDA needs (several GB)
set -euo pipefail
cd "$(dirname "$0")/.."

build_packages=(
  ca-certificates ccache cmake g++ git ninja-build pkg-config
  grpc-proto libabsl-dev libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libssl-dev
  libcli11-dev libcpp-httplib-dev libspdlog-dev nlohmann-json3-dev prometheus-cpp-dev
  libcairo2-dev libinsighttoolkit5-dev zlib1g-dev
  python3 python3-pip
)
test_packages=(
  clang-format-14 clang-tidy-14 libgtest-dev libgmock-dev libbenchmark-dev
  python3-grpcio python3-numpy python3-nibabel python3-protobuf python3-venv
)
wheels_dir=${NNSEG_WHEELS_DIR:-.cache/wheels}
python=/usr/bin/python3

say() { printf 'setup: %s\n' "$*"; }
die() {
  printf 'setup: error: %s\n' "$1" >&2
  shift
  if (($#)); then printf '  %s\n' "$@" >&2; fi
  exit 1
}

with_tests=1
with_cuda=0
for argument in "$@"; do
  case "$argument" in
    --build-only) with_tests=0 ;;
    --cuda) with_cuda=1 ;;
    *) die "unknown argument '$argument'" "usage: deploy/setup.sh [--build-only] [--cuda]" ;;
  esac
done

check_machine() {
  [[ "$(uname -m)" == x86_64 ]] || die "this machine is $(uname -m), nnseg needs x86_64"
  local flag
  for flag in avx2 fma f16c; do
    grep -qw "$flag" /proc/cpuinfo || die "this CPU lacks $flag; nnseg needs an x86-64-v3 CPU (Haswell or later)"
  done
}

# Prints those of the packages named that are not installed.
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' || true)
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

install_packages() {
  local -a missing
  command -v dpkg-query >/dev/null ||
    die "this is no Debian system; nnseg is built on Debian 12 with these packages:" "$*"
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0

  local -a as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      die "these packages are missing, and installing them needs root or sudo; as root:" "apt-get install -y --no-install-recommends ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  local log
  log=$(mktemp)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q >"$log" 2>&1 ||
    die "apt-get update failed:" "$(tail -n 5 "$log")"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
    die "apt-get install failed (wanted: ${missing[*]}):" "$(tail -n 5 "$log")"
  rm -f "$log"
}

# Unpacks the wheels beside the place and moves them there at the end: .cache/wheels is whole or absent.
fetch_wheels() {
  local wanted stamp="$wheels_dir/.nnseg-wheels" partial="$wheels_dir.partial" free_mib need_mib=4000
  wanted="cuda=$with_cuda $(sha256sum <deploy/wheels.txt)"
  # A folder with CUDA serves a build without it as well.
  if [[ -f "$stamp" ]] && [[ "$(<"$stamp")" == "$wanted" || "$(<"$stamp")" == "${wanted/cuda=0/cuda=1}" ]]; then
    return 0
  fi
  "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
    die "$python is $("$python" --version), the wheels are made for Python 3.11 (Debian 12's)"
  mkdir -p "$(dirname "$wheels_dir")"
  if ((with_cuda)); then need_mib=16000; fi
  free_mib=$(df --output=avail -m "$(dirname "$wheels_dir")" | tail -n 1)
  ((free_mib >= need_mib)) || die "the wheels need $need_mib MiB of disk, $free_mib MiB are free"
  say "fetching the wheels of LibTorch and OpenVINO into $wheels_dir (about 1.5 GB on disk)"
  rm -rf "$partial"
  local -a pip=("$python" -m pip install --quiet --no-input --disable-pip-version-check --no-cache-dir
    --no-compile --root-user-action=ignore --target "$partial")
  "${pip[@]}" --no-deps --require-hashes -r deploy/wheels.txt ||
    die "pip could not fetch the wheels of deploy/wheels.txt (its own message stands above)"
  if ((with_cuda)); then
    "${pip[@]}" --upgrade "$(grep -o '^torch==[^ ]*' deploy/wheels.txt)" ||
      die "pip could not fetch the CUDA libraries of torch (its own message stands above)"
  fi
  printf '%s' "$wanted" >"$partial/.nnseg-wheels"
  rm -rf "$wheels_dir"
  mv "$partial" "$wheels_dir"
}

check_machine
packages=("${build_packages[@]}")
if ((with_tests)); then packages+=("${test_packages[@]}"); fi
install_packages "${packages[@]}"
fetch_wheels
say "ready: Debian packages installed, engines in $wheels_dir"

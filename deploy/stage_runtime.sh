#!/usr/bin/env bash
# Collects what the programs need to run, for the container's last stage: the programs, the engines' libraries (stripped of
# what serving does not use) and the names of the Debian packages that hold the other libraries.
#
#   deploy/stage_runtime.sh BIN_DIR WHEELS_DIR STAGE_DIR cpu|cuda
#
# The engines' libraries keep their folders below WHEELS_DIR, which is their place at run time too: they find each other, and
# the programs find them, by those paths.
set -euo pipefail

bin=$1 wheels=$2 stage=$3 device=$4

programs=("$bin/nnseg-server" "$bin/nnseg" "$bin/nnseg-network")
# Found by name at run time, so no program's list of libraries has them.
plugins=("$wheels"/openvino/libs/libopenvino_{intel_cpu_plugin.so,ir_frontend.so.*} "$wheels"/openvino/libs/libtbb*.so.*
  "$wheels"/openvino/libs/libhwloc.so.*)
if [[ "$device" == cuda ]]; then
  # Those of NVIDIA's that reach for MPI or InfiniBand libraries serve clusters of machines and stay behind.
  mapfile -t -O ${#plugins[@]} plugins < <({
    find "$wheels/nvidia" -name '*.so' -type f -o -name '*.so.*' -type f
    find "$wheels/torch/lib" -maxdepth 1 -name 'lib*cuda*.so' -o -maxdepth 1 -name 'lib*nvrtc*.so'
  } | while read -r file; do
    if linked=$(ldd "$file" 2>/dev/null) && ! grep -q 'not found' <<<"$linked"; then echo "$file"; fi
  done)
fi

libraries=$(ldd "${programs[@]}" "${plugins[@]}")
if grep -q 'not found' <<<"$libraries"; then
  echo "stage_runtime: libraries are missing:" >&2
  grep 'not found' <<<"$libraries" | sort -u >&2
  exit 1
fi
mapfile -t libraries < <(sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' <<<"$libraries" | xargs -d '\n' realpath -s | sort -u)

# /lib is /usr/lib, and each package knows its files by one of the two names.
package_of() {
  { dpkg -S "$1" || dpkg -S "${1#/usr}"; } 2>/dev/null | head -n 1 | cut -d : -f 1 | grep . ||
    { echo "stage_runtime: no Debian package holds $1" >&2; return 1; }
}

mkdir -p "$stage/opt/nnseg/bin"
install -s -m 0755 "${programs[@]}" "$stage/opt/nnseg/bin"
packages=()
for library in "${libraries[@]}" "${plugins[@]}"; do
  if [[ "$library" == "$wheels"/* ]]; then
    install -D -m 0644 "$library" "$stage$library"
  else
    package=$(package_of "$(realpath "$library")")
    packages+=("$package")
  fi
done
printf '%s\n' "${packages[@]}" | sort -u >"$stage/opt/nnseg/runtime-packages.txt"

#!/usr/bin/env bash
# Builds the container image for real and tries it, on a Debian 12 machine without docker: buildah on a Debian base that
# debootstrap makes. Runs the image's server as the image's user on a read-only root, waits for the image's health check and
# segments the demo volume, without mirroring, with this machine's client. Needs root (debootstrap and chroot) and deploy/demo.sh run before. Everything lies in .cache/image; out/image gets the labels.
#
#   deploy/build_image.sh [cpu|cuda]
set -euo pipefail
cd "$(dirname "$0")/.."

device=${1:-cpu}
name=nnseg:$device
store=$PWD/.cache/image
out=out/image
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs

say() { printf 'image: %s\n' "$*"; }
die() { printf 'image: error: %s\n' "$*" >&2; exit 1; }

[[ "$device" == cpu || "$device" == cuda ]] || die "usage: deploy/build_image.sh [cpu|cuda]"
((EUID == 0)) || die "debootstrap and chroot need root; run: sudo make image"
[[ -x build/release/bin/nnseg ]] || die "the client of build/release is missing; run: make demo"
for tool in buildah debootstrap; do
  command -v $tool >/dev/null || die "$tool is missing; run: apt-get install -y --no-install-recommends buildah debootstrap"
done

buildah() { command buildah --root "$store/storage" --runroot "$store/run" "$@"; }

# A minimal Debian 12 from this machine's own mirror; its apt sources, certificates and pip settings come along, since the
# build inside needs the same network.
make_base() {
  local rootfs=$store/rootfs container mirror
  mirror=$(apt-get indextargets --format '$(SITE)' 'Codename: bookworm' 'Created-By: Packages' 2>/dev/null | head -n 1 || true)
  say "making the base image with debootstrap"
  rm -rf "$rootfs"
  debootstrap --variant=minbase --include=ca-certificates bookworm "$rootfs" ${mirror:+"$mirror"} >"$store/debootstrap.log" 2>&1 ||
    die "debootstrap failed: $(tail -n 1 "$store/debootstrap.log")"
  rm -rf "$rootfs"/var/cache/apt/* "$rootfs"/var/lib/apt/lists/* "$rootfs"/usr/share/{doc,man,locale}/*
  container=$(buildah from scratch)
  buildah add -q "$container" "$rootfs" / >/dev/null
  buildah commit -q --rm "$container" nnseg-base >/dev/null
  rm -rf "$rootfs"
}

mounts=(--volume "$PWD/.cache/wheels:/opt/nnseg/engines:ro")
if [[ -d ${CCACHE_DIR:=$HOME/.cache/ccache} ]]; then mounts+=(--volume "$CCACHE_DIR:/root/.cache/ccache"); fi
for setting in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/ssl/certs/ca-certificates.crt /etc/pip.conf; do
  if [[ -e $setting ]]; then mounts+=(--volume "$setting:$setting:ro"); fi
done

mkdir -p "$store" "$out"
deploy/setup.sh $([[ $device == cuda ]] && echo --cuda)
buildah images -q nnseg-base >/dev/null 2>&1 || make_base

say "building $name"
begin=$SECONDS
buildah bud --layers --pull-never --network host --format docker --build-arg BASE=localhost/nnseg-base \
  --build-arg DEVICE="$device" "${mounts[@]}" --tag "$name" . >"$store/build.log" 2>&1 ||
  die "the build failed; the last lines of $store/build.log:"$'\n'"$(tail -n 15 "$store/build.log")"
build_seconds=$((SECONDS - begin))
size=$(buildah images --format '{{.Size}}' "$name")

container=$(buildah from --pull-never "localhost/$name")
clean_up() {
  if [[ -n "${server_pid:-}" ]]; then kill -TERM "$server_pid" 2>/dev/null || true; fi
  if [[ -n "${root:-}" ]] && mountpoint -q "$root"; then umount -R -l "$root"; fi
  buildah rm "$container" >/dev/null
}
trap clean_up EXIT
read -r port http_port < <(/usr/bin/python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in sockets))')

# The image's file system, read-only but for /tmp, as `docker run --read-only --tmpfs /tmp` gives it.
root=$store/root
mkdir -p "$root"
mount --bind "$(buildah mount "$container")" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev" && mount --make-rslave "$root/dev"
mount --bind "$PWD/examples/models" "$root/models"
mount -o remount,bind,ro "$root/models"
in_image() { chroot --userspec=10001:10001 "$root" /usr/bin/env -i PATH=/opt/nnseg/bin:/usr/bin:/bin MALLOC_ARENA_MAX=2 "$@"; }
health=$(buildah inspect --type image "localhost/$name" |
  /usr/bin/python3 -c 'import json, sys; print(*json.load(sys.stdin)["Docker"]["config"]["Healthcheck"]["Test"][1:])')
health=${health/:8001/:$port}

say "running the image's server as its user on a read-only root"
begin=$SECONDS
in_image sh -c 'echo $$; exec "$@"' sh nnseg-server \
  --model-repository /models --listen "127.0.0.1:$port" --http "127.0.0.1:$http_port" >"$out/server.log" 2>&1 &
run_pid=$!
# shellcheck disable=SC2086
until in_image $health >/dev/null 2>&1; do
  kill -0 "$run_pid" 2>/dev/null || die "the server ended while starting: $(tail -n 5 "$out/server.log")"
  ((SECONDS - begin < 120)) || die "the image's health check ($health) failed for 2 minutes"
  sleep 0.5
done
say "the image's health check passes: $health"
server_pid=$(head -n 1 "$out/server.log")
[[ "$(stat -c %u "/proc/$server_pid")" == 10001 ]] || die "the server runs as uid $(stat -c %u "/proc/$server_pid"), expected 10001"
if in_image touch /opt/nnseg/probe 2>/dev/null; then die "the root is not read-only"; fi

begin=$(date +%s%N)
build/release/bin/nnseg segment examples/volumes/colin27_t1.nii.gz --server "127.0.0.1:$port" --model brain-t1 \
  --no-tta --output "$out/labels.nii.gz"
segment_ms=$((($(date +%s%N) - begin) / 1000000))
kill -TERM "$server_pid"
wait "$run_pid" || die "the server did not leave cleanly: $(tail -n 5 "$out/server.log")"
server_pid=
say "$name: $size, built in $build_seconds s, segmented the demo volume in $((segment_ms / 1000)).$((segment_ms % 1000 / 100)) s"

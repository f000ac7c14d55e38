#!/usr/bin/env bash
# The main job, end to end: sets the machine up, builds, starts nnseg-server on the bundled model, segments the bundled T1 head
# scan through it and stops it. Leaves out/demo/labels.nii.gz, out/demo/overlay.png and out/demo/server.log.
#
#   deploy/demo.sh                 without mirroring, which takes seconds
#   deploy/demo.sh ARGUMENT...     these arguments of `nnseg segment` instead: `--folds 0,1` mirrors and takes a minute
set -euo pipefail
cd "$(dirname "$0")/.."

deploy/setup.sh
deploy/build.sh release nnseg-server nnseg

out=out/demo
bin=build/release/bin
server_pid=

stop_server() {
  if [[ -n "$server_pid" ]]; then
    kill -TERM "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
    server_pid=
  fi
}
trap stop_server EXIT
trap 'exit 130' INT TERM

die() {
  printf 'demo: error: %s\n' "$1" >&2
  if [[ -s "$out/server.log" ]]; then
    printf '  the last lines of %s:\n' "$out/server.log" >&2
    tail -n 10 "$out/server.log" | sed 's/^/    /' >&2
  fi
  exit 1
}

free_ports() { # prints two TCP ports that nobody listens on
  /usr/bin/python3 - <<'PY'
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in sockets))
PY
}

mkdir -p "$out"
rm -f "$out"/labels.nii.gz "$out"/overlay.png
read -r port http_port < <(free_ports)
"$bin/nnseg-server" --model-repository examples/models \
  --listen "127.0.0.1:$port" --http "127.0.0.1:$http_port" >"$out/server.log" 2>&1 &
server_pid=$!

printf 'demo: nnseg-server loads examples/models on 127.0.0.1:%s (log: %s)\n' "$port" "$out/server.log"
for ((waited = 0; ; ++waited)); do
  if "$bin/nnseg" health --server "127.0.0.1:$port" >/dev/null 2>&1; then break; fi
  kill -0 "$server_pid" 2>/dev/null || die "the server ended while starting"
  ((waited < 600)) || die "the server was not ready after 2 minutes"
  sleep 0.2
done

"$bin/nnseg" segment examples/volumes/colin27_t1.nii.gz --server "127.0.0.1:$port" --model brain-t1 \
  --output "$out/labels.nii.gz" --overlay "$out/overlay.png" "${@:---no-tta}" || die "the segmentation failed (exit code $?)"

kill -TERM "$server_pid"
wait "$server_pid" || die "the server left with exit code $?"
server_pid=
printf 'demo: labels in %s, picture in %s\n' "$out/labels.nii.gz" "$out/overlay.png"

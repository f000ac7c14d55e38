#!/usr/bin/env bash
# Signals and the real programs: SIGTERM drains and exits 0, a second one cuts the drain short with 143, and a client
# killed in the middle of its request leaves a server that serves the next one.
set -euo pipefail

root=$(cd "$(dirname "$0")/../../.." && pwd)
bin=${NNSEG_BIN:?the folder of nnseg and nnseg-server}
volume=$root/tests/data/volumes/aal-116/tiny.nii.gz
work=$(mktemp -d)
server_pid=
trap '[[ -z "$server_pid" ]] || kill -KILL "$server_pid" 2>/dev/null; rm -rf "$work"' EXIT

fail() {
  echo "signals_test: $*" >&2
  exit 1
}

# Starts the server with the given configuration and waits until it serves; sets server_pid and address.
start() {
  echo "$1" >"$work/config"
  : >"$work/log"
  "$bin/nnseg-server" --model-repository "$root/examples/models" --listen 127.0.0.1:0 --http 127.0.0.1:0 \
    --config "$work/config" >"$work/log" &
  server_pid=$!
  for _ in {1..600}; do
    address=127.0.0.1:$(sed -n 's/.*"grpc_port":\([0-9]*\).*/\1/p' "$work/log")
    if "$bin/nnseg" health --server "$address" >/dev/null 2>&1; then return; fi
    kill -0 "$server_pid" 2>/dev/null || fail "the server did not start"
    sleep 0.1
  done
  fail "the server was not ready within a minute"
}

# Waits at most ten seconds for the server's end and compares its exit status.
expect_exit() {
  for _ in {1..100}; do
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -0 "$server_pid" 2>/dev/null && fail "the server still runs after ten seconds"
  local status=0
  wait "$server_pid" || status=$?
  server_pid=
  [[ $status == "$1" ]] || fail "the server exited with $status, expected $1"
}

start ''
kill -TERM "$server_pid"
expect_exit 0

start 'drain { delay_seconds: 60 }'
kill -TERM "$server_pid"
sleep 0.5
kill -0 "$server_pid" 2>/dev/null || fail "the server did not drain"
kill -TERM "$server_pid"
expect_exit 143

start ''
"$bin/nnseg" segment "$root/examples/volumes/colin27_t1.nii.gz" --server "$address" --model brain-t1 \
  --output "$work/never.nii.gz" >/dev/null 2>"$work/progress" &
client_pid=$!
for _ in {1..300}; do
  grep -q network "$work/progress" && break
  sleep 0.1
done
grep -q network "$work/progress" || fail "the first request did not reach the network"
kill -KILL "$client_pid"
wait "$client_pid" 2>/dev/null || true
# The whole request would take longer than this: the work must have stopped with its client.
timeout 20 "$bin/nnseg" segment "$volume" --server "$address" --model brain-t1 --folds 0 --no-tta \
  --output "$work/next.nii.gz" >/dev/null 2>&1 || fail "the next request failed"
[[ -s "$work/next.nii.gz" && ! -e "$work/never.nii.gz" ]] || fail "label files are not as expected"
for _ in {1..50}; do
  grep -q '"code":"CANCELLED"' "$work/log" && break
  sleep 0.1
done
grep -q '"code":"CANCELLED"' "$work/log" || fail "the killed client's request did not end as CANCELLED"
kill -TERM "$server_pid"
expect_exit 0
echo "signals_test: passed"

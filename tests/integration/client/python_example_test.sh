#!/usr/bin/env bash
# Runs examples/python/segment.py and `nnseg segment` against one server and compares their label files.
#
#   python_example_test.sh        starts nnseg-server (in $NNSEG_BIN) on examples/models itself
#   NNSEG_SERVER=HOST:PORT ...    uses a running server that has the model brain-t1
set -euo pipefail

root=$(cd "$(dirname "$0")/../../.." && pwd)
bin=${NNSEG_BIN:?the folder of nnseg and nnseg-server}
python=/usr/bin/python3 # Debian's: the packages python3-grpcio and python3-nibabel are its
volume=$root/tests/data/volumes/aal-116/tiny.nii.gz
work=$(mktemp -d)
server_pid=
cleanup() {
  if [[ -n "$server_pid" ]]; then
    kill -TERM "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap cleanup EXIT

if [[ -z "${NNSEG_SERVER:-}" ]]; then
  read -r port http_port < <("$python" - <<'PY'
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in sockets))
PY
  )
  NNSEG_SERVER=127.0.0.1:$port
  "$bin/nnseg-server" --model-repository "$root/examples/models" --listen "$NNSEG_SERVER" \
    --http "127.0.0.1:$http_port" >"$work/server.log" 2>&1 &
  server_pid=$!
  for ((waited = 0; ; ++waited)); do
    if "$bin/nnseg" health --server "$NNSEG_SERVER" >/dev/null 2>&1; then break; fi
    if ! kill -0 "$server_pid" 2>/dev/null || ((waited >= 600)); then
      tail -n 5 "$work/server.log" >&2
      echo "the server did not become ready" >&2
      exit 1
    fi
    sleep 0.2
  done
fi

mkdir "$work/stubs"
protoc -I "$root/proto" --python_out="$work/stubs" --grpc_python_out="$work/stubs" \
  --plugin=protoc-gen-grpc_python="$(command -v grpc_python_plugin)" "$root"/proto/segmentation/v1/*.proto
PYTHONPATH=$work/stubs "$python" "$root/examples/python/segment.py" \
  "$NNSEG_SERVER" brain-t1 "$volume" "$work/python.nii.gz"
"$bin/nnseg" segment "$volume" --server "$NNSEG_SERVER" --model brain-t1 --output "$work/client.nii.gz"

"$bin/nnseg" compare "$work/python.nii.gz" "$work/client.nii.gz" --max-differing 0

"$python" - "$volume" "$work/python.nii.gz" "$work/client.nii.gz" <<'PY'
import sys
import nibabel, numpy

source, by_python, by_client = map(nibabel.load, sys.argv[1:])
a, b = (numpy.asarray(image.dataobj) for image in (by_python, by_client))
assert a.shape == b.shape == source.shape, (a.shape, b.shape, source.shape)
assert b.dtype == numpy.uint8, b.dtype
assert b.any(), "the label map is empty"
difference = abs(by_client.affine - source.affine).max()
assert difference < 1e-5, f"the client's affine differs from its input's by {difference}"
print(f"{len(numpy.unique(b))} values on the input's grid")
PY

#!/usr/bin/env python3
"""Counts voxels that differ between nnseg and stock nnU-Net, both run on this machine with equal thread counts.

Each case of tests/data/golden/index.json whose name matches --cases is predicted twice: by nnU-Net in this process, and
by the real server and client with the torch engine. On the same machine with the same number of threads torch gives the
same bits, so the label maps must be equal in every voxel.

    python tests/parity/against_nnunet.py --binaries build/release/bin --cases 'oblique|slab|tiny|small'

Needs nnunetv2, as in the environment that deploy/export/setup makes.
"""

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "data"))
from make_goldens import make_golden  # noqa: E402


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def running_server(binaries: Path, repository: Path, threads: int):
    """The real server on `repository`, ready to serve; yields its address."""
    address, http = free_address(), free_address()
    command = [binaries / "nnseg-server", "--model-repository", repository, "--listen", address, "--http", http]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            for _ in range(600):
                if subprocess.run([binaries / "nnseg", "health", "--server", address], capture_output=True).returncode == 0:
                    break
                if server.poll() is not None:
                    raise RuntimeError(f"the server ended with code {server.returncode}")
                time.sleep(0.2)
            else:
                raise RuntimeError("the server was not ready within two minutes")
            yield address
        finally:
            server.terminate()
            server.wait(60)


def segment(binaries: Path, address: str, case: dict, output: Path) -> None:
    command = [binaries / "nnseg", "segment", *(ROOT / path for path in case["inputs"])]
    command += ["--server", address, "--model", Path(case["bundle"]).parent.name, "--output", output]
    command += ["--engine", "torch", "--folds", ",".join(case["folds"]), "--step-size", str(case["step_size"])]
    command += [] if case["tta"] else ["--no-tta"]
    subprocess.run(command, check=True, capture_output=True)


def read_labels(path: Path) -> np.ndarray:
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))


def compare(case: dict, binaries: Path, address: str, folder: Path, threads: int) -> int:
    """Differing voxels of one case; prints a line."""
    name = case["name"].replace("/", "_")
    start = time.perf_counter()
    make_golden(argparse.Namespace(
        bundle=ROOT / case["bundle"], inputs=[ROOT / path for path in case["inputs"]], output=folder, name=name,
        folds=case["folds"], no_tta=not case["tta"], step_size=case["step_size"], threads=threads, dump=False, stride=1,
    ))  # fmt: skip
    middle = time.perf_counter()
    ours = folder / f"{name}.nnseg.nii.gz"
    segment(binaries, address, case, ours)
    end = time.perf_counter()
    expected, got = read_labels(folder / f"{name}.nii.gz"), read_labels(ours)
    if expected.shape != got.shape or expected.dtype != got.dtype:
        print(f"{case['name']}: {got.shape} {got.dtype}, expected {expected.shape} {expected.dtype}")
        return expected.size
    differing = int((expected != got).sum())
    print(f"{case['name']}: {differing} of {expected.size} voxels differ "
          f"(nnU-Net {middle - start:.1f} s, nnseg {end - middle:.1f} s)", flush=True)  # fmt: skip
    return differing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=Path, default=ROOT / "build/release/bin", help="folder of nnseg-server and nnseg")
    parser.add_argument("--cases", default=".", help="regular expression on the names of the cases")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of both sides' networks")
    options = parser.parse_args()

    cases = json.loads((ROOT / "tests/data/golden/index.json").read_bytes())["cases"]
    cases = [case for case in cases if re.search(options.cases, case["name"])]
    if not cases:
        parser.error(f"no case matches '{options.cases}'")
    differing = {}
    with tempfile.TemporaryDirectory() as scratch:
        # The models lie in two repositories; the server gets one.
        repository = Path(scratch) / "models"
        repository.mkdir()
        for bundle in {case["bundle"] for case in cases}:
            (repository / Path(bundle).parent.name).symlink_to((ROOT / bundle).parent)
        with running_server(options.binaries.resolve(), repository, options.threads) as address:
            for case in cases:
                differing[case["name"]] = compare(case, options.binaries.resolve(), address, Path(scratch), options.threads)
    failed = [name for name, count in differing.items() if count != 0]
    print(f"{len(cases) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Counts voxels that differ between nnseg and stock nnU-Net, both run on this machine with equal thread counts.

On the same machine with the same number of threads torch gives the same bits, so the label maps must be equal in every
voxel. Two kinds of cases:

    python tests/parity/against_nnunet.py --count 200 --seed 1
        makes random cases (random_cases.py), one for each seed: a tiny model, its export, an image, options. A case that
        differs stays in --output/seed_<N> with every stage's array, and the first stage that drifts is named;
        `parity-runner <that folder> 1` runs it again.
    python tests/parity/against_nnunet.py --cases 'oblique|slab|tiny|small'
        runs the cases of tests/data/golden/index.json whose name matches: trained models, through the real server and
        client.

Needs nnunetv2, as in the environment that deploy/export/setup makes, and a build with both programs and tests.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "data"))
from make_goldens import make_golden  # noqa: E402

# Of float32 probabilities: torch's exp is its own (docs/parity.md).
PROBABILITY_DIFFERENCE = 1e-6


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
    # nnU-Net's predictor does not post-process; that is a step of its own.
    command += ["--postprocess", "off", "--engine", "torch", "--folds", ",".join(case["folds"]), "--step-size", str(case["step_size"])]
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


def run_named_cases(options: argparse.Namespace) -> list[str]:
    """Names of the cases that failed."""
    cases = json.loads((ROOT / "tests/data/golden/index.json").read_bytes())["cases"]
    cases = [case for case in cases if re.search(options.cases, case["name"])]
    binaries = options.build.resolve() / "bin"
    differing = {}
    with tempfile.TemporaryDirectory() as scratch:
        # The models lie in two repositories; the server gets one.
        repository = Path(scratch) / "models"
        repository.mkdir()
        for bundle in {case["bundle"] for case in cases}:
            (repository / Path(bundle).parent.name).symlink_to((ROOT / bundle).parent)
        with running_server(binaries, repository, options.threads) as address:
            for case in cases:
                differing[case["name"]] = compare(case, binaries, address, Path(scratch), options.threads)
    print(f"{len(cases)} cases, {sum(count != 0 for count in differing.values())} failed")
    return [name for name, count in differing.items() if count != 0]


def run_random_case(seed: int, runner: Path, output: Path) -> dict:
    """The runner's record of one seed; the case's folder stays when something is wrong."""
    import torch
    from case_folder import CaseFolder
    from random_cases import random_case

    torch.set_num_threads(1)
    root = output / f"seed_{seed}"
    shutil.rmtree(root, ignore_errors=True)
    start = time.perf_counter()
    try:
        case = random_case(seed)
        with tempfile.TemporaryDirectory() as scratch:
            folder = CaseFolder(root, Path(scratch), keep_stages=True)
            folder.add(case)
            folder.finish()
        middle = time.perf_counter()
        ran = subprocess.run([runner, root, "1"], capture_output=True, text=True, timeout=300)
        if ran.returncode != 0:
            raise RuntimeError(f"the runner ended with code {ran.returncode}: {ran.stderr.strip()[-400:]}")
        record = json.loads(ran.stdout)
        record["seconds"] = [middle - start, time.perf_counter() - middle]
    except Exception:  # a case that cannot be made or run is a failed case
        record = {"name": f"seed_{seed}", "error": traceback.format_exc(limit=-2)}
    record["good"] = (
        "error" not in record and record["differing"] == 0 and record["same_label_type"]
        and record["probability_difference"] <= PROBABILITY_DIFFERENCE
    )  # fmt: skip
    if record["good"]:
        shutil.rmtree(root)
    elif root.exists():
        (root / "failure.json").write_text(json.dumps(record, indent=1))
    return record


def describe(record: dict) -> str:
    if "error" in record:
        return f"{record['name']}: {record['error'].strip()}"
    text = f"{record['name']}: {record['differing']} of {record['voxels']} voxels differ"
    if record["probability_difference"]:
        text += f", probabilities by at most {record['probability_difference']:.2g}"
    if not record["same_label_type"]:
        text += ", number type of labels differs"
    if record["drift"]:
        text += f"; first drift: {record['drift']}"
    return text


def run_random_cases(options: argparse.Namespace) -> list[str]:
    """Names of the cases that failed."""
    runner = options.build.resolve() / "tests" / "parity-runner"
    options.output.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    failed, voxels, differing = [], 0, 0
    # One process for each thread, with one thread each: the networks are tiny.
    with ProcessPoolExecutor(options.threads) as pool:
        seeds = range(options.seed, options.seed + options.count)
        jobs = [pool.submit(run_random_case, seed, runner, options.output) for seed in seeds]
        for job in jobs:
            record = job.result()
            voxels += record.get("voxels", 0)
            differing += record.get("differing", 0)
            if not record["good"]:
                failed.append(record["name"])
            print(describe(record), flush=True)
    print(f"{options.count} cases, {len(failed)} failed; {differing} of {voxels} voxels differ; "
          f"{time.perf_counter() - start:.0f} s")  # fmt: skip
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--build", type=Path, default=ROOT / "build/release", help="build folder (default: build/release)")
    add("--cases", help="run the golden cases whose names match this regular expression")
    add("--count", type=int, default=0, help="number of random cases")
    add("--seed", type=int, default=1, help="of the first random case (default: 1)")
    add("--output", type=Path, default=ROOT / "out/parity", help="for random cases that differ (default: out/parity)")
    add("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of both sides (default: all processors)")
    options = parser.parse_args()
    # Not both: the random cases' workers are forked, and golden cases leave torch with threads.
    if bool(options.cases) == (options.count > 0):
        parser.error("give either --cases or --count")
    failed = run_named_cases(options) if options.cases else []
    failed += run_random_cases(options) if options.count else []
    if failed:
        print("failed: " + " ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

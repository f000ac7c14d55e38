"""What happens outside the network: an image's way to the network's grid and the labels' way back, against nnU-Net's."""

import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnseg_bench import nnunet_peer
from nnseg_bench.bench import Bench
from nnseg_bench.processes import peak_mib, peer, reset_peak, resident_mib
from nnseg_bench.report import Row, paired_ratio

PART = "resampling"
_WORKER = Path(__file__).with_name("resampling_worker.py")


@dataclass(frozen=True)
class Case:
    """`kind` is that of the two programs; `key` and `memory_key` are goals."""

    kind: str
    what: str
    shape: tuple[int, int, int]
    to: tuple[int, int, int]
    classes: int = 1
    key: str = ""
    memory_key: str = ""


_FULL = (
    Case("image", "one channel, order 3, to 181 x 217 x 181", (121, 145, 121), (181, 217, 181), key="resample"),
    Case("labels", "25 classes to labels, 300 x 512 x 512", (150, 256, 256), (300, 512, 512), 25, "restore-25", "restore-memory"),
    Case("labels", "117 classes to labels, 181 x 217 x 181", (91, 109, 91), (181, 217, 181), 117),
)
_QUICK = (
    Case("image", "one channel, order 3, to 30 x 36 x 30", (20, 24, 20), (30, 36, 30)),
    Case("labels", "5 classes to labels, 30 x 36 x 30", (15, 18, 15), (30, 36, 30), 5),
)


def run(bench: Bench) -> None:
    for case in _QUICK if bench.quick else _FULL:
        with tempfile.TemporaryDirectory() as folder:
            _measure(bench, case, Path(folder))


def _measure(bench: Bench, case: Case, folder: Path) -> None:
    bench.say(case.what)
    shared = [
        case.kind, "--from", *case.shape, "--to", *case.to, "--file", folder / "input", "--classes", case.classes,
        "--threads", bench.threads,
    ]  # fmt: skip
    their_command = [sys.executable, _WORKER, *shared, "--output", folder / "nnunet.npy"]
    our_command = [bench.program("resampling_bench"), *shared, "--output", folder / "ours"]
    ours, theirs = [], []
    with peer(their_command, nnunet_peer.environment(bench.threads), bench.log("nnunet-resampling")) as nnunet, \
         peer(our_command, bench.environment(), bench.log("resampling_bench")) as program:  # fmt: skip
        before = resident_mib(program.pid)
        reset_peak(program.pid)
        program.ask("1")  # the first run: later ones find the allocator's memory
        peak = (peak_mib(program.pid) - before) / 1024
        for _ in range(bench.rounds(2 if case.kind == "labels" else 5)):
            theirs.append(nnunet.ask_json(do="run"))
            ours.append(float(program.ask("1")))
    their_seconds = [run["seconds"] for run in theirs]
    bench.add(Row(
        PART, case.what, statistics.median(ours), "s", "nnU-Net", statistics.median(their_seconds),
        paired_ratio(their_seconds, ours), case.key, f"times faster; {_difference(case, folder)}",
    ))  # fmt: skip
    their_peak = max(run["peak_mib"] for run in theirs) / 1024
    bench.add(Row(
        PART, f"{case.what}: memory beyond input and result", peak, "GiB", "nnU-Net, result included", their_peak, peak,
        case.memory_key, "the ratio is the figure itself",
    ))  # fmt: skip


def _difference(case: Case, folder: Path) -> str:
    expected = np.load(folder / "nnunet.npy")
    if case.kind == "labels":
        got = np.fromfile(folder / "ours", np.uint16).reshape(case.to)
        return f"{np.count_nonzero(got != expected)} of {got.size} voxels differ"
    got = np.fromfile(folder / "ours", np.float32).reshape(case.to)
    return f"{np.count_nonzero(got != expected.astype(np.float32))} of {got.size} values differ"

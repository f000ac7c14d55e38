"""One request to a warm server against nnU-Net in Python: its resident predictor and its command line.

The same model, image, fold and threads; no mirroring, no post-processing. Time is the client's, from the begin of the
call to the answer's end, the upload and the labels' way back included; nnU-Net gets and gives arrays in memory.
"""

import shutil
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnseg_bench import nnunet_peer, scenarios
from nnseg_bench.bench import Bench
from nnseg_bench.processes import peak_mib, reset_peak
from nnseg_bench.report import Row, paired_ratio
from nnseg_bench.scenarios import Mode, Scenario
from nnseg_bench.service import Request, Service, running_server

PART = "end to end"


@dataclass(frozen=True)
class Run:
    """One mode's requests, one for each round, and the server's peak memory during the last."""

    requests: list[Request]
    peak_mib: float

    @property
    def seconds(self) -> list[float]:
        return [request.seconds for request in self.requests]


def run(bench: Bench) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for scenario in scenarios.all_of(bench, Path(folder)):
            _measure(bench, scenario, Path(folder))


def _measure(bench: Bench, scenario: Scenario, scratch: Path) -> None:
    bench.say(f"{scenario.name}: starting the server and nnU-Net's predictor")
    server = running_server(bench.binaries, {scenario.model: scenario.bundle}, bench.threads, bench.log("server"))
    predictor = nnunet_peer.resident_predictor(
        scenario.bundle, scenario.image, [scenarios.FOLD], bench.threads, bench.log("nnunet")
    )
    with server as service, predictor as nnunet:
        modes = scenarios.modes(bench, PART, service, scenario)
        differing = _warm_up(service, nnunet, scenario, modes, scratch)
        theirs: list[dict] = []
        ours: dict[str, list[Request]] = {mode.name: [] for mode in modes}
        peaks: dict[str, float] = {}
        for _ in range(bench.rounds(3)):
            theirs.append(nnunet.ask_json(do="predict"))
            for mode in modes:
                reset_peak(service.pid)
                ours[mode.name] += service.requests(scenario.model, scenario.image, mode.options)
                peaks[mode.name] = peak_mib(service.pid)
        runs = {name: Run(requests, peaks[name]) for name, requests in ours.items()}
        _report(bench, scenario, modes, runs, theirs, differing)
        if scenario.cold:
            _report_cold(bench, scenario, service, modes[0], scratch)


def _warm_up(service: Service, nnunet, scenario: Scenario, modes: Sequence[Mode], scratch: Path) -> dict[str, int]:
    """One run of each, not timed; counts the voxels whose label differs from nnU-Net's."""
    import SimpleITK

    nnunet.ask_json(do="predict")
    saved = scratch / "nnunet.npy"
    nnunet.ask_json(do="save", path=str(saved))
    expected = np.load(saved)
    counts = {}
    for mode in modes:
        output = scratch / "labels.nii.gz"
        service.segment(scenario.model, scenario.image, mode.options, output)
        counts[mode.name] = int((SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(output))) != expected).sum())
    return counts


def _goal(scenario: Scenario, mode: Mode) -> str:
    """int8 and int8_bf16 are two ways to one goal."""
    return f"{scenario.key}-{mode.name.split()[-1].removesuffix('_bf16')}"


def _report(bench, scenario: Scenario, modes: Sequence[Mode], runs: dict[str, Run], theirs: list[dict], differing) -> None:
    median = statistics.median
    name = scenario.name
    their_seconds = [run["seconds"] for run in theirs]
    fastest: dict[str, Mode] = {}  # by goal
    for mode in modes:
        best = fastest.setdefault(_goal(scenario, mode), mode)
        if median(runs[mode.name].seconds) < median(runs[best.name].seconds):
            fastest[_goal(scenario, mode)] = mode
    for mode in modes:
        ours = runs[mode.name]
        goal = _goal(scenario, mode)
        key = goal if fastest[goal] is mode else ""
        bench.add(Row(
            PART, f"{name}, {mode.name}", median(ours.seconds), "s", "warm nnU-Net", median(their_seconds),
            paired_ratio(ours.seconds, their_seconds), key, f"{differing[mode.name]} voxels differ from nnU-Net's",
        ))  # fmt: skip
        if mode.exact:
            bench.add(Row(
                PART, f"{name}, {mode.name}: voxels that differ from nnU-Net's", differing[mode.name], "voxels", "", None,
                differing[mode.name], f"{scenario.key}-differing",
            ))  # fmt: skip
    for mode in modes:
        ours = runs[mode.name]
        network = median(request.network_seconds for request in ours.requests)
        outside = [(request.seconds - request.network_seconds) / request.network_seconds for request in ours.requests]
        bench.add(Row(
            PART, f"{name}, {mode.name}: outside the network", median(ours.seconds) - network, "s", "network", network,
            median(outside), f"{scenario.key}-outside" if mode is modes[0] else "",
        ))  # fmt: skip
    their_network = median(run["network_seconds"] for run in theirs)
    bench.add(Row(
        PART, f"{name}, nnU-Net: outside the network", median(their_seconds) - their_network, "s", "network", their_network,
        (median(their_seconds) - their_network) / their_network,
    ))  # fmt: skip
    first = [(request.labels[0] - request.begin) / request.seconds for request in runs[modes[0].name].requests]
    first_seconds = median(request.labels[0] - request.begin for request in runs[modes[0].name].requests)
    bench.add(Row(
        PART, f"{name}, {modes[0].name}: time to the first labels", first_seconds, "s", "total",
        median(runs[modes[0].name].seconds), median(first), f"{scenario.key}-first",
    ))  # fmt: skip
    their_peak = max(run["peak_mib"] for run in theirs)
    for mode in modes:
        peak = runs[mode.name].peak_mib
        bench.add(Row(
            PART, f"{name}, {mode.name}: peak memory of the server", peak, "MiB", "nnU-Net", their_peak, peak / their_peak,
            f"{scenario.key}-memory" if mode is modes[0] else "",
        ))  # fmt: skip
    bench.keep(f"stages-{scenario.key}", {
        "name": name,
        "nnU-Net": {"network": their_network, "all": median(their_seconds)},
        "nnseg": {
            mode.name: {
                "network": median(request.network_seconds for request in runs[mode.name].requests),
                "all": median(runs[mode.name].seconds),
            }
            for mode in modes
        },
    })  # fmt: skip


def _report_cold(bench: Bench, scenario: Scenario, service: Service, mode: Mode, scratch: Path) -> None:
    folder = scratch / f"cold-{scenario.key}"
    command_line = nnunet_peer.CommandLine(scenario.bundle, scenario.image, folder)
    ours, theirs = [], []
    for _ in range(bench.rounds(3)):
        theirs.append(command_line.run(scenarios.FOLD, bench.threads, bench.log("nnunet-cold")))
        ours += [request.seconds for request in service.requests(scenario.model, scenario.image, mode.options)]
    shutil.rmtree(folder)
    bench.add(Row(
        PART, f"{scenario.name}, {mode.name}", statistics.median(ours), "s", "nnUNetv2_predict from a cold start",
        statistics.median(theirs), paired_ratio(ours, theirs), f"{scenario.key}-cold",
    ))  # fmt: skip

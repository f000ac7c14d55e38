"""The network alone: sgemm, nnU-Net's eager torch and our engines, in turn."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from nnseg_export import ExportError

from nnseg_bench import machine, networks
from nnseg_bench.bench import Bench
from nnseg_bench.processes import PeerError, peer
from nnseg_bench.report import Row, paired_ratio

PART = "network"
_SGEMM_SIZE = 4096


@dataclass(frozen=True)
class Variant:
    """A network file and the precision in which an engine runs it."""

    engine: str
    precision: str
    file: Path
    goal: str = ""  # the fastest variant of a goal stands for it
    how: str = ""
    note: str = ""


@dataclass(frozen=True)
class Figures:
    """What paired rounds gave for a variant."""

    variant: Variant
    sgemm: Row  # rate against sgemm's
    eager: Row  # time against eager torch's


def run(bench: Bench) -> None:
    torch.set_num_threads(bench.threads)
    cases = [(networks.TINY, 32)] if bench.quick else [
        (networks.PLAIN, 64), (networks.PLAIN, 96), (networks.PLAIN, 128), (networks.RESENC_L, 64), (networks.RESENC_L, 96)
    ]  # fmt: skip
    for architecture, size in cases:
        bench.say(f"{architecture.name} {size}³: exporting")
        files = networks.Files(architecture, size, bench.output / "networks")
        flops = files.flops()
        measured = []
        for variant in _variants(bench, files):
            try:
                measured.append(_measure(bench, architecture.name, size, files, flops, variant))
            except PeerError as error:
                bench.skip(PART, f"{architecture.name} {size}³, {variant.engine} {variant.precision}: {error}")
        for row in _rows(measured, architecture is networks.PLAIN, size):
            bench.add(row)


def _variants(bench: Bench, files: networks.Files) -> Iterator[Variant]:
    yield Variant("torch", "fp32", files.torch)
    yield Variant("openvino", "fp32", files.openvino, goal="fp32")
    has_bf16 = bool(machine.cpu_flags() & {"avx512_bf16", "amx_bf16"})
    if has_bf16:
        yield Variant("openvino", "bf16", files.bf16, goal="bf16", how=" (OpenVINO's convolutions)")
        yield Variant("openvino", "bf16", files.bf16_nnseg, goal="bf16", how=" (nnseg's convolutions)")
    else:
        bench.skip(PART, "bf16 and int8_bf16: this CPU has neither avx512_bf16 nor amx_bf16")
    note = "all layers quantised, speed only"
    try:
        yield Variant("openvino", "int8", files.int8(), goal="int8", note=note)
        if has_bf16:
            yield Variant("openvino", "int8_bf16", files.int8(), goal="int8", note=note)
    except ExportError:
        bench.skip(PART, "int8: NNCF is not installed")
    except RuntimeError as error:
        bench.skip(PART, f"int8: NNCF cannot quantise this network: {error}")


def _rows(measured: list[Figures], plain: bool, size: int) -> Iterator[Row]:
    """All figures, those that goals speak of with their keys."""
    fastest: dict[str, Figures] = {}
    for figures in measured:
        best = fastest.setdefault(figures.variant.goal, figures)
        if figures.eager.ratio < best.eager.ratio:
            fastest[figures.variant.goal] = figures
    for figures in measured:
        goal = figures.variant.goal
        stands = plain and goal and fastest[goal] is figures
        yield replace(figures.sgemm, goal=f"sgemm-{goal}" if stands and size == 64 else "")
        yield replace(figures.eager, goal=f"eager-{goal}" if stands and size == 128 else "")


def _measure(bench: Bench, name: str, size: int, files: networks.Files, flops: int, variant: Variant) -> Figures:
    what = f"{name} {size}³, {variant.engine} {variant.precision}{variant.how}"
    bench.say(what)
    command = [
        bench.program("nnseg-network"), "--time", "--engine", variant.engine, "--precision", variant.precision,
        "--file", variant.file, "--channels", 1, "--heads", networks.HEADS, "--patch", size, size, size,
        "--threads", bench.threads,
    ]  # fmt: skip
    sgemm, eager, ours = [], [], []
    with peer(command, bench.environment(), bench.log("nnseg-network")) as engine:
        _eager_seconds(files)
        for _ in range(bench.rounds(3 if size >= 128 else 5)):
            sgemm.append(_sgemm_seconds(bench))
            eager.append(_eager_seconds(files))
            ours.append(float(engine.ask("1")))
    rates = [flops / seconds / 1e9 for seconds in ours]
    sgemm_rates = [2 * _sgemm_size(bench) ** 3 / seconds / 1e9 for seconds in sgemm]
    median = statistics.median
    return Figures(
        variant,
        Row(PART, what, median(rates), "GFLOP/s", "sgemm", median(sgemm_rates), paired_ratio(rates, sgemm_rates),
            note=variant.note),
        Row(PART, what, median(ours), "s/pass", "nnU-Net's eager torch", median(eager), paired_ratio(ours, eager),
            note=variant.note),
    )  # fmt: skip


def _sgemm_size(bench: Bench) -> int:
    return 1024 if bench.quick else _SGEMM_SIZE


def _sgemm_seconds(bench: Bench) -> float:
    """One product of two fp32 matrices by torch's BLAS, the faster of two."""
    a = torch.rand((_sgemm_size(bench),) * 2)
    return min(_timed(lambda: a @ a) for _ in range(2))


def _eager_seconds(files: networks.Files) -> float:
    with torch.inference_mode():
        return _timed(lambda: files.network(files.patch))


def _timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start

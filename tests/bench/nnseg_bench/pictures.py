"""Pictures of the figures (PNG)."""

import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from nnseg_bench.goals import Goal
from nnseg_bench.report import Row, number

TIMELINE = "timeline.png"  # docs/performance.md has a place of its own for it
_COLOURS = {
    "torch fp32": "#8da0cb", "openvino fp32": "#66c2a5", "openvino bf16": "#fc8d62", "openvino int8": "#e78ac3",
    "openvino int8_bf16": "#e5c494",
}  # fmt: skip
_PEER = "#b3b3b3"
_STAGES = {  # as the client names them
    "upload": ("receive", "#8da0cb"), "queued": ("wait", "#e5e5e5"), "preprocess": ("prepare", "#fc8d62"),
    "network": ("infer, restore and send", "#66c2a5"), "restore": ("restore the last slab", "#e5c494"),
    "post-proc.": ("post-process", "#a6d854"), "download": ("send", "#e78ac3"),
}  # fmt: skip


def draw_all(rows: Sequence[Row], goals: dict[str, Goal], data: Path, folder: Path) -> list[Path]:
    """Draws what there are figures for."""
    drawn = [
        _ratios(rows, goals, folder / "bench_ratios.png"),
        _network(rows, folder / "bench_network.png"),
        _stages(sorted(data.glob("stages-*.json")), folder / "bench_stages.png"),
        _timeline(data / "timeline.json", folder / TIMELINE),
    ]
    return [path for path in drawn if path is not None]


def _ratios(rows: Sequence[Row], goals: dict[str, Goal], path: Path) -> Path | None:
    """Each measured goal as a fraction of what it must reach: left of 1 is better than it must."""
    found = [(goals[row.goal], row.ratio) for row in rows if row.goal in goals and row.ratio and goals[row.goal].must]
    if not found:
        return None
    names = [goal.text for goal, _ in found]
    parts = [goal.must / ratio if goal.higher else ratio / goal.must for goal, ratio in found]
    figure, axes = plt.subplots(figsize=(10, 0.8 + 0.32 * len(found)), layout="constrained")
    bars = axes.barh(names, parts, color=["#66c2a5" if part <= 1 else "#d95f5f" for part in parts])
    axes.bar_label(bars, [f" {number(ratio)}" for _, ratio in found], fontsize=8)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.margins(x=0.1)
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=8)
    axes.set_xlabel("measured / must (numbers: the ratio itself); left of the line is better")
    return _save(figure, path)


def _network(rows: Sequence[Row], path: Path) -> Path | None:
    """GFLOP/s of each network by engine and precision, sgemm and nnU-Net's eager torch beside them."""
    rates = [row for row in rows if row.part == "network" and row.unit == "GFLOP/s"]
    passes = {row.what: row for row in rows if row.part == "network" and row.unit == "s/pass"}
    if not rates:
        return None
    networks = list(dict.fromkeys(row.what.rsplit(", ", 1)[0] for row in rates))
    kinds = ["nnU-Net's eager torch", *dict.fromkeys(row.what.rsplit(", ", 1)[1] for row in rates)]
    figure, axes = plt.subplots(figsize=(10, 4.5), layout="constrained")
    width = 0.8 / len(kinds)
    for row in rates:
        network, kind = row.what.rsplit(", ", 1)
        x = networks.index(network)
        timed = passes[row.what]
        axes.bar(x + width * kinds.index(kind), row.value, width, color=_COLOURS.get(kind), label=kind)
        if kind == kinds[1]:
            axes.bar(x, row.value * timed.value / timed.against_value, width, color=_PEER, label=kinds[0])
        axes.hlines(row.against_value, x - width / 2, x + 0.8 - width / 2, color="black", linewidth=1, label="sgemm")
    axes.set_xticks([x + 0.4 - width / 2 for x in range(len(networks))], networks)
    axes.set_ylabel("GFLOP/s")
    _legend(figure, axes)
    return _save(figure, path)


def _stages(files: Sequence[Path], path: Path) -> Path | None:
    """Seconds in the network and outside of it, of nnU-Net and of each of our modes."""
    if not files:
        return None
    figure, grid = plt.subplots(1, len(files), figsize=(5 * len(files), 3.2), layout="constrained", squeeze=False)
    for axes, file in zip(grid[0], files, strict=True):
        content = json.loads(file.read_bytes())
        bars = {"nnU-Net": content["nnU-Net"], **content["nnseg"]}
        names = list(bars)
        network = [bar["network"] for bar in bars.values()]
        axes.barh(names, network, color="#66c2a5", label="network")
        axes.barh(names, [bar["all"] - bar["network"] for bar in bars.values()], left=network, color="#fc8d62",
                  label="all else")  # fmt: skip
        for y, bar in enumerate(bars.values()):
            axes.text(bar["all"], y, f" {number(bar['all'])} s", va="center", fontsize=8)
        axes.set_xmargin(0.15)
        axes.invert_yaxis()
        axes.set_title(content["name"])
        axes.set_xlabel("seconds")
    _legend(figure, grid[0][0])
    return _save(figure, path)


def _timeline(file: Path, path: Path) -> Path | None:
    """Stages of concurrent requests as their clients saw them, and when each block of labels came. On the left the time
    until all are prepared, on the right all of it."""
    if not file.exists():
        return None
    requests = sorted(json.loads(file.read_bytes()), key=lambda request: request["end"])
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11, 1 + 0.7 * len(requests)), layout="constrained", sharey=True, width_ratios=(2, 3)
    )
    for axes in (left, right):
        _draw_stages(axes, requests)
    prepared = [at for request in requests for stage, at in request["stages"] if stage == "queued"]
    left.set_xlim(0, 1.3 * max(prepared, default=right.get_xlim()[1]))
    left.set_yticks(range(len(requests)), [f"request {y + 1}" for y in range(len(requests))])
    left.invert_yaxis()
    _legend(figure, right)
    return _save(figure, path)


def _draw_stages(axes, requests: Sequence[dict]) -> None:
    for y, request in enumerate(requests):
        starts = [("upload", request["begin"]), *[tuple(stage) for stage in request["stages"]]]
        ends = [at for _, at in starts[1:]] + [request["end"]]
        for (stage, start), end in zip(starts, ends, strict=True):
            name, colour = _STAGES.get(stage, (stage, _PEER))
            axes.barh(y, end - start, left=start, height=0.5, color=colour, label=name)
        axes.plot(request["labels"], [y + 0.36] * len(request["labels"]), "|", color="black", markersize=7,
                  label="labels arrive")  # fmt: skip
    axes.set_xlabel("seconds")


def _legend(figure, axes) -> None:
    """Above all axes, each name of `axes` once."""
    handles, names = axes.get_legend_handles_labels()
    unique = dict(zip(names, handles, strict=True))
    figure.legend(list(unique.values()), list(unique), loc="outside upper center", ncols=8, fontsize=8, frameon=False)


def _save(figure, path: Path) -> Path:
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return path

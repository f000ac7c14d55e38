"""Several requests at once: four together against four in a row, and a small one beside a large one."""

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from nnseg_bench import scenarios
from nnseg_bench.bench import Bench
from nnseg_bench.report import Row, paired_ratio
from nnseg_bench.service import Request, Service, read_trace, running_server

PART = "concurrency"
_CASES = 4
_SMALL_SIZE = 80  # voxels along each axis: one tile of brain-t1
_SMALL_REQUESTS = 5


def run(bench: Bench) -> None:
    bundle = scenarios.newest(scenarios.BRAIN_T1)
    with tempfile.TemporaryDirectory() as folder, running_server(
        bench.binaries, {"brain-t1": bundle}, bench.threads, bench.log("server")
    ) as service:  # fmt: skip
        scratch = Path(folder)
        image = scenarios.image_of(bench, scratch)
        service.requests("brain-t1", image, scenarios.FP32.options)  # warm
        _four_at_once(bench, service, image)
        _small_beside_large(bench, service, image, scenarios.crop(_SMALL_SIZE, scratch), scratch)


def _four_at_once(bench: Bench, service: Service, image: Path) -> None:
    row, together = [], []
    for _ in range(bench.rounds(3)):
        in_turn = service.requests("brain-t1", image, scenarios.FP32.options, requests=_CASES)
        row.append(_wall(in_turn))
        at_once = service.requests("brain-t1", image, scenarios.FP32.options, requests=_CASES, clients=_CASES)
        together.append(_wall(at_once))
    bench.add(Row(
        PART, f"{_CASES} requests together, S1 openvino fp32", statistics.median(together), "s",
        f"{_CASES} in a row", statistics.median(row), paired_ratio(together, row), "concurrent",
    ))  # fmt: skip
    origin = at_once[0].begin
    bench.keep("timeline", [
        {
            "begin": request.begin - origin,
            "end": request.end - origin,
            "stages": [(stage, at - origin) for stage, at in _stages(request)],
            "labels": [at - origin for at in request.labels],
        }
        for request in at_once
    ])  # fmt: skip


def _stages(request: Request) -> list[tuple[str, float]]:
    """The client sees when preparing began; once it is done, the case waits for its turn on the device."""
    stages = []
    for stage, at in request.stages:
        stages.append((stage, at))
        if stage == "preprocess":
            stages.append(("queued", at + request.stage_seconds("preprocess")))
    return stages


def _small_beside_large(bench: Bench, service: Service, large: Path, small: Path, scratch: Path) -> None:
    """The large request, with mirroring, lasts longer than the small ones that are sent one by one beside it."""
    options = scenarios.FP32.options
    mirrored = [option for option in options if option != "--no-tta"]
    alone = service.requests("brain-t1", small, options, requests=_SMALL_REQUESTS)
    trace = scratch / "large.json"
    with service.start_requests("brain-t1", large, mirrored, trace) as client:
        time.sleep(2 * _seconds(alone))  # it is uploaded and prepared
        beside = service.requests("brain-t1", small, options, requests=_SMALL_REQUESTS)
        if client.wait() != 0:
            raise RuntimeError(f"nnseg bench ended with code {client.returncode}")
    (other,) = read_trace(trace)
    beside = [request for request in beside if other.begin < request.begin and request.end < other.end]
    if not beside:
        bench.skip(PART, "a small request beside a large one: the large one ended before the small one")
        return
    wait = _seconds(beside) - _seconds(alone)
    tile = statistics.median(request.pass_seconds for request in alone)
    bench.add(Row(
        PART, f"a small request ({alone[0].report['passes']} tiles) beside a large one", _seconds(beside), "s", "alone",
        _seconds(alone), _seconds(beside) / _seconds(alone),
    ))  # fmt: skip
    bench.add(Row(
        PART, "the same: further wait", wait, "s", "a tile", tile, wait / tile, "small-wait",
        "median over requests sent one after the other",
    ))  # fmt: skip


def _seconds(requests: Sequence[Request]) -> float:
    return statistics.median(request.seconds for request in requests)


def _wall(requests: Sequence[Request]) -> float:
    return max(request.end for request in requests) - min(request.begin for request in requests)

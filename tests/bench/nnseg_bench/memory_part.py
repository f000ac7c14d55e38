"""What the server's memory does over many requests of mixed sizes, two at a time."""

import random
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
from nnseg_bench import scenarios
from nnseg_bench.bench import Bench
from nnseg_bench.processes import resident_mib
from nnseg_bench.report import Row
from nnseg_bench.service import running_server

PART = "memory"
_SIZES = (24, 32, 40, 48, 56, 64, 72, 80, 96, 112)  # voxels along each axis; one deck of ten requests
_WARM_DECKS = 2
_DECKS = 20


def run(bench: Bench) -> None:
    bundle = scenarios.newest(scenarios.BRAIN_T1)
    decks = _WARM_DECKS + 1 if bench.quick else _DECKS
    sizes = _SIZES[:3] if bench.quick else _SIZES
    shuffle = random.Random(1).sample
    resident = []
    with tempfile.TemporaryDirectory() as folder, running_server(
        bench.binaries, {"brain-t1": bundle}, bench.threads, bench.log("server")
    ) as service:  # fmt: skip
        images = [scenarios.crop(size, Path(folder)) for size in sizes]
        for _ in range(decks):
            with ThreadPoolExecutor(2) as clients:
                list(clients.map(
                    lambda image: service.requests("brain-t1", image, scenarios.FP32.options),
                    shuffle(images, len(images)),
                ))  # fmt: skip
            resident.append(resident_mib(service.pid))
    bench.keep("memory", {"requests": len(sizes), "resident_mib": resident})
    warm, last = resident[_WARM_DECKS - 1], resident[-1]
    drift = float(numpy.polyfit(range(len(resident) - 1), resident[1:], 1)[0])
    bench.add(Row(
        PART, f"server's memory after {decks * len(sizes)} mixed requests", last, "MiB",
        f"after {_WARM_DECKS * len(sizes)}", warm, last / warm, "memory-growth",
        f"{drift:+.2f} MiB for every {len(sizes)} requests",
    ))  # fmt: skip

"""A resident nnU-Net predictor: nnunet_worker.py BUNDLE IMAGE --folds 0 --threads 2.

Says {"ready": true} when model and image are in memory. Each line of standard input is then a JSON object: {"do":
"predict"} runs the image without mirroring and post-processing and answers the seconds in all, those in the network and
the process's peak memory during it; {"do": "save", "path": "labels.npy"} writes the labels of the last run.
"""

import argparse
import contextlib
import json
import os
import sys
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "data"), str(ROOT / "tests" / "bench")]

import numpy as np
import torch
from make_goldens import make_predictor

from nnseg_bench.processes import peak_mib, reset_peak


class Worker:
    def __init__(self, options: argparse.Namespace):
        torch.set_num_threads(options.threads)
        manifest = json.loads((options.bundle / "manifest.json").read_bytes())
        self._predictor = make_predictor(options.bundle, manifest, options.folds, False, 0.5)
        reader = self._predictor.plans_manager.image_reader_writer_class()
        self._image, properties = reader.read_images([str(options.image)])
        self._properties = {"spacing": properties["spacing"]}
        self._labels = None
        self._network_seconds = 0.0
        self._entered = 0.0
        self._predictor.network.register_forward_pre_hook(self._enter)
        self._predictor.network.register_forward_hook(self._leave)

    def predict(self) -> dict:
        self._labels = None
        self._network_seconds = 0.0
        reset_peak(os.getpid())
        start = time.perf_counter()
        self._labels = self._predictor.predict_single_npy_array(self._image, self._properties, None, None, False)
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "network_seconds": self._network_seconds, "peak_mib": peak_mib(os.getpid())}

    def save(self, path: str) -> dict:
        np.save(path, self._labels)
        return {"saved": True}

    def _enter(self, *_):
        self._entered = time.perf_counter()

    def _leave(self, *_):
        self._network_seconds += time.perf_counter() - self._entered


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bundle", type=Path)
    parser.add_argument("image", type=Path)
    parser.add_argument("--folds", nargs="+", required=True)
    parser.add_argument("--threads", type=int, required=True)
    answers = sys.stdout
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(sys.stderr):  # nnU-Net prints
        worker = Worker(parser.parse_args())
        print(json.dumps({"ready": True}), file=answers, flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            answer = worker.predict() if request["do"] == "predict" else worker.save(request["path"])
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()

"""nnU-Net's own resampling and export of made-up arrays: resampling_worker.py KIND --from Z Y X --to Z Y X --file IN ...

KIND is `image` (one channel, order 3) or `labels` (logits of --classes channels to labels, by nnU-Net's default of order
1). Writes the input (float32 or float16, C order) to --file and says {"ready": true}; each line of standard input then
runs it once and answers the seconds and the process's peak memory beyond what it held before; the result is in --output.
"""

import argparse
import contextlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "parity"), str(ROOT / "tests" / "bench")]
for _variable in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
    os.environ.setdefault(_variable, "unused")  # nnU-Net warns without them and reads nothing from them

import numpy as np
import torch
from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape
from nnunetv2.preprocessing.resampling.default_resampling import resample_data_or_seg_to_shape
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from toy_model import configuration, make_dataset, make_plans

from nnseg_bench.processes import peak_mib, reset_peak, resident_mib

_COARSE = (6, 8, 8)  # knots of the random fields: structures of an organ's size
_BACKGROUND = 2.0  # by how much its logit is above the others'


def smooth(seed: int, shape: list[int]) -> torch.Tensor:
    """A random field, interpolated between a few knots."""
    knots = torch.randn((1, 1, *_COARSE), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(knots, size=tuple(shape), mode="trilinear")[0, 0]


def image_work(options: argparse.Namespace) -> Callable[[], np.ndarray]:
    noise = torch.randn(options.shape, generator=torch.Generator().manual_seed(0))
    image = (1000 * smooth(1, options.shape) + 20 * noise).numpy()[None]
    image.tofile(options.file)
    return lambda: resample_data_or_seg_to_shape(image, options.to, [2] * 3, [1] * 3, is_seg=False, order=3, order_z=0)[0]


def labels_work(options: argparse.Namespace) -> Callable[[], np.ndarray]:
    logits = torch.empty((options.classes, *options.shape), dtype=torch.half)
    for label in range(options.classes):
        logits[label] = 4 * smooth(label, options.shape) + (_BACKGROUND if label == 0 else 0)
    logits.numpy().tofile(options.file)
    dataset = make_dataset(options.classes)
    plans = PlansManager(make_plans({"3d_fullres": configuration([32] * 3, [2.0] * 3)}))
    properties = {
        "spacing": [1.0] * 3, "shape_before_cropping": options.to, "shape_after_cropping_and_before_resampling": options.to,
        "bbox_used_for_cropping": [[0, size] for size in options.to],
    }  # fmt: skip
    return lambda: convert_predicted_logits_to_segmentation_with_correct_shape(
        logits, plans, plans.get_configuration("3d_fullres"), plans.get_label_manager(dataset), properties,
        num_threads_torch=options.threads,
    )  # fmt: skip


def run(work: Callable[[], np.ndarray], output: Path) -> dict:
    before = resident_mib(os.getpid())
    reset_peak(os.getpid())
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    peak = peak_mib(os.getpid())
    np.save(output, result)
    return {"seconds": seconds, "peak_mib": peak - before}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["image", "labels"])
    for name in ("--from", "--to"):
        parser.add_argument(name, dest={"--from": "shape"}.get(name), type=int, nargs=3, required=True)
    for name in ("--file", "--output"):
        parser.add_argument(name, type=Path, required=True)
    for name in ("--classes", "--threads"):
        parser.add_argument(name, type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    answers = sys.stdout
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(sys.stderr):  # nnU-Net prints
        work = image_work(options) if options.kind == "image" else labels_work(options)
        print(json.dumps({"ready": True}), file=answers, flush=True)
        for _ in sys.stdin:
            print(json.dumps(run(work, options.output)), file=answers, flush=True)


if __name__ == "__main__":
    main()

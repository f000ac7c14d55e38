#!/usr/bin/env python3
"""Writes small label maps and logits and what nnU-Net's resampling functions make of them, for golden_test.cc.

    make_goldens.py [OUTPUT_FOLDER]

goldens.json lists the cases: the plan's function and its arguments, the input's shape and spacing and the output's.
goldens.bin holds for each case the input (labels: int8 of one channel, logits: f16), then the output (int8 or f32), all
in C order and little endian, one after the other.

Needs nnunetv2 2.8.1 with numpy 2.4.6, scipy 1.17.1, scikit-image 0.26.0, batchgenerators 0.25.5 and torch 2.15, as in
the environment that deploy/export/setup makes, and a processor with AVX2.
"""

import importlib.metadata
import json
import os
import sys
from pathlib import Path

for _variable in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
    os.environ.setdefault(_variable, "unused")  # nnU-Net warns without them and reads nothing from them

import numpy as np
import torch
from nnunetv2.preprocessing.resampling.default_resampling import resample_data_or_seg_to_shape
from nnunetv2.preprocessing.resampling.resample_torch import resample_torch_fornnunet

PACKAGES = ("nnunetv2", "numpy", "scipy", "scikit-image", "batchgenerators", "torch")
FUNCTIONS = {function.__name__: function for function in (resample_data_or_seg_to_shape, resample_torch_fornnunet)}
ISOTROPIC = (1, 1, 1)
COARSE = [(5, 1, 1), (1, 5, 1), (1, 1, 5)]
LABEL_RULES = [
    ("resample_data_or_seg_to_shape", {"order": 0, "order_z": 0}),
    ("resample_data_or_seg_to_shape", {"order": 1, "order_z": 0}),
    ("resample_data_or_seg_to_shape", {"order": 3, "order_z": 0}),
    ("resample_data_or_seg_to_shape", {"order": 1, "order_z": 1}),
    ("resample_data_or_seg_to_shape", {"order": 3, "order_z": 3}),
    ("resample_torch_fornnunet", {"memefficient_seg_resampling": False}),
    ("resample_torch_fornnunet", {"memefficient_seg_resampling": True}),
]
TORCH = "resample_torch_fornnunet"


def cases():
    """(function, arguments, channels (None: a label map), shape, spacing, new shape)"""
    for function, arguments in LABEL_RULES:
        yield function, arguments, None, (6, 7, 8), ISOTROPIC, (8, 5, 11)
        yield function, arguments, None, (5, 6, 4), ISOTROPIC, (10, 12, 8)  # ties everywhere
        for coarse in COARSE:
            shape = tuple(11 if spacing > 1 else n for n, spacing in zip((5, 7, 6), coarse))
            yield function, arguments, None, shape, coarse, (7, 9, 8)
    # Slices of all channels are taken eight at a time while they are small, and where they lie interleaved.
    yield TORCH, {}, 2, (6, 7, 8), ISOTROPIC, (8, 5, 11)
    for axis, coarse in enumerate(COARSE):
        yield TORCH, {}, 3, tuple(7 if i == axis else 4 + i for i in range(3)), coarse, (6, 7, 5)
    yield TORCH, {}, 2, (4, 5, 6), COARSE[0], (2, 99, 30)
    yield TORCH, {}, 1, (5, 6, 4), COARSE[2], (99, 30, 2)
    yield TORCH, {}, 1, (4, 5, 6), COARSE[0], (6, 5, 6)  # slices keep their size


def main(folder: Path) -> None:
    records = []
    with open(folder / "goldens.bin", "wb") as binary:
        for seed, (function, arguments, channels, shape, spacing, new_shape) in enumerate(cases()):
            rng = np.random.default_rng(seed)
            new_spacing = [float(s * n / m) for s, n, m in zip(spacing, shape, new_shape)]
            arguments = {**arguments, "force_separate_z": None if max(spacing) > 3 else False}
            if channels is None:
                source = rng.integers(-1, 4, (1, *shape)).astype(np.int8)
                given, stored = source.astype(np.float32), np.int8
            else:
                source = rng.normal(0, 5, (channels, *shape)).astype(np.float16)
                given, stored = torch.from_numpy(source), np.float32
            result = np.asarray(FUNCTIONS[function](given, new_shape, spacing, new_spacing, is_seg=channels is None,
                                                    **arguments))
            assert result.dtype == stored or channels is None
            binary.write(source.tobytes())
            binary.write(np.ascontiguousarray(result.astype(stored)).tobytes())
            records.append({"function": function, "arguments": arguments, "channels": channels, "shape": shape,
                            "spacing": spacing, "new_shape": new_shape, "new_spacing": new_spacing})
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    lines = ",\n".join("    " + json.dumps(record) for record in records)
    (folder / "goldens.json").write_text(
        f'{{\n  "versions": {json.dumps(versions)},\n  "cases": [\n{lines}\n  ]\n}}\n')


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)

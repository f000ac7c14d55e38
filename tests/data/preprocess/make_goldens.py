#!/usr/bin/env python3
"""Writes small images and what nnU-Net's DefaultPreprocessor makes of them, for golden_test.cc.

    make_goldens.py [OUTPUT_FOLDER]

goldens.json lists the cases: the plan's part that preprocessing reads, the image's pixel type, shape (channel, z, y, x)
and spacing (z, y, x), and what comes out: crop box and shape, both after the transpose. A target spacing of two numbers
is a 2D configuration's. goldens.bin holds for each case the image, in a cascade then the previous stage's labels as
uint16, then the prepared image as f32 with the labels' one-hot channels, all in C order and little endian, one after
the other.

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
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.utilities.label_handling.label_handling import convert_labelmap_to_one_hot
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

PACKAGES = ("nnunetv2", "numpy", "scipy", "scikit-image", "batchgenerators", "torch")
ZSCORE = {"scheme": "ZScoreNormalization", "use_mask": False}
ZSCORE_MASK = {"scheme": "ZScoreNormalization", "use_mask": True}
NONE = {"scheme": "NoNormalization", "use_mask": False}
RESCALE = {"scheme": "RescaleTo01Normalization", "use_mask": False}
RGB = {"scheme": "RGBTo01Normalization", "use_mask": False}
CT = {"scheme": "CTNormalization", "use_mask": False,
      "mean": 99.51, "std": 80.27, "percentile_00_5": -51.3, "percentile_99_5": 203.7}


def rule(order=3, order_z=0, force_separate_z=None):
    return {"order": order, "order_z": order_z, "force_separate_z": force_separate_z}


def torch_rule(force_separate_z=None, memory_efficient=False):
    return {"memefficient_seg_resampling": memory_efficient, "force_separate_z": force_separate_z}


# name, pixel type, shape, spacing, transpose, target spacing (after the transpose), channels, resampling (None: none),
# and for a cascade: number of foreground labels, their resampling
CASES = [
    ("cubic_up_and_down", "int16", (1, 20, 22, 18), (1.0, 0.8, 1.1), (2, 0, 1), (0.9, 1.3, 1.0), [ZSCORE], rule()),
    ("mixed_channels_with_mask", "float32", (4, 14, 12, 13), (1, 1, 1.2), (1, 2, 0), (1.4, 0.9, 1.1),
     [ZSCORE_MASK, CT, RESCALE, ZSCORE], rule()),
    ("rgb", "uint8", (3, 6, 14, 12), (1, 1, 1), (0, 1, 2), (1.2, 0.7, 1.0), [RGB, RGB, RGB], rule(1)),
    ("coarse_axis_of_the_image", "int16", (2, 7, 16, 15), (5, 1, 1), (0, 1, 2), (3, 0.8, 0.8),
     [CT, ZSCORE_MASK], rule()),
    ("coarse_axis_last_after_transpose", "uint16", (1, 7, 16, 15), (5, 1, 1.1), (1, 2, 0), (0.9, 1.3, 1.2),
     [ZSCORE], rule()),
    ("coarse_axis_of_the_network", "uint8", (1, 18, 13, 16), (1, 1, 1), (1, 0, 2), (4, 0.9, 1.1), [ZSCORE], rule()),
    ("coarse_axis_keeps_its_length", "uint8", (1, 6, 13, 16), (5, 1, 1), (0, 1, 2), (5, 1.3, 0.8), [ZSCORE], rule()),
    ("coarse_axis_alone_changes", "uint8", (1, 9, 13, 16), (5, 1, 1), (0, 1, 2), (3.1, 1, 1), [ZSCORE], rule()),
    ("coarse_axis_linear", "int16", (1, 7, 12, 13), (5, 1, 1.1), (0, 1, 2), (3.2, 1.3, 0.8), [ZSCORE], rule(3, 1)),
    ("coarse_axis_cubic", "int16", (1, 12, 7, 13), (1, 5, 1.1), (0, 1, 2), (0.9, 3.2, 0.8), [ZSCORE], rule(3, 3, True)),
    ("two_equally_coarse_axes", "int8", (1, 14, 8, 8), (0.24, 1.25, 1.25), (0, 1, 2), (0.5, 1, 1), [ZSCORE], rule()),
    ("never_separate", "int8", (1, 6, 12, 13), (5, 1, 1), (0, 1, 2), (3, 1.1, 0.9), [ZSCORE], rule(3, 0, False)),
    ("linear", "int32", (1, 14, 15, 16), (1, 1, 1), (2, 1, 0), (0.7, 1.0, 1.6), [ZSCORE], rule(1)),
    ("nearest", "float64", (1, 14, 15, 16), (1, 1, 1), (0, 2, 1), (0.7, 1.0, 1.6), [ZSCORE_MASK], rule(0)),
    ("axes_of_one_and_two_voxels", "int16", (1, 1, 2, 30), (1, 1, 1), (1, 0, 2), (0.5, 0.4, 0.9), [ZSCORE], rule()),
    ("all_zero", "int16", (1, 5, 6, 7), (1, 1, 1), (0, 1, 2), (0.8, 0.8, 0.8), [ZSCORE_MASK], rule()),
    ("same_grid", "int16", (1, 9, 10, 11), (1.5, 1, 1.2), (1, 0, 2), (1, 1.5, 1.2), [ZSCORE], rule()),
    ("no_resampling", "int16", (1, 9, 10, 11), (1, 1, 1), (2, 0, 1), (2, 2, 2), [NONE], None),
    # Sums that numpy takes in chunks of planes, in chunks of rows, and row by row. Sums of whole numbers would be exact.
    ("sum_of_small_planes", "float32", (1, 27, 29, 30), (1, 1, 1), (2, 0, 1), (1, 1, 1), [ZSCORE], None),
    ("sum_of_large_planes", "float32", (1, 3, 95, 96), (1, 1, 1), (0, 2, 1), (1, 1, 1), [ZSCORE], None),
    ("sum_of_long_rows", "float32", (1, 1, 3, 8400), (1, 1, 1), (0, 1, 2), (1, 1, 1), [ZSCORE], None),
    # 2D configurations.
    ("picture", "uint8", (3, 1, 23, 21), (999, 1, 1), (0, 1, 2), (1, 1), [RGB, ZSCORE, ZSCORE], rule()),
    ("picture_with_hole", "int16", (1, 1, 23, 31), (999, 1, 1), (0, 1, 2), (1.4, 0.8), [ZSCORE_MASK], rule()),
    ("slices_of_a_coarse_volume", "int16", (1, 4, 14, 15), (5, 1, 1), (0, 1, 2), (0.8, 1.3), [CT], rule()),
    ("slices_of_a_fine_volume", "int16", (1, 14, 7, 15), (1.1, 1, 0.9), (1, 2, 0), (0.7, 1.2), [ZSCORE], rule()),
    ("slices_by_torch", "int16", (2, 14, 7, 15), (1, 4, 1), (1, 0, 2), (0.8, 1.3), [ZSCORE, CT], torch_rule()),
    # torch's interpolation: along three axes, and slice by slice for small, large and interleaved slices. Small slices
    # of all channels are taken eight at a time, so that 21 of them end with five others.
    ("torch_together", "int16", (2, 9, 14, 12), (4, 1, 0.9), (2, 1, 0), (0.7, 1.3, 3), [ZSCORE, CT], torch_rule(False)),
    ("torch_small_slices", "int16", (3, 9, 12, 9), (5, 1, 1), (0, 1, 2), (3, 0.8, 1.2), [CT] * 3, torch_rule()),
    ("torch_small_slices_of_the_last_axis", "int16", (2, 9, 12, 9), (1, 1, 5), (1, 0, 2), (0.8, 1.2, 7), [CT] * 2,
     torch_rule(True)),
    ("torch_large_slices", "int16", (2, 6, 40, 15), (5, 1, 1), (0, 1, 2), (9, 0.33, 0.3), [CT, ZSCORE], torch_rule()),
    ("uncropped_torch_interleaved_slices", "int16", (1, 40, 15, 10), (1, 1, 5), (2, 0, 1), (12.5, 0.42, 0.4), [ZSCORE],
     torch_rule()),
    # Cascades. The labels cover the whole image, also where it is zero, and meet everywhere.
    ("cascade", "int16", (1, 12, 11, 13), (1, 1, 1), (2, 0, 1), (0.9, 1.4, 1.1), [ZSCORE_MASK], rule(), 3,
     rule(1, 0)),
    ("cascade_with_coarse_axis", "int16", (1, 8, 12, 13), (5, 1, 1), (0, 1, 2), (3, 0.8, 1.2), [ZSCORE_MASK], rule(), 4,
     rule(1, 0)),
    ("cascade_on_the_same_grid", "int16", (1, 8, 9, 10), (1, 1, 1), (1, 2, 0), (1, 1, 1), [CT], rule(), 2, rule(1, 0)),
    ("cascade_by_nearest", "int16", (1, 8, 9, 10), (1, 1, 1), (0, 2, 1), (0.7, 1.2, 1.3), [CT], rule(1), 2, rule(0)),
    ("cascade_by_cubic", "int16", (1, 8, 9, 10), (1, 1, 1), (0, 2, 1), (0.7, 1.2, 1.3), [CT], rule(1), 3, rule(3)),
    ("cascade_linear_along_coarse_axis", "int16", (1, 6, 9, 10), (5, 1, 1), (0, 1, 2), (3, 1.2, 0.8), [CT], rule(1), 3,
     rule(1, 1)),
    ("cascade_without_resampling", "int16", (1, 8, 9, 10), (1, 1, 1), (2, 1, 0), (2, 2, 2), [ZSCORE_MASK], None, 2, None),
    ("cascade_by_torch", "int16", (1, 8, 9, 10), (1, 1, 1), (1, 0, 2), (0.7, 1.2, 1.3), [ZSCORE], torch_rule(False), 4,
     torch_rule(False)),
    ("cascade_by_torch_saving_memory", "int16", (1, 8, 9, 10), (1, 1, 1), (1, 0, 2), (0.7, 1.2, 1.3), [CT],
     torch_rule(False), 4, torch_rule(False, True)),
    ("cascade_by_torch_with_coarse_axis", "int16", (1, 13, 9, 10), (5, 1, 1), (0, 1, 2), (4, 0.8, 1.2), [ZSCORE_MASK],
     torch_rule(), 4, torch_rule()),
]


def make_image(rng, name, pixel_type, shape):
    """Noise in an ellipsoid with a hole, so that all faces are cropped; thin volumes are cropped on a face or two."""
    image = rng.normal(90, 60, shape)
    if pixel_type != "float32" and pixel_type != "float64":
        limits = np.iinfo(pixel_type)
        image = np.clip(np.round(image), max(limits.min, -120), min(limits.max, 250))
    spatial = shape[1:]
    if name.startswith("uncropped"):
        pass
    elif name.startswith("sum_of_large") or name.startswith("sum_of_long") or min(spatial) < 3:
        image[..., 0] = 0
        if spatial[1] > 3:
            image[:, :, -1] = 0
    else:
        axes = [np.linspace(-1.15, 1.15, n) for n in spatial]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"))
        radius = np.sqrt((grid ** 2).sum(0))
        for c in range(shape[0]):
            image[c][(np.roll(radius, c, axis=1) > 1) | (radius < 0.35)] = 0
    if name == "all_zero":
        image[:] = 0
    if name == "picture_with_hole":
        image[:, :, 9:14, 11:20] = 0
    return image.astype(pixel_type)


def make_labels(rng, shape, foreground_labels):
    """Blocks of random labels."""
    coarse = rng.integers(0, foreground_labels + 1, [(n + 2) // 3 for n in shape])
    for axis in range(3):
        coarse = np.repeat(coarse, 3, axis)
    return coarse[tuple(slice(n) for n in shape)].astype(np.uint16)


def resampling_of(what, resampling, is_seg):
    if resampling is None:
        return {f"resampling_fn_{what}": "no_resampling_hack", f"resampling_fn_{what}_kwargs": {}}
    function = "resample_data_or_seg_to_shape" if "order" in resampling else "resample_torch_fornnunet"
    return {f"resampling_fn_{what}": function, f"resampling_fn_{what}_kwargs": {"is_seg": is_seg, **resampling}}


def make_plans(transpose, target, channels, resampling, labels_resampling):
    configuration = {
        "preprocessor_name": "DefaultPreprocessor", "batch_size": 2, "patch_size": [8] * len(target), "batch_dice": False,
        "data_identifier": "goldens", "median_image_size_in_voxels": [1, 1, 1], "spacing": list(target),
        "normalization_schemes": [c["scheme"] for c in channels],
        "use_mask_for_norm": [c["use_mask"] for c in channels],
        **resampling_of("data", resampling, False), **resampling_of("seg", labels_resampling, True),
        **resampling_of("probabilities", None, False),
        "architecture": {"network_class_name": "none", "arch_kwargs": {}, "_kw_requires_import": []},
    }
    intensities = ("mean", "std", "percentile_00_5", "percentile_99_5")
    plans = PlansManager({
        "dataset_name": "goldens", "plans_name": "goldens", "image_reader_writer": "SimpleITKIO",
        "transpose_forward": list(transpose), "transpose_backward": [int(i) for i in np.argsort(transpose)],
        "label_manager": "LabelManager", "configurations": {"3d_fullres": configuration},
        "foreground_intensity_properties_per_channel": {
            str(i): {key: c.get(key, 0.0) for key in intensities} for i, c in enumerate(channels)},
    })
    return plans, plans.get_configuration("3d_fullres")


def main(folder: Path) -> None:
    records = []
    with open(folder / "goldens.bin", "wb") as binary:
        for seed, (name, pixel_type, shape, spacing, transpose, target, channels, resampling, *cascade) in enumerate(CASES):
            rng = np.random.default_rng(seed)
            image = make_image(rng, name, pixel_type, shape)
            foreground_labels, labels_resampling = cascade or (0, None)
            labels = make_labels(rng, shape[1:], foreground_labels) if cascade else None
            plans, configuration = make_plans(transpose, target, channels, resampling, labels_resampling)
            dataset = {"labels": {"background": 0, **{f"label {i}": i for i in range(1, foreground_labels + 1)}}}
            prepared, segmentation, properties = DefaultPreprocessor(verbose=False).run_case_npy(
                image.astype(np.float32), labels[None].astype(np.float32) if cascade else None,
                {"spacing": list(spacing)}, plans, configuration, dataset)
            if cascade:
                one_hot = convert_labelmap_to_one_hot(
                    segmentation[0], plans.get_label_manager(dataset).foreground_labels, prepared.dtype)
                prepared = np.vstack((prepared, one_hot))
            assert prepared.dtype == np.float32 and np.isfinite(prepared).all()
            binary.write(image.tobytes())
            if cascade:
                binary.write(labels.tobytes())
            binary.write(np.ascontiguousarray(prepared).tobytes())
            record = {
                "name": name, "pixel_type": pixel_type, "shape": shape, "spacing": spacing,
                "transpose_forward": transpose, "target_spacing": target, "channels": channels,
                "resampling": resampling,
                "crop": [[int(i) for i in axis] for axis in properties["bbox_used_for_cropping"]],
                "prepared_shape": prepared.shape,
            }
            if cascade:
                record["cascade"] = {"foreground_labels": foreground_labels, "resampling": labels_resampling}
            records.append(record)
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    lines = ",\n".join("    " + json.dumps(record) for record in records)
    (folder / "goldens.json").write_text(
        f'{{\n  "versions": {json.dumps(versions)},\n  "cases": [\n{lines}\n  ]\n}}\n')


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)

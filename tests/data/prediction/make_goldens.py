"""Writes the goldens of this folder with nnU-Net 2.8.1's own sliding window, export and ensembling.

    python make_goldens.py            (needs nnunetv2==2.8.1 and torch==2.15.0)

The network is a toy of shifts, products and sums (tests/support/fake_patch_network.h), so that C++ can give the same
float bits. `predict/` holds images and half-precision logits, `restore/` logits, label maps and class probabilities,
`ensemble/` probabilities of members and of their mean, cases.json the settings.
"""

import json
import tempfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from nnunetv2.ensembling.ensemble import average_probabilities
from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.inference.sliding_window_prediction import compute_gaussian
from nnunetv2.preprocessing.resampling.default_resampling import compute_new_shape, resample_data_or_seg_to_shape
from nnunetv2.preprocessing.resampling.no_resampling import no_resampling_hack
from nnunetv2.preprocessing.resampling.resample_torch import resample_torch_fornnunet
from nnunetv2.utilities.label_handling.label_handling import LabelManager

FOLDER = Path(__file__).parent
CHANNELS = 2


class ToyNetwork(torch.nn.Module):
    """The fake network; its one weight is the number of the fold."""

    def __init__(self, heads):
        super().__init__()
        self.heads = heads
        self.register_buffer("fold", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        fold = int(self.fold)
        logits = [
            torch.roll(x[:, k % x.shape[1]], (k, k + 1, 2 * k), (-3, -2, -1)) * (0.5 + 0.625 * k - 0.25 * fold)
            + (0.125 * k - 0.0625 * fold)
            for k in range(self.heads)
        ]
        return torch.stack(logits, 1)


def predict(image, patch, heads, folds, step, gaussian, mirrors):
    predictor = nnUNetPredictor(step, gaussian, True, False, torch.device("cpu"), allow_tqdm=False)
    predictor.network = ToyNetwork(heads)
    predictor.list_of_parameters = [{"fold": torch.tensor(fold)} for fold in range(folds)]
    predictor.configuration_manager = SimpleNamespace(patch_size=patch)
    predictor.label_manager = SimpleNamespace(num_segmentation_heads=heads)
    predictor.allowed_mirroring_axes = mirrors or None
    return predictor.predict_logits_from_preprocessed_data(torch.from_numpy(image)).numpy()


def make_predictions(rng):
    images = {"plain": (17, 22, 19), "small": (5, 6, 7), "wide": (34, 33, 40)}
    more = {"halves": (2, 99, 35), "picture": (1, 33, 60)}
    (FOLDER / "predict").mkdir(exist_ok=True)
    for name, shape in (images | more).items():
        images[name] = rng.standard_normal((CHANNELS, *shape)).astype(np.float32)
        np.save(FOLDER / "predict" / f"image_{name}.npy", images[name])
    cases = [
        dict(name="plain", image="plain", patch=[8, 12, 10]),
        dict(name="quarter_step", image="plain", patch=[8, 12, 10], step=0.25, folds=2, mirrors=[0]),
        dict(name="all_mirrors_three_folds", image="plain", patch=[8, 12, 10], folds=3, mirrors=[0, 1, 2]),
        dict(name="odd_step_two_mirrors", image="plain", patch=[8, 12, 10], step=0.7, mirrors=[1, 2]),
        dict(name="full_step", image="plain", patch=[8, 12, 10], step=1.0, folds=2),
        dict(name="no_gaussian", image="plain", patch=[8, 12, 10], gaussian=False, folds=2, mirrors=[0, 1, 2]),
        dict(name="patch_larger_in_one_axis", image="plain", patch=[8, 25, 10], mirrors=[0]),
        dict(name="patch_larger_than_image", image="small", patch=[8, 8, 8], folds=3, mirrors=[0, 1, 2]),
        dict(name="subnormal_weights", image="wide", patch=[32, 32, 32], heads=2, folds=2),
        dict(name="one_voxel_more_than_the_patch", image="small", patch=[4, 5, 6], mirrors=[0, 1]),
        dict(name="five_folds", image="small", patch=[4, 6, 5], heads=2, folds=5),
        dict(name="halves_to_even", image="halves", patch=[2, 64, 16], heads=2),
        dict(name="slices", image="plain", patch=[12, 10], mirrors=[0, 1]),
        dict(name="slices_quarter_step", image="small", patch=[4, 4], step=0.25, folds=3, mirrors=[0]),
        dict(name="slices_full_step_no_gaussian", image="plain", patch=[16, 8], step=1.0, gaussian=False, folds=2),
        dict(name="slices_patch_larger_than_image", image="small", patch=[9, 12], folds=2, mirrors=[0, 1]),
        dict(name="picture", image="picture", patch=[32, 24], folds=5, mirrors=[0, 1]),
    ]
    for case in cases:
        case.setdefault("heads", 3)
        case.setdefault("folds", 1)
        case.setdefault("step", 0.5)
        case.setdefault("gaussian", True)
        case.setdefault("mirrors", [])
        logits = predict(images[case["image"]], case["patch"], case["heads"], case["folds"], case["step"],
                         case["gaussian"], case["mirrors"])
        assert logits.dtype == np.float16
        np.save(FOLDER / "predict" / f"logits_{case['name']}.npy", logits)
    return cases


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def hash_gaussians():
    patches = [(8, 8, 8), (5, 5, 5), (7, 12, 1), (64, 64, 64), (20, 256, 224), (96, 160, 160), (128, 128, 128),
               (512, 512), (40, 57)]
    return [dict(patch=patch, fnv1a=fnv1a(compute_gaussian(patch, 1 / 8, 10, device=torch.device("cpu"))
                                          .numpy().tobytes())) for patch in patches]


def label_manager(channels, regions_class_order=None):
    """Labels 0, 1, ..., or regions 1.., 2.., ... up to one label more than there are regions."""
    if regions_class_order is None:
        return LabelManager({"background": 0, **{str(i): i for i in range(1, channels)}}, None)
    regions = {f"from {i}": list(range(i, channels + 2)) for i in range(1, channels + 1)}
    return LabelManager({"background": 0, **regions}, regions_class_order)


def rule_of(case):
    if case["resampler"] == "none":
        return no_resampling_hack
    if case["resampler"] == "torch":
        return partial(resample_torch_fornnunet, is_seg=False, force_separate_z=case["force_separate_z"])
    return partial(resample_data_or_seg_to_shape, is_seg=False, order=case["order"], order_z=case["order_z"],
                   force_separate_z=case["force_separate_z"])


def restore(logits, case, probabilities=False):
    """`case` is in internal axes but for the transpose, as nnU-Net's properties are."""
    forward = case["transpose"]
    backward = [forward.index(i) for i in range(3)]
    crop = [[b, e] for b, e in zip(case["crop_begin"], case["crop_end"])]
    properties = {
        "spacing": [case["spacing"][i] for i in backward],
        "shape_before_cropping": case["shape"],
        "bbox_used_for_cropping": crop,
        "shape_after_cropping_and_before_resampling": [e - b for b, e in crop],
    }
    spacing = case["network_spacing"][3 - case["dimensions"]:]
    return convert_predicted_logits_to_segmentation_with_correct_shape(
        torch.from_numpy(logits), SimpleNamespace(transpose_forward=forward, transpose_backward=backward),
        SimpleNamespace(spacing=spacing, resampling_fn_probabilities=rule_of(case)),
        label_manager(len(logits), case["regions_class_order"]), properties, probabilities)


def complete(case):
    """Fills in what most cases share."""
    case.setdefault("resampler", "spline")
    case.setdefault("order", 1)
    case.setdefault("order_z", 0)
    case.setdefault("force_separate_z", None)
    case.setdefault("dimensions", 3)
    case.setdefault("regions_class_order", None)
    case.setdefault("probabilities", False)
    case.setdefault("transpose", [0, 1, 2])
    case.setdefault("shape", [14, 15, 16])
    case.setdefault("crop_begin", [0, 0, 0])
    case.setdefault("crop_end", case["shape"])


def random_logits(rng, channels, case):
    crop = [e - b for b, e in zip(case["crop_begin"], case["crop_end"])]
    network = [int(n) for n in compute_new_shape(crop, case["spacing"], case["network_spacing"])]
    case["network_shape"] = network
    logits = rng.standard_normal((channels, *network)) * 3
    # Half of the volume in steps of 1/2, so that ties are common.
    half = network[1] // 2
    logits[:, :, :half] = np.round(logits[:, :, :half] * 2) / 2
    return logits.astype(np.float16)


def save_restoration(folder, logits, case):
    name = case["name"]
    np.save(folder / f"logits_{name}.npy", logits)
    np.save(folder / f"labels_{name}.npy", np.ascontiguousarray(restore(logits, case)))
    if case["probabilities"]:
        labels, probabilities = restore(logits, case, True)
        np.save(folder / f"decided_{name}.npy", np.ascontiguousarray(labels))
        np.save(folder / f"probabilities_{name}.npy", np.ascontiguousarray(probabilities))


def make_restorations(rng):
    (FOLDER / "restore").mkdir(exist_ok=True)
    cases = [
        dict(name="upsampled", network_spacing=[1.5, 1.5, 1.5], spacing=[1.0, 1.0, 1.0]),
        dict(name="downsampled", network_spacing=[0.8, 0.8, 0.8], spacing=[1.0, 1.1, 1.3]),
        dict(name="separate_axis_0", network_spacing=[3.0, 0.8, 0.8], spacing=[5.0, 1.0, 1.0]),
        dict(name="separate_axis_0_finer", network_spacing=[5.0, 1.0, 1.0], spacing=[3.0, 0.7, 0.9]),
        dict(name="separate_axis_of_the_network", network_spacing=[5.0, 1.0, 1.0], spacing=[1.0, 6.0, 1.0]),
        dict(name="separate_axis_of_the_image", network_spacing=[1.0, 1.0, 1.0], spacing=[1.0, 1.0, 4.0],
             shape=[14, 15, 9]),
        dict(name="separate_axis_1", network_spacing=[1.0, 4.0, 1.0], spacing=[0.8, 3.0, 0.7]),
        dict(name="same_grid", network_spacing=[1.0, 1.0, 1.0], spacing=[1.0, 1.0, 1.0]),
        dict(name="one_axis_same", network_spacing=[1.5, 1.0, 1.2], spacing=[1.0, 1.0, 1.0]),
        dict(name="transposed_and_cropped", network_spacing=[1.5, 1.4, 1.2], spacing=[1.0, 0.9, 1.1],
             transpose=[2, 0, 1], shape=[18, 20, 22], crop_begin=[2, 0, 3], crop_end=[17, 19, 22]),
        dict(name="transposed_backwards", network_spacing=[1.5, 1.4, 1.2], spacing=[1.0, 0.9, 1.1],
             transpose=[1, 2, 0], shape=[18, 20, 22], crop_begin=[1, 4, 0], crop_end=[18, 15, 20]),
        dict(name="not_finite", network_spacing=[1.5, 1.5, 1.5], spacing=[1.0, 1.0, 1.0], not_finite=True),
        dict(name="many_labels", network_spacing=[2.0, 2.0, 2.0], spacing=[1.0, 1.0, 1.0], channels=40,
             shape=[12, 13, 40]),
        dict(name="order_0", network_spacing=[1.5, 1.5, 1.5], spacing=[1.0, 1.0, 1.0], order=0),
        dict(name="order_3", network_spacing=[1.5, 1.4, 1.2], spacing=[1.0, 0.9, 1.1], order=3,
             transpose=[2, 0, 1], crop_begin=[2, 0, 3], crop_end=[13, 10, 12]),
        dict(name="order_3_separate", network_spacing=[5.0, 1.0, 1.0], spacing=[3.0, 0.7, 0.9], order=3),
        dict(name="linear_between_slices", network_spacing=[5.0, 1.0, 1.0], spacing=[3.0, 0.7, 0.9], order_z=1),
    ]
    for case in cases:
        complete(case)
        not_finite = case.pop("not_finite", False)
        logits = random_logits(rng, case.pop("channels", 5), case)
        if not_finite:
            for value, where in ((np.nan, (2, 3, 3, 3)), (np.inf, (1, 6, 6, 6)), (-np.inf, (0, 2, 7, 4)),
                                 (np.nan, (0, 7, 2, 8)), (np.nan, (4, 7, 2, 8))):
                logits[where] = value
        save_restoration(FOLDER / "restore", logits, case)
    return cases


def make_decisions(rng):
    """Regions, probabilities, torch's resampling, 2D configurations."""
    finer = dict(network_spacing=[1.5, 1.4, 1.2], spacing=[1.0, 0.9, 1.1])
    coarse = dict(network_spacing=[5.0, 1.0, 1.0], spacing=[3.0, 0.7, 0.9])
    same = dict(network_spacing=[1.0, 1.0, 1.0], spacing=[1.0, 1.0, 1.0])
    cropped = dict(transpose=[2, 0, 1], shape=[10, 9, 12], crop_begin=[1, 0, 3], crop_end=[10, 8, 11])
    cases = [
        dict(name="probabilities", **finer, **cropped, probabilities=True),
        dict(name="probabilities_same_grid", **same, probabilities=True),
        dict(name="probabilities_separate", **coarse, probabilities=True),
        dict(name="probabilities_not_finite", **finer, probabilities=True, not_finite=True),
        dict(name="regions", **finer, **cropped, regions_class_order=[1, 2, 3], probabilities=True),
        dict(name="regions_any_order", **coarse, regions_class_order=[3, 1, 4, 2], transpose=[1, 2, 0]),
        dict(name="regions_near_one_half", **same, regions_class_order=[1, 2], scale=1e-7, probabilities=True),
        dict(name="regions_near_one_half_finer", **finer, regions_class_order=[1, 2, 3], scale=1e-7),
        dict(name="regions_not_finite", **finer, regions_class_order=[1, 2, 3, 4, 5], not_finite=True,
             probabilities=True),
        dict(name="regions_order_3", **finer, order=3, regions_class_order=[1, 3, 2]),
        dict(name="order_3_probabilities", **finer, **cropped, order=3, probabilities=True),
        dict(name="order_3_separate_probabilities", **coarse, order=3, order_z=1, regions_class_order=[1, 2],
             probabilities=True),
        dict(name="torch", resampler="torch", **finer, **cropped, probabilities=True),
        dict(name="torch_coarser", resampler="torch", network_spacing=[0.8, 0.8, 0.8], spacing=[1.0, 1.1, 1.3],
             shape=[8, 9, 10]),
        dict(name="torch_separate", resampler="torch", **coarse, probabilities=True),
        dict(name="torch_separate_axis_1", resampler="torch", network_spacing=[1.0, 4.0, 1.0],
             spacing=[0.8, 3.0, 0.7], channels=3),
        dict(name="torch_separate_axis_2", resampler="torch", network_spacing=[1.2, 1.0, 4.0],
             spacing=[1.0, 0.8, 3.0], transpose=[1, 2, 0]),
        dict(name="torch_never_separate", resampler="torch", **coarse, force_separate_z=False),
        dict(name="torch_large_slices", resampler="torch", network_spacing=[4.0, 1.0, 1.0], spacing=[4.0, 0.5, 0.5],
             shape=[2, 70, 66], channels=3),
        dict(name="torch_same_grid", resampler="torch", **same),
        dict(name="torch_regions", resampler="torch", **finer, regions_class_order=[1, 2, 3], probabilities=True),
        dict(name="torch_regions_near_one_half", resampler="torch", **finer, regions_class_order=[1, 2, 3],
             scale=1e-7),
        dict(name="torch_not_finite", resampler="torch", **finer, not_finite=True),
        dict(name="no_resampling", resampler="none", **same, **cropped, probabilities=True),
        dict(name="no_resampling_regions", resampler="none", **same, regions_class_order=[2, 1]),
        dict(name="slices", dimensions=2, network_spacing=[4.0, 1.2, 1.3], spacing=[4.0, 0.9, 0.8],
             transpose=[2, 0, 1], shape=[6, 15, 14]),
        dict(name="slices_isotropic", dimensions=2, network_spacing=[1.0, 1.2, 1.3], spacing=[1.0, 0.9, 0.8],
             shape=[6, 15, 14], probabilities=True),
        dict(name="picture", dimensions=2, network_spacing=[999.0, 1.5, 1.5], spacing=[999.0, 1.0, 1.0],
             shape=[1, 24, 22], regions_class_order=[1, 2]),
        dict(name="wide_labels", **same, channels=258, shape=[3, 4, 10]),
    ]
    for case in cases:
        case.setdefault("shape", [9, 8, 10])
        complete(case)
        channels = len(case["regions_class_order"] or []) or case.pop("channels", 4)
        scale = case.pop("scale", 1)
        not_finite = case.pop("not_finite", False)
        logits = (random_logits(rng, channels, case) * scale).astype(np.float16)
        if not_finite:
            for value in (np.nan, np.inf, -np.inf):
                logits.reshape(-1)[rng.integers(logits.size, size=6)] = value
        save_restoration(FOLDER / "restore", logits, case)
    return cases


def make_ensembles(rng):
    (FOLDER / "ensemble").mkdir(exist_ok=True)
    cases = [dict(name="two", members=2, regions_class_order=None),
             dict(name="three", members=3, regions_class_order=None),
             dict(name="regions", members=3, regions_class_order=[2, 1])]
    for case in cases:
        regions = case["regions_class_order"]
        channels = len(regions) if regions else 4
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for member in range(case["members"]):
                # Few distinct values, so that members often balance each other.
                logits = torch.from_numpy(np.round(rng.standard_normal((channels, 9, 8, 7)) * 2).astype(np.float32))
                probabilities = (torch.sigmoid(logits) if regions else torch.softmax(logits, 0)).numpy()
                np.save(FOLDER / "ensemble" / f"member{member}_{case['name']}.npy", probabilities)
                files.append(str(Path(folder) / f"{member}.npz"))
                np.savez(files[-1], probabilities=probabilities)
            mean = average_probabilities(files)
        labels = label_manager(channels, regions).convert_probabilities_to_segmentation(mean)
        np.save(FOLDER / "ensemble" / f"mean_{case['name']}.npy", mean)
        np.save(FOLDER / "ensemble" / f"labels_{case['name']}.npy", labels.astype(np.uint16))
    return cases


def main():
    torch.set_num_threads(1)
    cases = dict(predict=make_predictions(np.random.default_rng(3)), gaussian=hash_gaussians(),
                 restore=make_restorations(np.random.default_rng(5)) + make_decisions(np.random.default_rng(6)),
                 ensembles=make_ensembles(np.random.default_rng(7)))
    (FOLDER / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()

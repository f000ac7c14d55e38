#!/usr/bin/env python3
"""Makes the cases of the parity table: tiny models, images, and what nnU-Net 2.8.1 makes of them.

Every row of the table (docs/parity.md) is a function here. Everything comes from seeds, so the same versions on the same
CPU give the same bytes, but for the time in the manifests.

    python tests/data/parity/make_parity_data.py

Needs nnunetv2, as in the environment that deploy/export/setup makes. Replaces models/, cases/ and index.json beside this
file.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "parity"))
from case_folder import Case, CaseFolder  # noqa: E402
from nnunet_run import Options, postprocess  # noqa: E402
from toy_model import (  # noqa: E402
    Ensemble, Model, configuration, make_dataset, make_plans, postprocessing_json, resampling,
)
from volumes import blobs, label_map  # noqa: E402

import torch  # noqa: E402
from nnunetv2.imageio.reader_writer_registry import recursive_find_reader_writer_by_name  # noqa: E402

ONE = (1.0, 1.0, 1.0)
PLAIN = Options(mirroring=False)


def model_3d(name: str, *, patch=(8, 8, 8), spacing=ONE, labels=3, transpose=(0, 1, 2), dataset=None, plans=None, **more) -> Model:
    """A model with one configuration; `more` goes to the model if it is a field of one, else to the configuration."""
    of_model = {key: more.pop(key) for key in list(more) if key in Model.__dataclass_fields__}
    channels = len(more.get("normalization", (1,)))
    config = configuration(list(patch), list(spacing), **more)
    kind = "2d" if len(patch) == 2 else "3d_fullres"
    return Model(
        name, make_plans({kind: config}, transpose, channels, **(plans or {})), dataset or make_dataset(labels, channels), kind,
        **{"seed": sum(name.encode()), **of_model},
    )  # fmt: skip


ISOTROPIC = model_3d("isotropic", patch=(16, 16, 16), labels=4, mirroring_axes=(0, 1, 2))
SLICES = model_3d("slices", patch=(16, 12), spacing=(0.9, 1.1), mirroring_axes=(0, 1))


def row01_isotropic() -> Iterator[Case]:
    yield Case("row01_voxels_of_1.3", ISOTROPIC, blobs(1, (17, 15, 14)), (1.3, 1.3, 1.3), PLAIN)
    yield Case("row01_voxels_of_0.8", ISOTROPIC, blobs(2, (24, 22, 25)), (0.8, 0.8, 0.8), PLAIN)


def row02_same_spacing() -> Iterator[Case]:
    yield Case("row02_same_spacing", ISOTROPIC, blobs(3, (20, 18, 21)), ONE, PLAIN)


def row03_anisotropic() -> Iterator[Case]:
    model = model_3d("anisotropic", patch=(4, 16, 16), spacing=(3.0, 0.8, 0.8), strides=[[1, 1, 1], [1, 2, 2]])
    yield Case("row03_thick_slices", model, blobs(4, (7, 20, 18)), (5.0, 1.0, 1.0), PLAIN)


def row04_anisotropy_threshold() -> Iterator[Case]:
    model = model_3d("cube8")
    yield Case("row04_ratio_exactly_3", model, blobs(5, (6, 14, 15)), (3.0, 1.0, 1.0), PLAIN)
    yield Case("row04_ratio_above_3", model, blobs(5, (6, 14, 15)), (3.0001, 1.0, 1.0), PLAIN)
    yield Case("row04_two_equal_maxima", model, blobs(6, (40, 10, 9)), (0.24, 1.25, 1.25), PLAIN)
    other = model_3d("coarse_rows", patch=(8, 8, 8), spacing=(1.0, 6.0, 1.0))
    yield Case("row04_other_axis_back", other, blobs(7, (4, 40, 12)), (5.0, 1.0, 1.0), PLAIN)


def row05_slices_of_volume() -> Iterator[Case]:
    yield Case("row05_ratio_above_3", SLICES, blobs(8, (4, 24, 21)), (4.0, 1.0, 1.0), PLAIN)
    yield Case("row05_ratio_below_3", SLICES, blobs(9, (5, 20, 14)), (2.0, 1.3, 1.2), PLAIN)
    yield Case("row05_smaller_than_patch", SLICES, blobs(10, (3, 11, 9)), (2.0, 0.9, 1.1), PLAIN)


def row06_flat_image() -> Iterator[Case]:
    model = model_3d("flat_masked", patch=(16, 16), spacing=(1.0, 1.0), mask=(True,), labels=2)
    yield Case("row06_hole_in_2d_image", model, blobs(11, (1, 40, 36), margin=3, hole=True), (999.0, 1.2, 1.2), PLAIN)


def row07_transposed() -> Iterator[Case]:
    model = model_3d("transposed", patch=(8, 12, 16), spacing=(1.2, 1.0, 0.9), transpose=(2, 0, 1))
    image = blobs(12, (20, 17, 15))
    image[:, :3], image[:, :, 13:], image[:, :, :, :2] = 0, 0, 0
    yield Case("row07_transposed_and_cropped", model, image, (1.0, 0.9, 1.5), PLAIN)


def row08_masked() -> Iterator[Case]:
    model = model_3d("masked", patch=(16, 16, 16), mask=(True,))
    yield Case("row08_border_and_hole", model, blobs(13, (22, 23, 21), margin=3, hole=True), (1.1, 1.0, 0.9), PLAIN)


def row09_mixed_channels() -> Iterator[Case]:
    schemes = ("CTNormalization", "ZScoreNormalization", "RescaleTo01Normalization", "RGBTo01Normalization", "NoNormalization")
    model = model_3d("mixed", normalization=schemes, mask=(False, True, False, False, False))
    image = blobs(14, (13, 14, 12), channels=5)
    image[0, :4], image[1, :, :5], image[2, 10:], image[:, :2, :3] = 0, 0, 0, 0
    image[4] /= 64
    yield Case("row09_five_channels", model, image, (1.2, 1.0, 1.1), PLAIN)


def row10_all_zero() -> Iterator[Case]:
    yield Case("row10_plain", model_3d("cube8"), np.zeros((1, 12, 10, 9), np.float32), (1.2, 1.0, 1.0), PLAIN)
    model = model_3d("masked", patch=(16, 16, 16), mask=(True,))
    yield Case("row10_masked", model, np.zeros((1, 12, 10, 9), np.float32), (1.2, 1.0, 1.0), PLAIN)


def row11_regions() -> Iterator[Case]:
    labels = {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "alone": 3, "ignore": 4}
    for name, order in (("row11_regions", [1, 2, 3]), ("row11_order_by_position", [2, 3, 1])):
        model = model_3d(name, dataset=make_dataset(labels, regions_class_order=order))
        yield Case(name, model, blobs(15, (13, 12, 14)), (1.2, 1.1, 0.8), PLAIN)


def row12_ignore() -> Iterator[Case]:
    model = model_3d("ignore", dataset=make_dataset({"background": 0, "a": 1, "b": 2, "ignore": 3}))
    yield Case("row12_ignore_label", model, blobs(16, (12, 13, 11)), (1.0, 1.2, 1.0), PLAIN)


def row13_many_labels() -> Iterator[Case]:
    for count in (255, 256):  # with background: 254 and 255 foreground labels, uint8 and uint16
        model = model_3d(f"labels_{count}", labels=count, features=2)
        yield Case(f"row13_{count - 1}_labels", model, blobs(17, (12, 11, 10)), (1.1, 1.0, 1.0), PLAIN)


def row14_large_patch() -> Iterator[Case]:
    yield Case("row14_one_axis", ISOTROPIC, blobs(18, (11, 20, 19)), ONE, PLAIN)
    yield Case("row14_all_axes", ISOTROPIC, blobs(19, (9, 13, 15)), ONE, PLAIN)


def row15_tile_starts() -> Iterator[Case]:
    yield Case("row15_starts_at_halves", ISOTROPIC, blobs(20, (17, 25, 27)), ONE, PLAIN)
    yield Case("row15_uneven_steps", ISOTROPIC, blobs(21, (35, 17, 16)), ONE, PLAIN)


def row16_mirroring() -> Iterator[Case]:
    image = blobs(22, (13, 12, 11))
    for axes in ((0,), (0, 1), (0, 1, 2)):
        name = "axes_" + "".join(map(str, axes))
        yield Case(f"row16_{name}", model_3d(f"mirror_{name}", mirroring_axes=axes), image, ONE)
    yield Case("row16_none_allowed", model_3d("cube8"), image, ONE)
    yield Case("row16_switched_off", model_3d("mirror_axes_012", mirroring_axes=(0, 1, 2)), image, ONE, PLAIN)
    yield Case("row16_slices", SLICES, blobs(23, (3, 22, 17)), (2.0, 1.0, 1.0))


def row17_folds() -> Iterator[Case]:
    model = model_3d("folds", folds=5, mirroring_axes=(1, 2), features=2)
    for count in (1, 2, 3, 5):
        yield Case(f"row17_{count}_folds", model, blobs(24, (13, 12, 10)), (1.1, 1.0, 0.9), Options(folds=tuple(range(count))))


def row18_tiles() -> Iterator[Case]:
    image = blobs(25, (22, 19, 20))
    yield Case("row18_no_gaussian", ISOTROPIC, image, ONE, Options(gaussian=False, mirroring=False))
    yield Case("row18_step_1", ISOTROPIC, image, ONE, Options(step_size=1.0, mirroring=False))
    yield Case("row18_step_0.25", ISOTROPIC, image, ONE, Options(step_size=0.25, mirroring=False))


def cascade(name: str, **more) -> Model:
    """3d_cascade_fullres on a 3d_lowres of twice the spacing."""
    spacing = more.pop("spacing", ONE)
    lowres = configuration([8, 8, 8], [2 * s for s in spacing], features=2, **more)
    fullres = configuration([8, 8, 8], list(spacing), mask=(True,), features=2, **more)
    plans = make_plans({
        "3d_lowres": lowres, "3d_fullres": fullres,
        "3d_cascade_fullres": {"inherits_from": "3d_fullres", "previous_stage": "3d_lowres"},
    })  # fmt: skip
    dataset = make_dataset(4)
    lower = Model(f"{name}_lowres", plans, dataset, "3d_lowres", seed=7)
    return Model(name, plans, dataset, "3d_cascade_fullres", previous_stage=lower, seed=8)


def row19_cascade() -> Iterator[Case]:
    model = cascade("cascade")
    image = blobs(26, (14, 15, 13), margin=2)
    yield Case("row19_own_lower_stage", model, image, (1.2, 1.1, 1.3), PLAIN)
    yield Case("row19_labels_outside_mask", model, image, (1.2, 1.1, 1.3), PLAIN, label_map(27, image.shape[1:], 4))
    yield Case("row19_upsampled_junctions", model, blobs(28, (7, 8, 7)), (2.0, 2.0, 2.0), PLAIN, label_map(28, (7, 8, 7), 4))
    yield Case("row19_thick_slices", model, blobs(29, (5, 13, 12)), (4.0, 1.1, 0.9), PLAIN, label_map(29, (5, 13, 12), 4))


def row20_torch_resampling() -> Iterator[Case]:
    image = blobs(30, (12, 14, 13))
    model = model_3d("torchres", resample=resampling("torchres"))
    yield Case("row20_interpolated", model, image, (1.3, 0.9, 1.1), PLAIN)
    yield Case("row20_not_separate", model, blobs(31, (5, 16, 15)), (4.0, 0.9, 1.0), PLAIN)
    model = model_3d("torchres_sepz", resample=resampling("torchres_sepz"))
    yield Case("row20_separate_small_slices", model, blobs(31, (5, 16, 15)), (4.0, 0.9, 1.0), PLAIN)
    yield Case("row20_separate_large_slices", model, blobs(32, (2, 70, 75)), (4.0, 0.5, 0.5), PLAIN)
    for frugal in (False, True):
        seg = {"memefficient_seg_resampling": frugal}
        name = f"cascade_torchres_{'frugal' if frugal else 'plain'}"
        model = cascade(name, resample=resampling("torchres_sepz", seg=seg))
        yield Case(f"row20_{name}", model, blobs(33, (9, 10, 8)), (1.6, 1.3, 1.4), PLAIN, label_map(33, (9, 10, 8), 4))
        yield Case(f"row20_{name}_sepz", model, blobs(34, (4, 12, 13)), (4.0, 0.9, 0.8), PLAIN, label_map(34, (4, 12, 13), 4))


def row21_no_resampling() -> Iterator[Case]:
    model = model_3d("no_resampling", resample=resampling("none"))
    yield Case("row21_no_resampling", model, blobs(35, (12, 11, 13)), (2.0, 0.7, 1.4), PLAIN)


def row22_old_plans() -> Iterator[Case]:
    legacy = configuration([8, 8, 8], list(ONE))
    del legacy["architecture"]
    legacy |= {
        "UNet_class_name": "PlainConvUNet", "UNet_base_num_features": 3, "unet_max_num_features": 5,
        "n_conv_per_stage_encoder": [1, 1], "n_conv_per_stage_decoder": [1], "num_pool_per_axis": [1, 1, 1],
        "pool_op_kernel_sizes": [[1, 1, 1], [2, 2, 2]], "conv_kernel_sizes": [[3, 3, 3], [3, 3, 3]],
    }  # fmt: skip
    plans = make_plans({"3d_fullres": legacy})
    plans["foreground_intensity_properties_by_modality"] = plans.pop("foreground_intensity_properties_per_channel")
    dataset = make_dataset(3)
    dataset["modality"] = dataset.pop("channel_names")
    model = Model("legacy", plans, dataset, "3d_fullres", seed=22)
    yield Case("row22_legacy_architecture", model, blobs(36, (11, 12, 13)), (1.1, 0.9, 1.0), PLAIN)
    chain = make_plans({
        "base": configuration([8, 8, 8], [3.0, 3.0, 3.0]),
        "middle": {"inherits_from": "base", "spacing": list(ONE), "use_mask_for_norm": [True]},
        "3d_fullres": {"inherits_from": "middle", "patch_size": [8, 10, 12]},
    })  # fmt: skip
    model = Model("inherited", chain, make_dataset(3), "3d_fullres", seed=23)
    yield Case("row22_three_generations", model, blobs(37, (11, 12, 13), margin=1), (1.1, 0.9, 1.0), PLAIN)


def row23_probabilities() -> Iterator[Case]:
    slices, volume = model_3d("member_2d", patch=(8, 8), spacing=(1.0, 1.0)), model_3d("member_3d")
    image, options = blobs(38, (9, 10, 8), margin=1), Options(mirroring=False, probabilities=True)
    yield Case("row23_softmax", volume, image, (1.2, 1.0, 0.9), options)
    labels = {"background": 0, "whole": [1, 2], "core": 2}
    regions = model_3d("probable_regions", dataset=make_dataset(labels, regions_class_order=[1, 2]))
    yield Case("row23_sigmoid", regions, image, (1.2, 1.0, 0.9), options)
    ensemble = Ensemble("ensemble", (slices, volume))
    yield Case("row23_ensemble", ensemble, image, (1.2, 1.0, 0.9), options)
    yield Case("row23_ensemble_labels", ensemble, image, (3.5, 1.0, 0.9), PLAIN)


def row24_postprocessing() -> Iterator[Case]:
    steps = [{"labels_or_regions": [1, 2, 3]}, {"labels_or_regions": 2, "background_label": 0}, {"labels_or_regions": [[1, 3]]}]
    model = model_3d("largest_components", labels=4, postprocessing=steps)
    yield Case("row24_rules_of_the_model", model, blobs(39, (15, 14, 13)), (1.3, 1.0, 1.0), PLAIN)
    off = Options(mirroring=False, postprocessing=False)
    yield Case("row24_switched_off", model, blobs(39, (15, 14, 13)), (1.3, 1.0, 1.0), off)


def row26_half_precision() -> Iterator[Case]:
    model = model_3d("two_thirds", patch=(24, 24, 24), spacing=(1.5, 1.5, 1.5), labels=2, features=2)
    yield Case("row26_24_to_36", model, blobs(40, (36, 36, 36)), ONE, PLAIN)


ROWS = [value for name, value in sorted(globals().items()) if name.startswith("row")]


def postprocessing_maps() -> Iterator[tuple[str, np.ndarray, list[dict]]]:
    """Row 24 without a network: label maps on which the rules' edges show."""
    line = np.zeros((3, 4, 9), np.uint16)
    line[1, 1, 0:2] = line[1, 3, 4:6] = line[0, 0, 8] = 1
    yield "ties_all_stay", line, [{"labels_or_regions": 1}]
    yield "absent_label", line, [{"labels_or_regions": 2}]
    diagonal = np.zeros((4, 4, 4), np.uint16)
    for i in range(4):
        diagonal[i, i, i] = 1
    diagonal[0, 3, 2:4] = 1
    yield "diagonal_contact", diagonal, [{"labels_or_regions": 1}]
    flat = np.zeros((1, 6, 7), np.uint16)
    flat[0, 0, 0] = flat[0, 1, 1] = flat[0, 2, 2] = flat[0, 5, 5] = flat[0, 5, 6] = 3
    yield "flat_diagonal", flat, [{"labels_or_regions": [3]}]
    mixed = label_map(41, (9, 12, 11), 5)
    region = [{"labels_or_regions": [[1, 2]]}]
    yield "region", mixed, region
    steps = [{"labels_or_regions": [1, 2, 3, 4]}, {"labels_or_regions": 2}, {"labels_or_regions": [[3, 4], 1], "background_label": 0}]
    yield "steps_in_order", mixed, steps
    yield "steps_in_other_order", mixed, steps[::-1]
    yield "background_of_choice", mixed, [{"labels_or_regions": 2, "background_label": 4}]


def write_postprocessing_maps(folder: Path) -> list[dict]:
    entries = []
    for name, labels, steps in postprocessing_maps():
        stem = f"cases/row24_{name}"
        (folder / f"{stem}.rules.json").write_text(json.dumps(postprocessing_json(steps), indent=1) + "\n")
        np.save(folder / f"{stem}.before.npy", labels)
        np.save(folder / f"{stem}.after.npy", postprocess(labels, steps))
        entries.append({"name": f"row24_{name}", "row": 24, **{
            key: f"{stem}.{ending}" for key, ending in (("rules", "rules.json"), ("before", "before.npy"), ("after", "after.npy"))
        }})  # fmt: skip
    return entries


def nifti_affines() -> Iterator[tuple[str, np.ndarray]]:
    """Row 25: voxel to world, millimetres, RAS."""
    yield "lps", np.array([[-0.8, 0, 0, 11], [0, -0.7, 0, -7], [0, 0, 2.5, 3]])
    yield "ras", np.array([[0.8, 0, 0, 11], [0, 0.7, 0, -7], [0, 0, 2.5, 3]])
    yield "permuted", np.array([[0, 0, 2.5, 1], [0.8, 0, 0, 2], [0, 0.7, 0, 3]])
    yield "permuted_and_reversed", np.array([[0, -0.7, 0, 1], [0, 0, 2.5, 2], [-0.8, 0, 0, 3]])
    angle = np.deg2rad(17)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    yield "oblique", np.hstack([turn @ np.diag([-0.8, 0.7, 2.5]), [[5], [6], [7]]])


def write_reader_cases(folder: Path) -> list[dict]:
    """What nnU-Net's readers give for NIfTI files, and the label files that its writers make of them."""
    random, entries = np.random.default_rng(42), []
    for name, affine in nifti_affines():
        image = f"cases/row25_{name}.nii.gz"
        values = random.integers(-500, 500, (5, 4, 3)).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(values, np.vstack([affine, [0, 0, 0, 1]])), folder / image)
        for reader in ("NibabelIO", "NibabelIOWithReorient"):
            stem = f"cases/row25_{name}.{reader}"
            io = recursive_find_reader_writer_by_name(reader)()
            array, properties = io.read_images((str(folder / image),))
            labels = (np.arange(array[0].size).reshape(array[0].shape) % 7).astype(np.uint16)
            np.save(folder / f"{stem}.npy", np.ascontiguousarray(array))
            np.save(folder / f"{stem}.labels.npy", labels)
            io.write_seg(labels.astype(np.uint8), str(folder / f"{stem}.written.nii.gz"), properties)
            entries.append({
                "name": f"row25_{name}_{reader}", "row": 25, "reader": reader, "image": image,
                "spacing": [float(s) for s in properties["spacing"]], "array": f"{stem}.npy",
                "labels": f"{stem}.labels.npy", "written": f"{stem}.written.nii.gz",
            })  # fmt: skip
    return entries


def main() -> None:
    torch.set_num_threads(1)
    for folder in ("models", "cases"):
        shutil.rmtree(HERE / folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        cases = CaseFolder(HERE, Path(scratch), keep_stages=False)
        for row in ROWS:
            for case in row():
                case = Case(**{**vars(case), "row": int(row.__name__[3:5])})
                result = cases.add(case)
                values, counts = np.unique(result.labels, return_counts=True)
                shown = dict(zip(values.tolist(), counts.tolist(), strict=True)) if len(values) < 9 else f"{len(values)} labels"
                print(case.name, result.labels.shape, shown, flush=True)
        cases.finish(postprocessing=write_postprocessing_maps(HERE), readers=write_reader_cases(HERE))


if __name__ == "__main__":
    main()

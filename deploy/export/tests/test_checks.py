"""Every inconsistent model is refused with a text that names the file and the key."""

import pytest

from nnseg_export import ExportError, plans_check
from nnseg_export.model_folder import open_model_folder


def check(plans, dataset, configuration="3d_fullres"):
    plans_check.check_plans(plans)
    plans_check.check_dataset(dataset)
    plans_check.check_channels(plans, dataset)
    return plans_check.check_configuration(plans, dataset, configuration)


def change(mapping, path, value):
    *parents, key = path.split("/")
    for parent in parents:
        mapping = mapping[parent]
    if value is None:
        del mapping[key]
    else:
        mapping[key] = value


def test_the_sound_model_passes(plans, dataset):
    assert check(plans, dataset)["patch_size"] == [16, 16, 16]


FULLRES = "configurations/3d_fullres/"


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("configurations", None, "plans.json: key configurations is missing"),
        ("image_reader_writer", None, "plans.json: key image_reader_writer is missing"),
        ("image_reader_writer", "MyIO", "plans.json: image_reader_writer is MyIO, expected one of: SimpleITKIO"),
        (FULLRES + "normalization_schemes", ["MyNorm"], "normalization_schemes.0 is MyNorm, expected one of"),
        (FULLRES + "resampling_fn_seg", "my_resize", "resampling_fn_seg is my_resize, expected one of"),
        (FULLRES + "preprocessor_name", "My", "preprocessor_name is My, expected one of: DefaultPreprocessor"),
        ("transpose_forward", [0, 1, 1], "plans.json: transpose_forward is [0, 1, 1], expected a permutation"),
        ("transpose_backward", [2, 0, 1], "plans.json: transpose_backward [2, 0, 1] does not undo transpose_forward"),
        ("foreground_intensity_properties_per_channel", None,
         "plans.json: key foreground_intensity_properties_per_channel is missing"),
        ("foreground_intensity_properties_per_channel/0", None,
         "plans.json: foreground_intensity_properties_per_channel.0 is missing (channel 'CT')"),
        ("foreground_intensity_properties_per_channel/0/std", None,
         "plans.json: key foreground_intensity_properties_per_channel.0.std is missing"),
        (FULLRES + "patch_size", None, "plans.json: key configurations.3d_fullres.patch_size is missing"),
        (FULLRES + "resampling_fn_seg_kwargs", None,
         "plans.json: key configurations.3d_fullres.resampling_fn_seg_kwargs is missing"),
        (FULLRES + "spacing", [1.0, 1.0],
         "plans.json: configurations.3d_fullres.spacing has 2 entries, expected 3"),
        (FULLRES + "patch_size", 16, "plans.json: configurations.3d_fullres.patch_size is int, expected list"),
        ("configurations/3d_fullres", [], "plans.json: configurations.3d_fullres is list, expected dict"),
        (FULLRES + "patch_size", [16], "plans.json: configurations.3d_fullres.patch_size has 1 entries"),
        (FULLRES + "normalization_schemes", ["CTNormalization"] * 2,
         "plans.json: configurations.3d_fullres.normalization_schemes has 2 entries, expected 1"),
        (FULLRES + "use_mask_for_norm", [],
         "plans.json: configurations.3d_fullres.use_mask_for_norm has 0 entries, expected 1"),
        (FULLRES + "architecture/arch_kwargs", None,
         "plans.json: key configurations.3d_fullres.architecture.arch_kwargs is missing"),
        (FULLRES + "architecture", None, "plans.json: key configurations.3d_fullres.UNet_class_name is missing"),
        (FULLRES + "inherits_from", "3d_cascade_fullres", "inherits_from: cyclic inheritance"),
        (FULLRES + "inherits_from", "gone",
         "plans.json: configurations.3d_fullres.inherits_from: unknown configuration 'gone', expected one of"),
    ],
)  # fmt: skip
def test_unsound_plans_are_refused(plans, dataset, path, value, text):
    change(plans, path, value)
    with pytest.raises(ExportError) as refusal:
        check(plans, dataset)
    assert text in str(refusal.value)


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("labels", [], "dataset.json: labels is list, expected dict"),
        ("labels", None, "dataset.json: key labels is missing"),
        ("file_ending", None, "dataset.json: key file_ending is missing"),
        ("channel_names", None, "dataset.json: key channel_names is missing"),
        ("channel_names", {"0": "CT", "2": "MR"}, "dataset.json: channel_names has the keys 0, 2"),
        ("labels/background", None, "dataset.json: key labels.background is missing"),
        ("labels/background", 1, "dataset.json: labels.background is 1, expected 0"),
        ("labels/a", "1", "dataset.json: labels.a is 1, expected an integer"),
        ("labels/ignore", 7, "dataset.json: labels.ignore is 7, expected 3"),
        ("labels/whole", [1, 2], "dataset.json: key regions_class_order is missing"),
    ],
)
def test_unsound_dataset_is_refused(plans, dataset, path, value, text):
    change(dataset, path, value)
    with pytest.raises(ExportError) as refusal:
        check(plans, dataset)
    assert text in str(refusal.value)


def test_regions_class_order_of_the_wrong_length_is_refused(plans, dataset):
    dataset["labels"] = {"background": 0, "whole": [1, 2], "core": 2}
    dataset["regions_class_order"] = [1]
    with pytest.raises(ExportError, match="regions_class_order is .1., expected 2 entries, one per region: whole, core"):
        check(plans, dataset)


def test_a_channel_without_plans_is_refused(plans, dataset):
    dataset["channel_names"]["1"] = "MR"
    with pytest.raises(ExportError, match=r"plans.json: foreground_intensity_properties_per_channel.1 is missing"):
        check(plans, dataset)


def test_an_unknown_configuration_is_refused(plans, dataset):
    with pytest.raises(ExportError, match="plans.json: configurations: unknown configuration '3d_lowres'"):
        check(plans, dataset, "3d_lowres")


def test_the_child_configuration_overrides_its_parent(plans):
    plans["configurations"]["small"] = {"inherits_from": "3d_cascade_fullres", "patch_size": [8, 8, 8]}
    resolved = plans_check.resolve_configuration(plans, "small")
    assert (resolved["patch_size"], resolved["previous_stage"]) == ([8, 8, 8], "3d_lowres")


def test_legacy_forms_pass(plans, dataset):
    plans["foreground_intensity_properties_by_modality"] = plans.pop("foreground_intensity_properties_per_channel")
    dataset["modality"] = dataset.pop("channel_names")
    configuration = plans["configurations"]["3d_fullres"]
    del configuration["architecture"]
    configuration |= {
        "UNet_class_name": "PlainConvUNet", "UNet_base_num_features": 4, "unet_max_num_features": 8,
        "n_conv_per_stage_encoder": [1, 1], "n_conv_per_stage_decoder": [1], "num_pool_per_axis": [1, 1, 1],
        "pool_op_kernel_sizes": [[1, 1, 1], [2, 2, 2]], "conv_kernel_sizes": [[3, 3, 3], [3, 3, 3]],
    }  # fmt: skip
    check(plans, dataset)


@pytest.mark.parametrize("name", ["plans.json", "dataset.json"])
def test_a_missing_file_is_named(model_folder, name):
    (model_folder / name).unlink()
    with pytest.raises(ExportError, match=f"{name}: file is missing"):
        open_model_folder(model_folder, None, "checkpoint_final.pth")


def test_broken_json_is_named(model_folder):
    (model_folder / "plans.json").write_text("{")
    with pytest.raises(ExportError, match="plans.json: is not valid JSON"):
        open_model_folder(model_folder, None, "checkpoint_final.pth")


def test_missing_folds_and_checkpoints_are_named(model_folder):
    with pytest.raises(ExportError, match="fold_3/checkpoint_final.pth: file is missing"):
        open_model_folder(model_folder, ("0", "3"), "checkpoint_final.pth")
    with pytest.raises(ExportError, match=r"fold_\*/checkpoint_best.pth: no fold of .* has this checkpoint"):
        open_model_folder(model_folder, None, "checkpoint_best.pth")


def test_folds_are_found_as_nnunet_finds_them(model_folder):
    (model_folder / "fold_0").rename(model_folder / "fold_10")
    (model_folder / "fold_1").rename(model_folder / "fold_2")
    (model_folder / "fold_all").mkdir()
    (model_folder / "fold_all" / "checkpoint_final.pth").touch()
    assert open_model_folder(model_folder, None, "checkpoint_final.pth").folds == ("10", "2")

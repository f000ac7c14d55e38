"""A tiny nnU-Net model folder with random weights, written the way nnU-Net writes one."""

import copy
import json
from pathlib import Path

import pytest

pytest_plugins = ("trained_bundle",)

TRAINER = "nnUNetTrainer"

_RESAMPLING = {
    f"resampling_fn_{what}{suffix}": value
    for what, order in (("data", 3), ("seg", 1), ("probabilities", 1))
    for suffix, value in (
        ("", "resample_data_or_seg_to_shape"),
        ("_kwargs", {"is_seg": what == "seg", "order": order, "order_z": 0, "force_separate_z": None}),
    )
}

PLANS = {
    "dataset_name": "Dataset900_Tiny",
    "plans_name": "nnUNetPlans",
    "image_reader_writer": "SimpleITKIO",
    "transpose_forward": [2, 0, 1],
    "transpose_backward": [1, 2, 0],
    "label_manager": "LabelManager",
    "foreground_intensity_properties_per_channel": {
        "0": {"mean": 1.0, "std": 2.0, "percentile_00_5": -3.0, "percentile_99_5": 4.0}
    },
    "configurations": {
        "3d_fullres": {
            "preprocessor_name": "DefaultPreprocessor",
            "patch_size": [16, 16, 16],
            "spacing": [1.0, 1.0, 1.0],
            "normalization_schemes": ["CTNormalization"],
            "use_mask_for_norm": [False],
            **_RESAMPLING,
            "architecture": {
                "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
                "arch_kwargs": {
                    "n_stages": 2,
                    "features_per_stage": [4, 8],
                    "conv_op": "torch.nn.modules.conv.Conv3d",
                    "kernel_sizes": [[3, 3, 3], [3, 3, 3]],
                    "strides": [[1, 1, 1], [2, 2, 2]],
                    "n_conv_per_stage": [1, 1],
                    "n_conv_per_stage_decoder": [1],
                    "conv_bias": True,
                    "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
                    "norm_op_kwargs": {"eps": 1e-05, "affine": True},
                    "dropout_op": None,
                    "dropout_op_kwargs": None,
                    "nonlin": "torch.nn.LeakyReLU",
                    "nonlin_kwargs": {"inplace": True},
                },
                "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
            },
        },
        "3d_cascade_fullres": {"inherits_from": "3d_fullres", "previous_stage": "3d_lowres"},
    },
}
DATASET = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "a": 1, "b": 2}, "file_ending": ".nii.gz"}


@pytest.fixture
def plans() -> dict:
    return copy.deepcopy(PLANS)


@pytest.fixture
def dataset() -> dict:
    return copy.deepcopy(DATASET)


def write_model(
    root: Path, plans: dict, dataset: dict, configuration: str = "3d_fullres", folds: tuple[str, ...] = ("0", "1"),
    prefix: str = "", trainer: str = TRAINER,
) -> Path:  # fmt: skip
    """Writes a model folder whose checkpoints hold random weights of the network that the plans describe."""
    from nnseg_export import network as _  # sets nnU-Net's environment before its first import

    import torch
    from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name
    from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    folder = root / f"{trainer}__nnUNetPlans__{configuration}"
    folder.mkdir(parents=True)
    (folder / "plans.json").write_text(json.dumps(plans, indent=4))
    (folder / "dataset.json").write_text(json.dumps(dataset))
    manager = PlansManager(copy.deepcopy(plans))
    config = manager.get_configuration(configuration)
    inputs = determine_num_input_channels(manager, config, dataset)
    heads = manager.get_label_manager(dataset).num_segmentation_heads
    for index, fold in enumerate(folds):
        torch.manual_seed(index)
        build = recursive_find_trainer_class_by_name(trainer).build_network_architecture
        net = build(manager, config, inputs, heads, enable_deep_supervision=True)
        (folder / f"fold_{fold}").mkdir()
        torch.save(
            {
                "network_weights": {prefix + name: weight for name, weight in net.state_dict().items()},
                "trainer_name": trainer,
                "init_args": {"configuration": configuration},
                "inference_allowed_mirroring_axes": (0, 2),
            },
            folder / f"fold_{fold}" / "checkpoint_final.pth",
        )
    return folder


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """A sound model folder with two folds."""
    return write_model(tmp_path / "results", PLANS, DATASET)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model folder and the bundle made from it; tests only read both."""
    from nnseg_export.cli import main

    root = tmp_path_factory.mktemp("exported")
    folder = write_model(root / "results", PLANS, DATASET)
    arguments = [str(folder), "--name", "tiny", "--output", str(root / "repository"), "--license", "CC0-1.0"]
    assert main(arguments) == 0
    return folder, root / "repository" / "tiny" / "1"

"""Tiny nnU-Net models with seeded random weights, written as nnU-Net writes a trained model folder."""

import copy
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

for _variable in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
    os.environ.setdefault(_variable, "unused")  # nnU-Net warns without them and reads nothing from them

import torch
from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name
from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

CHECKPOINT = "checkpoint_final.pth"
# About the spread of a trained network's logits; random weights alone give nearly equal ones.
_LOGIT_SPREAD = 2.0


@dataclass(frozen=True)
class Model:
    """A model with networks. `plans` and `dataset` are the contents of the JSON files."""

    name: str
    plans: dict
    dataset: dict
    configuration: str
    folds: int = 1
    mirroring_axes: tuple[int, ...] | None = None
    postprocessing: list[dict] = field(default_factory=list)  # kwargs of each step
    previous_stage: "Model | None" = None
    trainer: str = "nnUNetTrainer"
    seed: int = 0


@dataclass(frozen=True)
class Ensemble:
    """Models whose probabilities are averaged."""

    name: str
    members: tuple[Model, ...]
    postprocessing: list[dict] = field(default_factory=list)


def resampling(kind: str = "default", **overrides) -> dict:
    """The resampling entries of a configuration as nnU-Net's planners write them: "default", "torchres", "torchres_sepz"
    or "none". `overrides` replace kwargs of images (data), labels (seg) or logits (probabilities)."""
    entries = {}
    for what, order in (("data", 3), ("seg", 1), ("probabilities", 1)):
        if kind == "default":
            function = "resample_data_or_seg_to_shape"
            kwargs = {"is_seg": what == "seg", "order": order, "order_z": 0, "force_separate_z": None}
        elif kind == "none":
            function, kwargs = "no_resampling_hack", {}
        else:
            function = "resample_torch_fornnunet"
            kwargs = {
                "is_seg": what == "seg", "force_separate_z": None if kind == "torchres_sepz" else False,
                "memefficient_seg_resampling": False,
            }  # fmt: skip
        entries[f"resampling_fn_{what}"] = function
        entries[f"resampling_fn_{what}_kwargs"] = {**kwargs, **overrides.get(what, {})}
    return entries


def unet(dimensions: int, strides: list[list[int]], features: int = 4, residual: bool = False) -> dict:
    """The architecture entry of a small U-Net; `strides` has one entry for each stage."""
    stages = len(strides)
    blocks = "n_blocks_per_stage" if residual else "n_conv_per_stage"
    kernels = [[3 if max(strides[max(s, 1)][axis], 1) > 1 or s == 0 else 1 for axis in range(dimensions)] for s in range(stages)]
    return {
        "network_class_name": "dynamic_network_architectures.architectures.unet."
        + ("ResidualEncoderUNet" if residual else "PlainConvUNet"),
        "arch_kwargs": {
            "n_stages": stages,
            "features_per_stage": [features * 2**stage for stage in range(stages)],
            "conv_op": f"torch.nn.modules.conv.Conv{dimensions}d",
            "kernel_sizes": kernels,
            "strides": strides,
            blocks: [1] * stages,
            "n_conv_per_stage_decoder": [1] * (stages - 1),
            "conv_bias": True,
            "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{dimensions}d",
            "norm_op_kwargs": {"eps": 1e-05, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }


def configuration(
    patch: list[int], spacing: list[float], *, normalization: tuple[str, ...] = ("ZScoreNormalization",),
    mask: tuple[bool, ...] | None = None, resample: dict | None = None, strides: list[list[int]] | None = None,
    features: int = 4, residual: bool = False, **more,
) -> dict:  # fmt: skip
    """A complete configuration of plans.json."""
    dimensions = len(patch)
    strides = strides or [[1] * dimensions, [2 if size >= 4 else 1 for size in patch]]
    return {
        "preprocessor_name": "DefaultPreprocessor",
        "patch_size": patch,
        "spacing": spacing,
        "normalization_schemes": list(normalization),
        "use_mask_for_norm": list(mask or [False] * len(normalization)),
        **(resample or resampling()),
        "architecture": unet(dimensions, strides, features, residual),
        **more,
    }


def make_plans(configurations: dict, transpose: tuple[int, int, int] = (0, 1, 2), channels: int = 1, **more) -> dict:
    """plans.json around the configurations."""
    return {
        "dataset_name": "Dataset900_Toy",
        "plans_name": "nnUNetPlans",
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": list(transpose),
        "transpose_backward": [transpose.index(axis) for axis in range(3)],
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {
            str(c): {"mean": 99.5 + c, "std": 40.25, "percentile_00_5": 21.5, "percentile_99_5": 230.0} for c in range(channels)
        },
        "configurations": configurations,
        **more,
    }


def make_dataset(labels: dict | int, channels: int = 1, **more) -> dict:
    """dataset.json; a number of labels counts the background."""
    if isinstance(labels, int):
        labels = {"background": 0, **{f"label_{value}": value for value in range(1, labels)}}
    names = {str(c): f"channel_{c}" for c in range(channels)}
    return {"channel_names": names, "labels": labels, "file_ending": ".nii.gz", **more}


def write_model_folder(model: Model, root: Path) -> Path:
    """Writes `<root>/<name>/<trainer>__nnUNetPlans__<configuration>` with a checkpoint for each fold."""
    folder = root / model.name / f"{model.trainer}__nnUNetPlans__{model.configuration}"
    folder.mkdir(parents=True)
    (folder / "plans.json").write_text(json.dumps(model.plans, indent=1))
    (folder / "dataset.json").write_text(json.dumps(model.dataset, indent=1))
    if model.postprocessing:
        (folder / "postprocessing.json").write_text(json.dumps(postprocessing_json(model.postprocessing), indent=1))
    plans = PlansManager(copy.deepcopy(model.plans))
    config = plans.get_configuration(model.configuration)
    inputs = determine_num_input_channels(plans, config, model.dataset)
    heads = plans.get_label_manager(model.dataset).num_segmentation_heads
    trainer = recursive_find_trainer_class_by_name(model.trainer)
    for fold in range(model.folds):
        torch.manual_seed(1000 * model.seed + fold)
        network = trainer.build_network_architecture(plans, config, inputs, heads, enable_deep_supervision=False)
        _spread_logits(network.eval(), (inputs, *config.patch_size))
        (folder / f"fold_{fold}").mkdir()
        torch.save(
            {
                "network_weights": network.state_dict(),
                "trainer_name": model.trainer,
                "init_args": {"configuration": model.configuration},
                "inference_allowed_mirroring_axes": model.mirroring_axes,
            },
            folder / f"fold_{fold}" / CHECKPOINT,
        )
    return folder


def postprocessing_json(steps: list[dict]) -> dict:
    """What nnU-Net writes into postprocessing.json."""
    function = "remove_all_but_largest_component_from_segmentation"
    return {"postprocessing_fns": [function] * len(steps), "postprocessing_kwargs": steps}


@torch.no_grad()
def _spread_logits(network: torch.nn.Module, input_shape: tuple[int, ...]) -> None:
    """Centres and scales each output channel on a patch of noise, so that every label comes out."""
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
    patch = torch.randn((1, *input_shape))
    logits = network(patch)[0].flatten(1)
    mean, deviation = logits.mean(1), logits.std(1).clamp_min(1e-3)
    head = network.decoder.seg_layers[-1]
    head.weight *= (_LOGIT_SPREAD / deviation).reshape(-1, *[1] * (head.weight.ndim - 1))
    head.bias.copy_((head.bias - mean) * _LOGIT_SPREAD / deviation)

"""Every network that nnU-Net ships becomes TorchScript, equal to eager nnU-Net to the bit, and OpenVINO IR near it."""

import copy
import json

import pytest
from conftest import DATASET, PLANS, write_model

from nnseg_export.cli import main

_ARCHITECTURES = "dynamic_network_architectures.architectures."


def plans_with(network_class, **arguments):
    plans = copy.deepcopy(PLANS)
    architecture = plans["configurations"]["3d_fullres"]["architecture"]
    architecture["network_class_name"] = _ARCHITECTURES + network_class
    for old in [key for key in arguments if arguments[key] is None]:
        del architecture["arch_kwargs"][old]
    architecture["arch_kwargs"].update({key: value for key, value in arguments.items() if value is not None})
    return plans


def planar_plans():
    plans = copy.deepcopy(PLANS)
    config = plans["configurations"]["3d_fullres"]
    config.update(patch_size=[16, 24], spacing=[1.0, 1.0])
    arguments = config["architecture"]["arch_kwargs"]
    arguments.update(
        conv_op="torch.nn.modules.conv.Conv2d", norm_op="torch.nn.modules.instancenorm.InstanceNorm2d",
        kernel_sizes=[[3, 3], [3, 3]], strides=[[1, 1], [2, 2]],
    )  # fmt: skip
    return plans


def legacy_plans():
    plans = copy.deepcopy(PLANS)
    config = plans["configurations"]["3d_fullres"]
    del config["architecture"]
    config.update(
        UNet_class_name="PlainConvUNet", UNet_base_num_features=4, unet_max_num_features=8,
        n_conv_per_stage_encoder=[1, 1], n_conv_per_stage_decoder=[1], num_pool_per_axis=[1, 1, 1],
        pool_op_kernel_sizes=[[1, 1, 1], [2, 2, 2]], conv_kernel_sizes=[[3, 3, 3], [3, 3, 3]],
    )  # fmt: skip
    return plans


RESIDUAL = {"n_conv_per_stage": None, "n_blocks_per_stage": [1, 1]}
NETWORKS = {
    "ResidualEncoderUNet": (plans_with("unet.ResidualEncoderUNet", **RESIDUAL), "nnUNetTrainer"),
    "ResidualUNet": (plans_with("unet.ResidualUNet", **RESIDUAL), "nnUNetTrainer"),
    "BatchNorm": (PLANS, "nnUNetTrainerBN"),
    "2D": (planar_plans(), "nnUNetTrainer"),
    "legacy plans": (legacy_plans(), "nnUNetTrainer"),
    "Primus S": (PLANS, "nnUNet_Primus_S_Trainer"),
    "Primus B": (PLANS, "nnUNet_Primus_B_Trainer"),
    "Primus M": (PLANS, "nnUNet_Primus_M_Trainer"),
    "Primus L": (PLANS, "nnUNet_Primus_L_Trainer"),
}
NETWORKS |= {f"Primus V{v} {size}": (PLANS, f"nnUNet_PrimusV{v}{size}_Trainer") for v in (2, 3) for size in "SBML"}


# Large for a test: these take half a minute or more each.
SLOW = [name for name in NETWORKS if name.startswith("Primus") and name != "Primus S"]


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in NETWORKS])
def test_network_is_exported_for_both_engines(name, tmp_path):
    plans, trainer = NETWORKS[name]
    folder = write_model(tmp_path / "results", plans, DATASET, folds=("0",), trainer=trainer)
    repository = tmp_path / "repository"
    # The exporter itself compares both with eager nnU-Net and refuses above its tolerances.
    assert main([str(folder), "--name", "net", "--output", str(repository)]) == 0
    manifest = json.loads((repository / "net" / "1" / "manifest.json").read_text())
    assert manifest["engines"]["torch"]["0"]["max_abs_difference"] == 0
    assert set(manifest["engines"]) == {"torch", "openvino"}
    assert manifest["patch_size"] == plans["configurations"]["3d_fullres"]["patch_size"]


def foreign_model(root, network_class):
    plans = plans_with("unet.PlainConvUNet")
    plans["configurations"]["3d_fullres"]["architecture"] = {
        "network_class_name": f"foreign_networks.{network_class}", "arch_kwargs": {}, "_kw_requires_import": [],
    }  # fmt: skip
    return write_model(root / "results", plans, DATASET, folds=("0",))


def test_a_network_of_somebody_else_is_exported_by_tracing(tmp_path):
    repository = tmp_path / "repository"
    assert main([str(foreign_model(tmp_path, "Traceable")), "--name", "net", "--output", str(repository)]) == 0
    manifest = json.loads((repository / "net" / "1" / "manifest.json").read_text())
    assert set(manifest["engines"]) == {"torch", "openvino"}


@pytest.mark.parametrize(
    ("network_class", "text"),
    [
        ("Branching", "fold_0.pt: differs from eager nnU-Net by"),
        ("Failing", "fold_0: the network cannot run a patch: no patch is good enough"),
        ("Untraceable", "fold_0.pt: the network cannot be traced: this network is not for tracing"),
        ("Unconvertible", "fold_0.xml: OpenVINO cannot convert the network (--skip-openvino leaves it out)"),
    ],
)
def test_a_network_that_cannot_be_exported_is_refused_and_leaves_nothing(network_class, text, tmp_path, capsys):
    repository = tmp_path / "repository"
    assert main([str(foreign_model(tmp_path, network_class)), "--name", "net", "--output", str(repository)]) == 1
    assert text in capsys.readouterr().err
    assert not (repository / "net").exists()


def test_a_network_class_that_does_not_exist_is_refused(tmp_path, capsys):
    folder = foreign_model(tmp_path, "Traceable")
    text = (folder / "plans.json").read_text().replace("foreign_networks.Traceable", "foreign_networks.Gone")
    (folder / "plans.json").write_text(text)
    assert main([str(folder), "--name", "net", "--output", str(tmp_path / "repository")]) == 1
    assert "plans.json: architecture: nnU-Net cannot build the network" in capsys.readouterr().err

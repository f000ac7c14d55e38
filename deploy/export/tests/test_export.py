"""A bundle holds nnU-Net's own network, says so truthfully, and appears whole or not at all."""

import hashlib
import json
import zipfile

import numpy as np
import pytest
import torch
from conftest import write_model

from nnseg_export import openvino_ir, torchscript
from nnseg_export.cli import main


def eager_networks(folder, folds):
    """nnU-Net's own predictor as the oracle: the network with each fold's weights."""
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(folder), folds, "checkpoint_final.pth")
    for weights in predictor.list_of_parameters:
        predictor.network.load_state_dict(weights)
        yield predictor.network.eval()


def export(folder, repository, *options):
    return main([str(folder), "--name", "tiny", "--output", str(repository), *options])


def read_manifest(bundle):
    return json.loads((bundle / "manifest.json").read_text())


def test_torchscript_equals_eager_nnunet_to_the_bit(exported):
    folder, bundle = exported
    patch = torch.randn(1, 1, 16, 16, 16, generator=torch.Generator().manual_seed(7))
    for fold, network in enumerate(eager_networks(folder, (0, 1))):
        with torch.no_grad():
            expected = network(patch)
        assert torch.equal(torchscript.Runner(bundle / f"fold_{fold}.pt")(patch), expected)


def test_openvino_equals_eager_nnunet_within_rounding(exported):
    folder, bundle = exported
    patch = torch.randn(1, 1, 16, 16, 16, generator=torch.Generator().manual_seed(7))
    for fold, network in enumerate(eager_networks(folder, (0, 1))):
        with torch.no_grad():
            expected = network(patch)
        got = openvino_ir.Runner(bundle / f"fold_{fold}.xml")(patch)
        assert float((got - expected).abs().max()) < 1e-5 * float(expected.max() - expected.min())


def test_openvino_normalises_nearly_constant_patches_as_torch_does(tmp_path):
    norm = torch.nn.InstanceNorm3d(2, affine=True).eval()
    patch = torch.full((1, 2, 64, 64, 64), -2.7)
    patch[..., 0, 0] += 0.01
    torchscript.save(norm, patch, tmp_path / "norm.pt")
    openvino_ir.save(tmp_path / "norm.pt", patch, tmp_path / "norm.xml")
    with torch.no_grad():
        expected = norm(patch)
    assert float((openvino_ir.Runner(tmp_path / "norm.xml")(patch) - expected).abs().max()) < 1e-3


def test_openvino_weights_are_fp32_and_the_shape_is_fixed(exported):
    import openvino

    _, bundle = exported
    model = openvino.Core().read_model(bundle / "fold_0.xml")
    assert list(model.input("input").shape) == [1, 1, 16, 16, 16]
    assert list(model.output("logits").shape) == [1, 3, 16, 16, 16]
    constants = [op for op in model.get_ops() if op.get_type_name() == "Constant"]
    assert {str(op.get_element_type()) for op in constants if np.ndim(op.data) == 5} == {"<Type: 'float32'>"}


def test_manifest_names_every_file_with_its_hash(exported):
    _, bundle = exported
    files = read_manifest(bundle)["files"]
    assert set(files) == {path.name for path in bundle.iterdir()} - {"manifest.json"}
    for name, entry in files.items():
        content = (bundle / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def test_manifest_describes_the_model(exported):
    folder, bundle = exported
    manifest = read_manifest(bundle)
    checkpoint = (folder / "fold_1" / "checkpoint_final.pth").read_bytes()
    expected = {
        "format_version": 1,
        "name": "tiny",
        "version": 1,
        "intended_use": "Research only, not for clinical use.",
        "model": {
            "dataset_name": "Dataset900_Tiny",
            "trainer": "nnUNetTrainer",
            "plans_name": "nnUNetPlans",
            "configuration": "3d_fullres",
            "checkpoint": "checkpoint_final.pth",
        },
        "folds": ["0", "1"],
        "mirroring_axes": [0, 2],
        "channel_names": ["CT"],
        "network_input_channels": 1,
        "network_output_channels": 3,
        "patch_size": [16, 16, 16],
        "labels": [{"name": "background", "values": [0]}, {"name": "a", "values": [1]}, {"name": "b", "values": [2]}],
        "regions_class_order": None,
        "image_reader_writer": "SimpleITKIO",
        "file_ending": ".nii.gz",
    }
    assert {key: manifest[key] for key in expected} == expected
    assert manifest["engines"]["torch"]["1"] == {"file": "fold_1.pt", "max_abs_difference": 0.0, "tolerance": 0.0}
    openvino = manifest["engines"]["openvino"]["1"]
    assert openvino["file"] == "fold_1.xml" and 0 < openvino["max_abs_difference"] <= openvino["tolerance"]
    assert manifest["provenance"]["license"] == "CC0-1.0"
    assert manifest["provenance"]["checkpoints"]["1"]["sha256"] == hashlib.sha256(checkpoint).hexdigest()
    assert manifest["producer"]["nnunetv2"] == "2.8.1"


def test_expected_memory_counts_weights_of_all_folds_and_the_largest_working_set(exported):
    folder, bundle = exported
    memory = read_manifest(bundle)["expected_memory_bytes"]
    network = next(eager_networks(folder, (0,)))
    assert memory["weights"] == 2 * 4 * sum(p.numel() for p in network.parameters())
    channel = 4 * 16**3
    # The peak lies in the decoder: skip (4 channels), deepest features (8 of an eighth of the size), concatenation (8),
    # convolution (4) and its normalised copy (4).
    assert 21 * channel <= memory["activations"] < 21.1 * channel


def test_metadata_is_copied_byte_for_byte(model_folder, tmp_path):
    assert export(model_folder, tmp_path / "repository", "--skip-openvino") == 0
    bundle = tmp_path / "repository" / "tiny" / "1"
    for name in ("plans.json", "dataset.json"):
        assert (bundle / name).read_bytes() == (model_folder / name).read_bytes()
    assert not (bundle / "postprocessing.json").exists()
    assert "openvino" not in read_manifest(bundle)["engines"]


def test_torchscript_holds_no_paths_of_the_exporting_machine(exported):
    _, bundle = exported
    with zipfile.ZipFile(bundle / "fold_0.pt") as content:
        for name in content.namelist():
            assert not name.endswith(".debug_pkl")
            assert b"site-packages" not in content.read(name)


def test_folds_keep_the_order_that_was_asked_for(model_folder, tmp_path):
    assert export(model_folder, tmp_path, "--folds", "1,0", "--skip-openvino") == 0
    assert read_manifest(tmp_path / "tiny" / "1")["folds"] == ["1", "0"]


def test_fold_all_is_taken_when_there_is_no_other(plans, dataset, tmp_path):
    folder = write_model(tmp_path / "results", plans, dataset, folds=("all",))
    assert export(folder, tmp_path / "repository", "--skip-openvino") == 0
    bundle = tmp_path / "repository" / "tiny" / "1"
    assert read_manifest(bundle)["folds"] == ["all"] and (bundle / "fold_all.pt").is_file()


def test_names_left_by_torch_compile_and_ddp_are_stripped(plans, dataset, tmp_path):
    folder = write_model(tmp_path / "results", plans, dataset, folds=("0",), prefix="module._orig_mod.")
    assert export(folder, tmp_path / "repository", "--skip-openvino") == 0


def test_cascade_network_takes_one_channel_per_foreground_label(plans, dataset, tmp_path):
    folder = write_model(tmp_path / "results", plans, dataset, "3d_cascade_fullres", ("0",))
    assert export(folder, tmp_path / "repository") == 0
    manifest = read_manifest(tmp_path / "repository" / "tiny" / "1")
    assert (manifest["network_input_channels"], manifest["channel_names"]) == (3, ["CT"])


def test_region_model_has_one_channel_per_region(plans, dataset, tmp_path):
    dataset["labels"] = {"background": 0, "whole": [1, 2], "core": [2], "ignore": 3}
    dataset["regions_class_order"] = [1, 2]
    folder = write_model(tmp_path / "results", plans, dataset, folds=("0",))
    assert export(folder, tmp_path / "repository", "--skip-openvino") == 0
    manifest = read_manifest(tmp_path / "repository" / "tiny" / "1")
    assert manifest["network_output_channels"] == 2
    assert manifest["regions_class_order"] == [1, 2]
    assert manifest["labels"][1:] == [
        {"name": "whole", "values": [1, 2]}, {"name": "core", "values": [2]}, {"name": "ignore", "values": [3]},
    ]  # fmt: skip


def test_versions_count_up_and_are_never_overwritten(model_folder, tmp_path, capsys):
    assert export(model_folder, tmp_path, "--version", "4", "--skip-openvino", "--folds", "0") == 0
    assert export(model_folder, tmp_path, "--skip-openvino", "--folds", "0") == 0
    assert sorted(path.name for path in (tmp_path / "tiny").iterdir()) == ["4", "5"]
    assert export(model_folder, tmp_path, "--version", "4", "--skip-openvino", "--folds", "0") == 1
    assert "never overwritten" in capsys.readouterr().err


def test_a_fold_above_the_tolerance_is_refused_and_leaves_nothing(model_folder, tmp_path, capsys):
    repository = tmp_path / "repository"
    assert export(model_folder, repository, "--tolerance", "1e-12") == 1
    assert "fold_0.xml: differs from eager nnU-Net by" in capsys.readouterr().err
    assert list(repository.iterdir()) == []


def test_a_torchscript_file_that_differs_is_refused(model_folder, tmp_path, monkeypatch, capsys):
    def save_changed(network, example, path):
        with torch.no_grad():
            next(network.parameters()).mul_(1.001)
        original(network, example, path)

    original = torchscript.save
    monkeypatch.setattr(torchscript, "save", save_changed)
    assert export(model_folder, tmp_path / "repository") == 1
    assert "fold_0.pt: differs from eager nnU-Net by" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["network_weights", "trainer_name", "init_args"])
def test_a_checkpoint_without_a_needed_key_is_refused(model_folder, tmp_path, capsys, key):
    path = model_folder / "fold_0" / "checkpoint_final.pth"
    content = torch.load(path, weights_only=False)
    del content[key]
    torch.save(content, path)
    assert export(model_folder, tmp_path / "repository") == 1
    assert f"fold_0/checkpoint_final.pth: key {key} is missing" in capsys.readouterr().err


def test_an_unknown_trainer_is_refused(model_folder, tmp_path, capsys):
    path = model_folder / "fold_0" / "checkpoint_final.pth"
    content = torch.load(path, weights_only=False) | {"trainer_name": "nnUNetTrainerOfSomebodyElse"}
    torch.save(content, path)
    assert export(model_folder, tmp_path / "repository") == 1
    error = capsys.readouterr().err
    assert "fold_0/checkpoint_final.pth: trainer_name: nnU-Net has no trainer 'nnUNetTrainerOfSomebodyElse'" in error


def test_weights_of_another_network_are_refused(plans, dataset, tmp_path, capsys):
    folder = write_model(tmp_path / "results", plans, dataset)
    dataset["labels"]["c"] = 3
    (folder / "dataset.json").write_text(json.dumps(dataset))
    assert export(folder, tmp_path / "repository") == 1
    error = capsys.readouterr().err
    assert "fold_0/checkpoint_final.pth: network_weights do not fit the plans" in error and "seg_layers" in error


def test_a_truncated_checkpoint_is_refused(model_folder, tmp_path, capsys):
    path = model_folder / "fold_0" / "checkpoint_final.pth"
    path.write_bytes(path.read_bytes()[:-1000])
    assert export(model_folder, tmp_path / "repository") == 1
    assert "fold_0/checkpoint_final.pth: cannot be loaded as a torch checkpoint" in capsys.readouterr().err


def test_a_file_that_is_no_checkpoint_is_refused(model_folder, tmp_path, capsys):
    (model_folder / "fold_0" / "checkpoint_final.pth").write_bytes(b"not a checkpoint")
    assert export(model_folder, tmp_path / "repository") == 1
    assert "fold_0/checkpoint_final.pth: cannot be loaded as a torch checkpoint" in capsys.readouterr().err

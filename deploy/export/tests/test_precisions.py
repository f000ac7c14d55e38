"""A network in lower precision is recorded with what it reached, and written only if it passed its gate."""

import argparse
import importlib.metadata
import importlib.util
import tempfile
from pathlib import Path

import numpy as np
import openvino
import pytest
import SimpleITK
import torch
from conftest import write_model
from trained_bundle import manifest_of, needs_bf16, precisions

from nnseg_export import cpu, int8_search, openvino_ir, pass_time, precision_request, quantisation
from nnseg_export.case_prediction import CasePredictor
from nnseg_export.cli import main
from nnseg_export.gate import Score, compare

needs_int8 = pytest.mark.skipif(
    importlib.util.find_spec("nncf") is None or not cpu.has_int8(),
    reason="NNCF is not installed (deploy/export/setup --int8), or the processor has neither VNNI nor AMX",
)


def searched():
    """The precisions that --int8 searches for on this processor."""
    return ["int8", "int8_bf16"] if cpu.has_bf16() else ["int8"]


def rows_of(precision, rows):
    """What was tried, in the table that the search prints."""
    return [row for row in rows if row.startswith("  ") and row.split()[0] == precision]


def test_dice_is_the_lowest_of_any_label_and_counts_a_lost_label_as_zero():
    expected = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    assert compare(expected, np.array([0, 0, 0, 1, 1, 1, 1, 1])) == Score(6 / 7, 0, 7 / 8)
    assert compare(expected, np.array([0, 0, 0, 0, 1, 1, 1, 3])) == Score(0.0, 3, 7 / 8)
    assert compare(expected, expected) == Score(1.0, 0, 1.0)


def test_a_predicted_case_equals_nnunets_own_prediction(repository, volumes):
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    folder = repository.parent / "results" / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    oracle = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False, use_mirroring=False)
    oracle.initialize_from_trained_model_folder(str(folder), (1,), "checkpoint_final.pth")
    image, properties = oracle.plans_manager.image_reader_writer_class().read_images(volumes[:1])
    expected = oracle.predict_single_npy_array(image, properties)

    bundle = repository / "blocks" / "1"
    predictor = CasePredictor(bundle, manifest_of(bundle))
    case = predictor.prepare((Path(volumes[0]),))
    assert set(np.unique(expected)) == {0, 1, 2}
    assert np.array_equal(predictor.labels(case, lambda tile: oracle.network(tile)), expected)


@needs_bf16
def test_bf16_that_passes_is_written_and_recorded(models, volumes, capsys):
    assert precisions(models, "--bf16", "--gate-volume", *volumes[:2], "--precision-policy", "auto") == 0
    before, after = manifest_of(models / "blocks" / "1"), manifest_of(models / "blocks" / "2")
    new = {"fold_0.bf16.xml", "fold_0.bf16.bin", "fold_1.bf16.xml", "fold_1.bf16.bin"}
    assert set(after["files"]) - set(before["files"]) == new
    assert {name: after["files"][name] for name in before["files"]} == before["files"]
    entry = after["precisions"][0]
    assert 0.99 <= entry.pop("dice") <= 1 and 0.995 <= entry.pop("equal_fraction") <= 1
    assert entry.pop("relative_time") > 0
    assert entry == {
        "engine": "openvino",
        "precision": "bf16",
        "networks": {"0": "fold_0.bf16.xml", "1": "fold_1.bf16.xml"},
        "passed": True,
        "dice_limit": 0.99,
        "equal_fraction_limit": 0.995,
        "volumes": 2,
        "recipe": "all layers in bfloat16",
    }
    assert after["precision_policy"] == "auto" and "precision_policy" not in before
    assert main(["inspect", str(models / "blocks" / "2")]) == 0
    assert "bf16 on openvino: passed" in capsys.readouterr().out


@needs_bf16
def test_bf16_networks_that_fail_are_recorded_but_not_written(models, tmp_path, capsys):
    noise = np.random.default_rng(0).normal(0, 2, (16, 16, 16)).astype(np.float32)  # where labels are nearly tied
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(noise), str(tmp_path / "noise.nii.gz"))
    options = ["--bf16", "--gate-volume", str(tmp_path / "noise.nii.gz"), "--gate-dice", "1", "--gate-equal", "1"]
    assert precisions(models, *options) == 0
    assert "bf16: NOT passed" in capsys.readouterr().out
    after = manifest_of(models / "blocks" / "2")
    entry = after["precisions"][0]
    assert (entry["passed"], entry["networks"], entry["dice_limit"]) == (False, {}, 1.0)
    assert 0 < entry["dice"] < 1
    assert after["files"] == manifest_of(models / "blocks" / "1")["files"]


@needs_bf16
def test_a_policy_must_have_passed(models, volumes, tmp_path, capsys):
    assert precisions(models, "--precision-policy", "bf16") == 1
    assert "precision policy bf16: bf16 has not passed its accuracy gate" in capsys.readouterr().err
    assert [path.name for path in (models / "blocks").iterdir()] == ["1"]
    assert precisions(models, "--bf16", "--gate-volume", volumes[0], "--precision-policy", "bf16") == 0
    assert manifest_of(models / "blocks" / "2")["precision_policy"] == "bf16"


@needs_int8
def test_int8_takes_the_fastest_recipe_that_passes(models, volumes, capsys):
    assert precisions(models, "--int8", "--calibration", *volumes, "--precision-policy", "int8") == 0
    rows = capsys.readouterr().out.splitlines()
    bundle = models / "blocks" / "2"
    after = manifest_of(bundle)
    assert [entry["precision"] for entry in after["precisions"]] == searched()
    for entry in after["precisions"]:
        precision = entry["precision"]
        assert entry["passed"] and entry["dice"] >= 0.99 and entry["equal_fraction"] >= 0.995
        assert (entry["engine"], entry["volumes"]) == ("openvino", 1)
        assert entry["networks"] == {"0": f"fold_0.{precision}.xml", "1": f"fold_1.{precision}.xml"}
        assert {*entry["networks"].values(), f"fold_1.{precision}.bin"} <= set(after["files"])
        table = rows_of(precision, rows)
        assert entry["recipe"].endswith(table[-1].split("  ")[-1].strip())  # it stopped at the one that it took
        assert all(float(row.split()[1]) < 0.99 or float(row.split()[2]) < 99.5 for row in table[:-1])
        model = openvino.Core().read_model(bundle / f"fold_1.{precision}.xml")
        assert any("int8" in str(op.get_element_type()) for op in model.get_ops())
        assert f"the rest in {'bfloat16' if 'bf16' in precision else 'fp32'};" in entry["recipe"]


@needs_int8
def test_int8_that_never_passes_is_recorded_with_the_best_that_was_tried(
    models, volumes, tmp_path, monkeypatch, capsys
):
    measured = []
    errors = int8_search._errors
    monkeypatch.setattr(int8_search, "_errors", lambda *given: measured.append(None) or errors(*given))
    noise = np.random.default_rng(0).normal(0, 2, (16, 16, 16)).astype(np.float32)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(noise), str(tmp_path / "noise.nii.gz"))
    gate = ["--gate-volume", str(tmp_path / "noise.nii.gz"), "--gate-dice", "1", "--gate-equal", "1"]
    assert precisions(models, "--int8", "--calibration", volumes[0], *gate) == 0
    rows = capsys.readouterr().out.splitlines()
    after = manifest_of(models / "blocks" / "2")
    assert [entry["precision"] for entry in after["precisions"]] == searched()
    for entry in after["precisions"]:
        assert (entry["passed"], entry["networks"]) == (False, {})
        tried = [float(row.split()[1]) for row in rows_of(entry["precision"], rows)]
        assert len(tried) > 2 and entry["dice"] == pytest.approx(max(tried), abs=1e-4)
    assert len(measured) == 1  # for both searches
    figures = {tuple(rows_of(precision, rows)[0].split()[1:3]) for precision in searched()}
    assert len(figures) == len(searched())  # the rest of int8_bf16 ran in bfloat16
    assert after["files"] == manifest_of(models / "blocks" / "1")["files"]


def test_each_precision_is_searched_for_until_it_has_passed():
    recipes = (int8_search.Recipe((), words) for words in "abcd")
    tried = []

    def passes(precision, recipe):
        tried.append(f"{precision} {recipe.words}")
        return tried[-1] in ("int8_bf16 a", "int8 c")

    int8_search.run(recipes, ["int8", "int8_bf16"], passes)
    assert tried == ["int8 a", "int8_bf16 a", "int8 b", "int8 c"]
    assert next(recipes).words == "d"  # nothing is prepared for a search that is over


@needs_int8
def test_without_bf16_only_int8_is_searched_for(models, volumes, monkeypatch, capsys):
    monkeypatch.setattr(cpu, "has_bf16", lambda: False)
    assert precisions(models, "--int8", "--calibration", *volumes) == 0
    assert "int8_bf16: not judged, this processor has neither" in capsys.readouterr().out
    assert [entry["precision"] for entry in manifest_of(models / "blocks" / "2")["precisions"]] == ["int8"]


@needs_bf16
def test_the_log_says_so_where_nothing_is_gained(models, volumes, monkeypatch, capsys):
    for time, said in ((0.5, False), (1.2, True)):
        monkeypatch.setattr(pass_time, "relative", lambda *networks, time=time: time)
        assert precisions(models, "--bf16", "--gate-volume", volumes[0]) == 0
        assert ("nothing is gained on this processor" in capsys.readouterr().out) == said
    assert manifest_of(models / "blocks" / "3")["precisions"][0]["passed"]


@needs_int8
def test_quantisation_splits_concatenations_and_leaves_normalisation_alone(repository):
    bundle = repository / "blocks" / "1"
    tiles = [torch.randn(1, 1, 16, 16, 16, generator=torch.Generator().manual_seed(seed)) for seed in range(2)]
    original = openvino_ir.convert(bundle / "fold_0.pt", tiles[0])
    quantised = quantisation.quantise(original, tiles)
    layers = quantisation.layers(quantised)
    assert len(layers) == 6  # 2 of the encoder, the transposed one, 2 for the parts of the decoder's, the head
    assert sum(name.endswith(("/0", "/1")) for name in layers) == 2
    assert list(layers.values())[0] == 27 * 4 * 16**3
    for op in quantised.get_ops():
        if op.get_type_name() == "MVN":
            assert op.input(0).get_source_output().get_node().get_type_name() != "FakeQuantize"
    exact = openvino_ir.Runner(original)(tiles[0])
    nothing = openvino_ir.Runner(quantisation.leaving_out(quantised, layers))(tiles[0])
    assert float((nothing - exact).abs().max()) < 1e-4 * float(exact.max() - exact.min())
    everything = openvino_ir.Runner(quantisation.compressed(quantised.clone()))(tiles[0])
    assert not torch.allclose(everything, exact, atol=1e-3)


def test_int8_without_nncf_says_how_to_install_it(models, volumes, monkeypatch, capsys):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(quantisation.importlib.metadata, "version", missing)
    assert precisions(models, "--int8", "--calibration", *volumes) == 1
    assert "--int8: needs NNCF: run deploy/export/setup --int8" in capsys.readouterr().err


def test_the_last_quarter_of_the_calibration_volumes_is_held_out():
    parser = argparse.ArgumentParser()
    precision_request.add_arguments(parser)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{index}.nii.gz" for index in range(9)]
        for file in files:
            file.touch()
        for count, kept in ((2, 1), (4, 3), (9, 7)):
            request = precision_request.from_options(
                parser.parse_args(["--int8", "--calibration", *map(str, files[:count])])
            )
            assert request.calibration == tuple((file,) for file in files[:kept])
            assert request.held_out == tuple((file,) for file in files[kept:count])


def test_a_cascade_is_judged_on_its_previous_stages_labels(plans, dataset, volumes, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cpu, "has_bf16", lambda: True)
    plans["configurations"]["3d_lowres"] = {"inherits_from": "3d_fullres"}
    low = write_model(tmp_path / "low", plans, dataset, "3d_lowres", ("0",))
    high = write_model(tmp_path / "high", plans, dataset, "3d_cascade_fullres", ("0",))
    output = ["--output", str(tmp_path / "repository")]
    gate = ["--bf16", "--gate-volume", volumes[0], "--gate-dice", "0", "--gate-equal", "0"]
    assert main([str(low), "--name", "low", *output]) == 0
    assert main([str(high), "--name", "high", "--previous-stage", "low", *output, *gate]) == 0
    entry = manifest_of(tmp_path / "repository" / "high" / "1")["precisions"][0]
    assert entry["passed"] and entry["equal_fraction"] > 0.5
    assert main([str(high), "--name", "alone", *output, *gate]) == 1
    assert "is a cascade whose bundle names no previous stage" in capsys.readouterr().err


def test_nothing_is_recorded_where_the_processor_lacks_bf16(models, volumes, monkeypatch, capsys):
    monkeypatch.setattr(cpu, "has_bf16", lambda: False)
    assert precisions(models, "--bf16", "--gate-volume", volumes[0]) == 0
    assert "bf16: not judged, this processor has neither" in capsys.readouterr().out
    assert "precisions" not in manifest_of(models / "blocks" / "2")


def test_an_export_judges_in_the_same_run(repository, volumes, tmp_path, monkeypatch):
    monkeypatch.setattr(cpu, "has_bf16", lambda: True)  # OpenVINO converts where the processor cannot multiply
    folder = repository.parent / "results" / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    options = ["--folds", "0", "--bf16", "--gate-volume", volumes[0]]
    assert main([str(folder), "--name", "x", "--output", str(tmp_path), *options]) == 0
    assert manifest_of(tmp_path / "x" / "1")["precisions"][0]["networks"] == {"0": "fold_0.bf16.xml"}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--bf16"], "--bf16: needs at least one --gate-volume"),
        (["--int8", "--calibration", "VOLUME"], "--int8: got 1 --calibration volumes, expected at least two"),
        (["--int8", "--gate-volume", "VOLUME"], "--int8: got 0 --calibration volumes"),
        (["--int8", "--calibration", "VOLUME", "--gate-volume", "VOLUME"], "is to calibrate and to judge on"),
        (["--bf16", "--calibration", "VOLUME"], "--calibration: only --int8 is calibrated"),
        (["--bf16", "--gate-volume", "gone.nii.gz"], "gone.nii.gz: is not a file"),
        (["--bf16", "--gate-volume", "VOLUME,VOLUME"], "has 2 channels, expected 1"),
        (["--bf16", "--gate-volume", __file__], "test_precisions.py: cannot be read"),
    ],
)
def test_what_cannot_be_judged_on_is_refused(models, volumes, capsys, options, text):
    assert precisions(models, *[option.replace("VOLUME", volumes[0]) for option in options]) == 1
    assert text in capsys.readouterr().err
    assert [path.name for path in (models / "blocks").iterdir()] == ["1"]


def test_a_changed_bundle_gets_no_new_version(models, volumes, capsys):
    (models / "blocks" / "1" / "fold_0.bin").write_bytes(b"")
    assert precisions(models, "--bf16", "--gate-volume", volumes[0]) == 1
    assert "blocks:1: files have changed" in capsys.readouterr().err

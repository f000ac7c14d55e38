"""Ensembles and cascades name other bundles of the repository, which must fit."""

import copy
import json

import pytest
from conftest import DATASET, PLANS, write_model

from nnseg_export.cli import main

RULES = {
    "postprocessing_fns": ["remove_all_but_largest_component_from_segmentation"],
    "postprocessing_kwargs": [{"labels_or_regions": [1, 2], "background_label": 0}],
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Bundles a, b (alike), c (another label) and lowres."""
    root = tmp_path_factory.mktemp("ensemble")
    other = copy.deepcopy(DATASET)
    other["labels"]["c"] = 3
    plans = copy.deepcopy(PLANS)
    plans["configurations"]["3d_lowres"] = {"inherits_from": "3d_fullres"}
    models = {
        "a": (DATASET, "3d_fullres"), "b": (DATASET, "3d_fullres"), "c": (other, "3d_fullres"),
        "lowres": (DATASET, "3d_lowres"), "lowres-c": (other, "3d_lowres"),
    }  # fmt: skip
    for name, (dataset, configuration) in models.items():
        folder = write_model(root / name, plans, dataset, configuration, folds=("0",))
        assert main([str(folder), "--name", name, "--output", str(root / "repository"), "--skip-openvino"]) == 0
    write_model(root / "cascade", plans, DATASET, "3d_cascade_fullres", folds=("0",))
    return root / "repository"


def ensemble(repository, name, *members, rules=None):
    options = ["--postprocessing", str(rules)] if rules else []
    return main(["ensemble", "--members", *members, "--name", name, "--output", str(repository), *options])


def manifest_of(repository, name):
    return json.loads((repository / name / "1" / "manifest.json").read_text())


def test_ensemble_names_its_members_and_holds_no_networks(repository, tmp_path, capsys):
    rules = tmp_path / "postprocessing.json"
    rules.write_text(json.dumps(RULES))
    assert ensemble(repository, "both", "a", "b:1", rules=rules) == 0
    manifest = manifest_of(repository, "both")
    assert manifest["kind"] == "ensemble"
    assert manifest["members"] == [{"name": "a", "version": 1}, {"name": "b", "version": 1}]
    assert set(manifest["files"]) == {"dataset.json", "postprocessing.json"}
    assert manifest["labels"] == manifest_of(repository, "a")["labels"]
    assert main(["inspect", str(repository / "both" / "1")]) == 0
    text = capsys.readouterr().out
    assert "a:1, b:1" in text and "keep the largest component of 1, 2" in text


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (("a",), "got 1, expected at least 2"),
        (("a", "a:1"), "names a bundle twice"),
        (("a", "c"), "c:1: labels is"),
        (("a", "none"), "holds no such bundle"),
        (("a", "b:7"), "versions of 'b': 1"),
    ],
)
def test_ensemble_of_what_does_not_fit_is_refused(members, text, repository, capsys):
    assert ensemble(repository, "refused", *members) == 1
    assert text in capsys.readouterr().err
    assert not (repository / "refused").exists()


def cascade(repository, name, *options):
    folder = repository.parent / "cascade" / "nnUNetTrainer__nnUNetPlans__3d_cascade_fullres"
    return main([str(folder), "--name", name, "--output", str(repository), "--skip-openvino", *options])


def test_cascade_names_its_previous_stage(repository):
    assert cascade(repository, "cascade", "--previous-stage", "lowres") == 0
    manifest = manifest_of(repository, "cascade")
    assert manifest["previous_stage"] == {"name": "lowres", "version": 1}
    assert manifest["network_input_channels"] == 3


def test_cascade_without_a_previous_stage_leaves_its_labels_to_the_request(repository):
    assert cascade(repository, "open-cascade") == 0
    assert "previous_stage" not in manifest_of(repository, "open-cascade")


@pytest.mark.parametrize(
    ("stage", "text"),
    [("a", "configuration is 3d_fullres, expected 3d_lowres"), ("lowres-c", "labels is"), ("none", "holds no such")],
)
def test_previous_stage_that_does_not_fit_is_refused(stage, text, repository, capsys):
    assert cascade(repository, "refused", "--previous-stage", stage) == 1
    assert text in capsys.readouterr().err


def test_previous_stage_of_no_cascade_is_refused(repository, capsys):
    folder = repository.parent / "a" / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    arguments = [str(folder), "--name", "refused", "--output", str(repository), "--previous-stage", "lowres"]
    assert main(arguments) == 1
    assert "is no cascade" in capsys.readouterr().err

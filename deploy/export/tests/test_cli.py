"""The command line: inspect, help and wrong usage."""

import shutil

import pytest

from nnseg_export.cli import main


def test_inspect_prints_what_is_in_the_bundle(exported, capsys):
    _, bundle = exported
    assert main(["inspect", str(bundle)]) == 0
    text = capsys.readouterr().out
    for part in (
        "tiny version 1", "Dataset900_Tiny / nnUNetTrainer / nnUNetPlans / 3d_fullres", "0 background, 1 a, 2 b",
        "patch 16 x 16 x 16", "mirroring axes [0, 2]", "not for clinical use", "CC0-1.0", "fold_1.xml",
    ):  # fmt: skip
        assert part in text
    assert "CHANGED" not in text and "MISSING" not in text


def test_inspect_tells_changed_and_missing_files(exported, tmp_path, capsys):
    bundle = tmp_path / "1"
    shutil.copytree(exported[1], bundle)
    plans = (bundle / "plans.json").read_text()
    (bundle / "plans.json").write_text(plans.replace("16", "32"))  # of the same size
    (bundle / "fold_0.bin").unlink()
    assert main(["inspect", str(bundle)]) == 1
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.endswith(("ED", "NG"))}
    assert set(lines) == {"plans.json", "fold_0.bin"}
    assert lines["plans.json"].endswith("CHANGED") and lines["fold_0.bin"].endswith("MISSING")


@pytest.mark.parametrize(
    ("content", "text"),
    [(None, "file is missing"), ("{", "is not valid JSON"), ("{}", "is missing or malformed"), ("[]", "malformed")],
)
def test_inspect_refuses_what_is_no_bundle(tmp_path, capsys, content, text):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    assert main(["inspect", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "manifest.json" in error and text in error


def test_help_says_that_checkpoints_are_pickles(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert "pickles" in text and "people you trust" in text


@pytest.mark.parametrize(
    "options",
    [["--folds", "0,x"], ["--folds", "0,0"], ["--version", "0"], ["--tolerance", "2"], ["--tolerance", "nan"]],
)
def test_wrong_options_are_usage_errors(tmp_path, options):
    with pytest.raises(SystemExit) as end:
        main([str(tmp_path), "--name", "x", "--output", str(tmp_path), *options])
    assert end.value.code == 2


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 129])
def test_names_that_are_no_plain_folder_name_are_refused(model_folder, tmp_path, capsys, name):
    assert main([str(model_folder), "--name", name, "--output", str(tmp_path / "repository")]) == 1
    assert "--name" in capsys.readouterr().err


def test_a_configuration_is_chosen_only_in_a_zip(model_folder, tmp_path, capsys):
    arguments = [str(model_folder), "--name", "x", "--output", str(tmp_path), "--configuration", "2d"]
    assert main(arguments) == 1
    assert "--configuration chooses inside a zip" in capsys.readouterr().err


def test_a_missing_model_folder_is_named(tmp_path, capsys):
    assert main([str(tmp_path / "gone"), "--name", "x", "--output", str(tmp_path)]) == 1
    assert "gone: is not a folder" in capsys.readouterr().err

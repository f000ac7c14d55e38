"""Zips by nnU-Net's exporter work; zips that reach outside their folder do not."""

import stat
import zipfile

import pytest

from nnseg_export import ExportError, archive
from nnseg_export.cli import main


def write_zip(path, names, link=None):
    with zipfile.ZipFile(path, "w") as content:
        for name in names:
            content.writestr(name, b"{}")
        if link:
            member = zipfile.ZipInfo(link)
            member.external_attr = (stat.S_IFLNK | 0o777) << 16
            content.writestr(member, "/etc/passwd")
    return path


def test_a_zip_written_by_nnunet_exports(model_folder, tmp_path, monkeypatch):
    results = tmp_path / "nnunet_results"
    dataset = results / "Dataset900_Tiny"
    dataset.mkdir(parents=True)
    model = model_folder.rename(dataset / model_folder.name)
    (model / "dataset_fingerprint.json").write_text("{}")
    for fold in ("fold_0", "fold_1"):
        (model / fold / "validation").mkdir()
        (model / fold / "validation" / "summary.json").write_text("{}")
        (model / fold / "progress.png").write_bytes(b"")
    monkeypatch.setenv("nnUNet_results", str(results))
    from nnunetv2.model_sharing import model_export

    zipped = tmp_path / "model.zip"
    model_export.export_pretrained_model("Dataset900_Tiny", str(zipped), ("3d_fullres",), folds=(0, 1))
    arguments = [str(zipped), "--name", "tiny", "--output", str(tmp_path / "repository"), "--skip-openvino"]
    assert main(arguments) == 0
    assert (tmp_path / "repository" / "tiny" / "1" / "fold_1.pt").is_file()


@pytest.mark.parametrize("name", ["/plans.json", "../plans.json", "a/../../plans.json", "C:/plans.json", "a\\..\\b.json"])
def test_names_that_leave_the_folder_are_refused(tmp_path, name):
    zipped = write_zip(tmp_path / "model.zip", ["a/plans.json", name])
    with pytest.raises(ExportError, match="leaves the target folder"):
        archive.unpack(zipped, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_links_are_refused(tmp_path):
    zipped = write_zip(tmp_path / "model.zip", ["a/plans.json"], link="a/dataset.json")
    with pytest.raises(ExportError, match="'a/dataset.json' is a link or device"):
        archive.unpack(zipped, tmp_path / "out")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_occurs_twice_is_refused(tmp_path):
    zipped = write_zip(tmp_path / "model.zip", ["a/plans.json", "a/plans.json"])
    with pytest.raises(ExportError, match="occurs twice"):
        archive.unpack(zipped, tmp_path / "out")


def test_a_zip_that_unpacks_to_too_much_is_refused(tmp_path):
    zipped = tmp_path / "model.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as content:
        content.writestr("a/plans.json", b" " * 5000)
    with pytest.raises(ExportError, match="unpacks to 5000 bytes, at most 4999"):
        archive.unpack(zipped, tmp_path / "out", max_bytes=4999)


def test_only_json_and_checkpoints_are_unpacked(tmp_path):
    zipped = write_zip(tmp_path / "model.zip", ["a/plans.json", "a/fold_0/checkpoint_final.pth", "a/run.py", "a/p.pkl"])
    archive.unpack(zipped, tmp_path / "out")
    found = sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert found == ["checkpoint_final.pth", "plans.json"]


def test_a_file_that_is_no_zip_is_refused(tmp_path, capsys):
    (tmp_path / "model.zip").write_bytes(b"no zip")
    assert main([str(tmp_path / "model.zip"), "--name", "x", "--output", str(tmp_path)]) == 1
    assert "model.zip: cannot be unpacked" in capsys.readouterr().err


def test_one_of_several_configurations_is_chosen_by_name(tmp_path):
    for name in ("T__P__2d", "T__P__3d_fullres"):
        (tmp_path / "D" / name / "fold_0").mkdir(parents=True)
        (tmp_path / "D" / name / "plans.json").touch()
    assert archive.find_model_folder(tmp_path, "2d").name == "T__P__2d"
    with pytest.raises(ExportError, match="found: D/T__P__2d, D/T__P__3d_fullres; --configuration chooses"):
        archive.find_model_folder(tmp_path, None)

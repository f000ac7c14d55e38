"""Networks that nnseg-network runs, as the server does, are judged beside those that OpenVINO runs."""

import contextlib
from pathlib import Path

import numpy as np
import openvino
import pytest
import torch
from trained_bundle import manifest_of, needs_bf16, precisions

from nnseg_export import ExportError, openvino_ir, pass_time
from nnseg_export.network_program import ProgramRunner

NETWORK_PROGRAM = Path(__file__).resolve().parents[3] / "build" / "release" / "bin" / "nnseg-network"


@pytest.fixture
def with_program():
    if not NETWORK_PROGRAM.exists():
        pytest.skip("nnseg-network is not built (deploy/build.sh release nnseg-network)")
    return ["--bf16", "--network-program", str(NETWORK_PROGRAM)]


def has_mark(path):
    return openvino.Core().read_model(path).has_rt_info(["nnseg", "convolutions"])


@needs_bf16
@pytest.mark.parametrize("own_time", [0.4, 0.6])
def test_bf16_takes_the_faster_of_openvinos_and_our_convolutions(models, volumes, monkeypatch, with_program, own_time):
    monkeypatch.setattr(
        pass_time, "relative", lambda network, *_: own_time if isinstance(network, ProgramRunner) else 0.5
    )
    assert precisions(models, *with_program, "--gate-volume", volumes[0]) == 0
    bundle = models / "blocks" / "2"
    after = manifest_of(bundle)
    entry = after["precisions"][0]
    name = "bf16_nnseg" if own_time < 0.5 else "bf16"
    assert entry["networks"] == {fold: f"fold_{fold}.{name}.xml" for fold in ("0", "1")}
    assert entry["passed"] and entry["precision"] == "bf16" and entry["relative_time"] == min(own_time, 0.5)
    assert ("nnseg's convolutions" in entry["recipe"]) == (own_time < 0.5)
    assert {path.name for path in bundle.glob("fold_*bf16*.xml")} == set(entry["networks"].values())
    assert all(has_mark(bundle / file) == (own_time < 0.5) for file in entry["networks"].values())


@needs_bf16
def test_the_program_runs_marked_networks_with_our_convolutions(repository, tmp_path, with_program):
    script = repository / "blocks" / "1" / "fold_0.pt"
    tile = torch.from_numpy(np.random.default_rng(0).normal(0, 1, (1, 1, 16, 16, 16)).astype(np.float32))
    plain, marked = tmp_path / "plain.xml", tmp_path / "marked.xml"
    openvino_ir.save_lower(openvino_ir.convert(script, tile), plain)
    openvino_ir.save_lower(openvino_ir.mark_for_our_convolutions(openvino_ir.convert(script, tile)), marked)
    exact = openvino_ir.Runner(plain)(tile)
    logits = {}
    for file in (plain, marked):
        with contextlib.closing(ProgramRunner(NETWORK_PROGRAM, file, "bf16", tile, exact.shape[1])) as network:
            logits[file] = network(tile)
            assert torch.equal(network(tile), logits[file])
    for got in logits.values():
        assert 0 < (got - exact).abs().max() < 0.05 * (exact.max() - exact.min())
    assert not torch.equal(logits[plain], logits[marked])
    with pytest.raises(ExportError, match="by nnseg-network only"):
        openvino_ir.Runner(marked, "bf16")
    assert torch.allclose(logits[plain], openvino_ir.Runner(plain, "bf16")(tile), atol=0.02)


@needs_bf16
def test_a_network_that_the_program_cannot_load_is_refused(tmp_path, with_program):
    file = tmp_path / "fold_0.bf16.xml"
    file.write_text("no network")
    tile = torch.zeros((1, 1, 16, 16, 16))
    with contextlib.closing(ProgramRunner(NETWORK_PROGRAM, file, "bf16", tile, 3)) as network:
        with pytest.raises(ExportError, match=r"fold_0\.bf16\.xml: .*nnseg-network"):
            network(tile)


def test_the_network_program_must_be_one(models, volumes, tmp_path, capsys):
    options = ["--bf16", "--gate-volume", volumes[0], "--network-program", str(tmp_path / "none")]
    assert precisions(models, *options) == 1
    assert "none: is no program; expected nnseg-network" in capsys.readouterr().err

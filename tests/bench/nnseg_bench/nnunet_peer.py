"""nnU-Net in Python, from a bundle's own plans and weights: a resident predictor, and its command line.

The exporter has compared the weights of a bundle with the checkpoint's bit for bit, so no other files are needed.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from nnseg_bench.processes import peer

_WORKER = Path(__file__).with_name("nnunet_worker.py")


def environment(threads: int) -> dict[str, str]:
    """nnU-Net's own variables beside those of the libraries below it."""
    counts = dict.fromkeys(("nnUNet_def_n_proc", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    return {**os.environ, **counts}


@contextmanager
def resident_predictor(bundle: Path, image: Path, folds: list[str], threads: int, log: Path):
    """A process that holds a warm nnUNetPredictor and the image; see nnunet_worker.py for what it answers."""
    command = [sys.executable, _WORKER, bundle, image, "--folds", *folds, "--threads", str(threads)]
    with peer(command, environment(threads), log) as process:
        yield process


class CommandLine:
    """nnUNetv2_predict on a model folder that is made from a bundle below `scratch`."""

    def __init__(self, bundle: Path, image: Path, scratch: Path):
        manifest = json.loads((bundle / "manifest.json").read_bytes())
        plans = json.loads((bundle / "plans.json").read_bytes())
        self._model = manifest["model"]
        self._dataset = plans["dataset_name"]
        self._plans = plans["plans_name"]
        self._results = scratch / "results"
        self._inputs = scratch / "inputs"
        self._outputs = scratch / "outputs"
        folder = self._results / self._dataset
        folder /= f"{self._model['trainer']}__{self._plans}__{self._model['configuration']}"
        _write_model_folder(bundle, manifest, folder)
        self._inputs.mkdir(parents=True)
        shutil.copyfile(image, self._inputs / "case_0000.nii.gz")

    def run(self, fold: str, threads: int, log: Path) -> float:
        """Seconds of one call without mirroring, from the start of the process to its end."""
        shutil.rmtree(self._outputs, ignore_errors=True)
        command = [Path(sys.executable).with_name("nnUNetv2_predict"), "-i", self._inputs, "-o", self._outputs]
        command += ["-d", self._dataset, "-p", self._plans, "-tr", self._model["trainer"], "-c", self._model["configuration"]]
        command += ["-f", fold, "--disable_tta", "-device", "cpu", "-npp", "1", "-nps", "1"]
        folders = {"nnUNet_results": str(self._results), "nnUNet_raw": "unused", "nnUNet_preprocessed": "unused"}
        start = time.perf_counter()
        with log.open("a") as output:
            subprocess.run(
                list(map(str, command)), check=True, env={**environment(threads), **folders}, stdout=output, stderr=output
            )
        return time.perf_counter() - start


def _write_model_folder(bundle: Path, manifest: dict, folder: Path) -> None:
    import torch

    folder.mkdir(parents=True)
    for name in ("plans.json", "dataset.json"):
        shutil.copyfile(bundle / name, folder / name)
    for fold in manifest["folds"]:
        weights = torch.jit.load(str(bundle / f"fold_{fold}.pt"), map_location="cpu").state_dict()
        (folder / f"fold_{fold}").mkdir()
        torch.save(
            {
                "network_weights": weights,
                "trainer_name": manifest["model"]["trainer"],
                "init_args": {"configuration": manifest["model"]["configuration"]},
                "inference_allowed_mirroring_axes": tuple(manifest["mirroring_axes"]) or None,
            },
            folder / f"fold_{fold}" / "checkpoint_final.pth",
        )

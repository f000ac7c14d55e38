"""A folder of parity cases: model bundles, images, and what nnU-Net makes of them, for the C++ runner.

    models/<name>/1/          model bundles made by nnseg-export
    cases/<case>.image.npy    (C, reader axes); .previous.npy, .labels.npy and .probabilities.npy likewise
    cases/<case>.<stage>.bin  the voxels of a stage's array, C order; only when stages are kept
    index.json                the cases, their options, and the SHA-256 of every stage's array
"""

import hashlib
import importlib.metadata
import json
import platform
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from nnunet_run import Options, Result, predict
from toy_model import CHECKPOINT, Ensemble, Model, postprocessing_json, write_model_folder

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "deploy" / "export"))
from nnseg_export import bundle, ensemble, manifest, repository  # noqa: E402
from nnseg_export.model_folder import open_model_folder  # noqa: E402

_PACKAGES = ("nnunetv2", "torch", "numpy", "scipy", "scikit-image", "acvl_utils", "batchgenerators")
_DESCRIPTION = manifest.Description("Tests only, not for clinical use: random weights.", "", "made by a test")


@dataclass(frozen=True)
class Case:
    """One image for one model."""

    name: str
    model: Model | Ensemble
    image: np.ndarray  # (C, reader axes)
    spacing: tuple[float, float, float]  # reader axes
    options: Options = field(default_factory=Options)
    previous_labels: np.ndarray | None = None  # reader axes; None: the previous stage makes them
    row: int | None = None  # of the parity table


class CaseFolder:
    """Writes cases below `root`; model folders go to `scratch` and are not kept."""

    def __init__(self, root: Path, scratch: Path, keep_stages: bool):
        self.root, self.scratch, self.keep_stages = root, scratch, keep_stages
        self.entries: list[dict] = []
        self.folders: dict[str, Path] = {}
        (root / "cases").mkdir(parents=True)

    def add(self, case: Case) -> Result:
        """Runs nnU-Net on the case, exports its model unless that was done, and writes both."""
        self._export(case.model)
        image = case.image.astype(np.float32)
        result = predict(case.model, self.folders, image, case.spacing, case.options, case.previous_labels)
        stored = _as_stored(case.image)
        entry = {
            "name": case.name,
            "row": case.row,
            "model": case.model.name,
            "spacing": list(case.spacing),
            "options": {**asdict(case.options), "folds": [str(fold) for fold in case.options.folds or ()]},
            "image": self._write(case.name, "image", stored),
            "image_type": str(stored.dtype),
            "labels": self._write(case.name, "labels", result.labels.astype(np.uint16)),
            "labels_type": str(result.labels.dtype),
            "previous_labels": None,
            "probabilities": None,
            "stages": [],
        }
        if case.previous_labels is not None:
            entry["previous_labels"] = self._write(case.name, "previous", case.previous_labels.astype(np.uint16))
        if result.probabilities is not None:
            entry["probabilities"] = self._write(case.name, "probabilities", result.probabilities)
        for number, stage in enumerate(result.stages):
            entry["stages"].append({
                "model": stage.model,
                "preprocessed": self._stage(case.name, f"{number}.preprocessed", stage.preprocessed),
                "logits": self._stage(case.name, f"{number}.logits", stage.logits),
            })  # fmt: skip
        self.entries.append(entry)
        return result

    def finish(self, **more_lists: list[dict]) -> None:
        """Writes the index; `more_lists` are cases of other kinds, which need no network."""
        index = {"environment": environment(), "cases": self.entries, **more_lists}
        (self.root / "index.json").write_text(json.dumps(index, indent=1) + "\n")

    def _export(self, model: Model | Ensemble) -> None:
        target = repository.Target(self.root / "models", model.name, 1)
        if (target.repository / model.name).exists():
            return
        if isinstance(model, Ensemble):
            for member in model.members:
                self._export(member)
            rules = postprocessing_json(model.postprocessing) if model.postprocessing else None
            ensemble.export([member.name for member in model.members], target, _DESCRIPTION, rules)
            return
        previous = None
        if model.previous_stage is not None:
            self._export(model.previous_stage)
            previous = model.previous_stage.name
        folder = self.folders[model.name] = write_model_folder(model, self.scratch)
        bundle.export(
            open_model_folder(folder, None, CHECKPOINT), target, _DESCRIPTION, previous_stage=previous, with_openvino=False,
            log=lambda _: None,
        )  # fmt: skip

    def _write(self, case: str, what: str, array: np.ndarray) -> str:
        path = Path("cases") / f"{case}.{what}.npy"
        np.save(self.root / path, np.ascontiguousarray(array))
        return str(path)

    def _stage(self, case: str, what: str, array: np.ndarray) -> dict:
        content = np.ascontiguousarray(array)
        entry = {"shape": list(array.shape), "sha256": hashlib.sha256(content.tobytes()).hexdigest()}
        if self.keep_stages:
            entry["file"] = f"cases/{case}.{what}.bin"
            (self.root / entry["file"]).write_bytes(content.tobytes())
        return entry


def _as_stored(image: np.ndarray) -> np.ndarray:
    small = image.astype(np.uint8)
    return small if np.array_equal(small, image) else image.astype(np.float32)


def environment() -> dict:
    """Versions and machine: bits of the network's output depend on them."""
    cpu = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    versions = {package: importlib.metadata.version(package) for package in _PACKAGES}
    return {
        **versions, "python": platform.python_version(), "cpu": cpu, "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }  # fmt: skip

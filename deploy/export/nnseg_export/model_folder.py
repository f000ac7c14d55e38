"""Reads and checks what a trained nnU-Net v2 model folder holds besides its weights.

A model folder is `<trainer>__<plans>__<configuration>` with plans.json, dataset.json and one folder `fold_<k>` per
fold (nnU-Net 2.8.1, nnUNetPredictor.initialize_from_trained_model_folder).
"""

import json
from dataclasses import dataclass
from pathlib import Path

from nnseg_export import ExportError
from nnseg_export import plans_check, postprocessing

DEFAULT_CHECKPOINT = "checkpoint_final.pth"
FIND_RULES = "find"
NO_RULES = "none"


@dataclass(frozen=True)
class ModelFolder:
    """A model folder whose metadata was read and found consistent."""

    path: Path
    plans: dict
    dataset: dict
    folds: tuple[str, ...]  # in order of averaging; "0", "1", ... or "all"
    checkpoint: str  # file name inside each fold folder
    postprocessing: dict | None  # its rules, when the model has any

    def checkpoint_path(self, fold: str) -> Path:
        return self.path / f"fold_{fold}" / self.checkpoint


def open_model_folder(
    path: Path, folds: tuple[str, ...] | None, checkpoint: str, rules: str = FIND_RULES
) -> ModelFolder:
    """Reads a model folder. `folds` None takes every fold that has the checkpoint, as nnU-Net does.

    `rules` is the file with the post-processing rules, NO_RULES, or FIND_RULES: where nnU-Net and its users put it,
    beside plans.json or in the cross-validation folder of the folds.
    """
    if not path.is_dir():
        raise ExportError(f"{path}: is not a folder; expected an nnU-Net model folder or a zip of one")
    plans = _read_json(path / "plans.json")
    dataset = _read_json(path / "dataset.json")
    plans_check.check_plans(plans)
    plans_check.check_dataset(dataset)
    plans_check.check_channels(plans, dataset)
    folds = folds or _detect_folds(path, checkpoint)
    model = ModelFolder(path, plans, dataset, folds, checkpoint, _read_rules(path, folds, rules))
    for fold in folds:
        if not model.checkpoint_path(fold).is_file():
            raise ExportError(f"fold_{fold}/{checkpoint}: file is missing in {path}")
    return model


def _read_json(path: Path) -> dict:
    if not path.is_file():
        raise ExportError(f"{path.name}: file is missing in {path.parent}")
    try:
        value = json.loads(path.read_bytes())
    except ValueError as error:
        raise ExportError(f"{path.name}: is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise ExportError(f"{path.name}: expected a JSON object, got {type(value).__name__}")
    return value


def _detect_folds(path: Path, checkpoint: str) -> tuple[str, ...]:
    found = sorted(p.parent.name.removeprefix("fold_") for p in path.glob(f"fold_*/{checkpoint}"))
    numbered = tuple(fold for fold in found if fold != "all")
    if not found:
        raise ExportError(f"fold_*/{checkpoint}: no fold of {path} has this checkpoint")
    return numbered or tuple(found)


def _read_rules(path: Path, folds: tuple[str, ...], rules: str) -> dict | None:
    if rules == NO_RULES:
        return None
    if rules != FIND_RULES:
        return postprocessing.read(Path(rules))
    found = postprocessing.find((path, path / f"crossval_results_folds_{'_'.join(folds)}"))
    return postprocessing.read(found) if found else None

"""Runs nnU-Net 2.8.1 itself on an array and keeps what its stages held."""

import contextlib
import io
import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from toy_model import Ensemble, Model  # first: sets nnU-Net's environment

from nnunetv2.ensembling.ensemble import average_probabilities
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.postprocessing.remove_connected_components import (
    apply_postprocessing,
    remove_all_but_largest_component_from_segmentation,
)


@dataclass(frozen=True)
class Options:
    """nnU-Net's predictor options, and what is asked for."""

    folds: tuple[int, ...] | None = None  # None: all
    step_size: float = 0.5
    gaussian: bool = True
    mirroring: bool = True
    postprocessing: bool = True
    probabilities: bool = False


@dataclass
class Stage:
    """What one model's networks saw and gave."""

    model: str
    preprocessed: np.ndarray  # (C, internal axes) f32
    logits: np.ndarray  # (K, internal axes) f16


@dataclass
class Result:
    labels: np.ndarray  # reader axes
    probabilities: np.ndarray | None = None  # (K, reader axes) f32
    stages: list[Stage] = field(default_factory=list)


class RecordingPredictor(nnUNetPredictor):
    """nnU-Net's predictor, with the arrays before and after the sliding window kept."""

    def predict_logits_from_preprocessed_data(self, data: torch.Tensor) -> torch.Tensor:
        self.preprocessed = data.numpy().copy()
        logits = super().predict_logits_from_preprocessed_data(data)
        self.logits = logits.cpu().numpy().copy()
        return logits


def predict(
    model: Model | Ensemble, folders: dict[str, Path], image: np.ndarray, spacing: tuple[float, ...], options: Options,
    previous_labels: np.ndarray | None = None,
) -> Result:  # fmt: skip
    """`image` is (C, reader axes), `spacing` in the reader's axes; `folders` has the model folder of each model's name."""
    if isinstance(model, Ensemble):
        result = _predict_ensemble(model, folders, image, spacing, options, previous_labels)
    else:
        result = _predict_model(model, folders, image, spacing, options, previous_labels)
    if options.postprocessing and model.postprocessing:
        result.labels = postprocess(result.labels, model.postprocessing)
    return result


def postprocess(labels: np.ndarray, steps: list[dict]) -> np.ndarray:
    """nnU-Net's post-processing; `steps` as in postprocessing.json."""
    steps = [_restore_tuples(step) for step in steps]
    functions = [remove_all_but_largest_component_from_segmentation] * len(steps)
    return apply_postprocessing(labels, functions, steps)


def _restore_tuples(step: dict) -> dict:
    """JSON has no tuples; a region inside a list is one in nnU-Net's pickle."""
    which = step["labels_or_regions"]
    if isinstance(which, list):
        which = [tuple(item) if isinstance(item, list) else item for item in which]
    return {**step, "labels_or_regions": which}


def _predict_model(model, folders, image, spacing, options, previous_labels) -> Result:
    stages = []
    if model.previous_stage is None:
        previous_labels = None
    elif previous_labels is None:
        # The lower stage's exported label map: without post-processing, whatever the caller asked of the higher one.
        plain = Options(options.folds, options.step_size, options.gaussian, options.mirroring, False, False)
        lower = _predict_model(model.previous_stage, folders, image, spacing, plain, None)
        stages, previous_labels = lower.stages, lower.labels
    with _quiet():
        predictor = RecordingPredictor(
            tile_step_size=options.step_size, use_gaussian=options.gaussian, use_mirroring=options.mirroring,
            perform_everything_on_device=False, device=torch.device("cpu"), allow_tqdm=False,
        )  # fmt: skip
        predictor.initialize_from_trained_model_folder(str(folders[model.name]), options.folds)
        output = predictor.predict_single_npy_array(
            image, {"spacing": list(spacing)},
            # nnU-Net's readers give label maps as float32 with a channel axis.
            None if previous_labels is None else previous_labels[None].astype(np.float32),
            None, options.probabilities,
        )  # fmt: skip
    stages.append(Stage(model.name, predictor.preprocessed, predictor.logits))
    labels, probabilities = output if options.probabilities else (output, None)
    return Result(labels, probabilities, stages)


def _predict_ensemble(ensemble, folders, image, spacing, options, previous_labels) -> Result:
    member_options = Options(
        options.folds, options.step_size, options.gaussian, options.mirroring, postprocessing=False, probabilities=True
    )
    stages, files = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for member in ensemble.members:
            part = _predict_model(member, folders, image, spacing, member_options, previous_labels)
            stages += part.stages
            files.append(f"{scratch}/{member.name}.npz")
            np.savez(files[-1], probabilities=part.probabilities)
        probabilities = average_probabilities(files)
    with _quiet():
        first = RecordingPredictor(device=torch.device("cpu"), perform_everything_on_device=False, allow_tqdm=False)
        first.initialize_from_trained_model_folder(str(folders[ensemble.members[0].name]), options.folds)
    labels = np.asarray(first.label_manager.convert_probabilities_to_segmentation(probabilities))
    labels = labels.astype(np.uint8 if labels.max() < 255 else np.uint16)  # as nnU-Net's writers store it
    return Result(labels, probabilities if options.probabilities else None, stages)


@contextlib.contextmanager
def _quiet():
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield

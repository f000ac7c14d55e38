"""Builds the network of a model folder through nnU-Net's own code and loads the weights of one fold after another.

Needs torch and nnunetv2; imports of this module are therefore late in the other modules.
"""

import contextlib
import inspect
import io
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# nnU-Net warns when its data folders are not set; inference reads nothing from them.
for _variable in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
    os.environ.setdefault(_variable, "unused")

import torch
from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name
from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager

from nnseg_export import ExportError, plans_check
from nnseg_export.model_folder import ModelFolder

# Wrappers that torch.compile and DistributedDataParallel leave in the names of saved weights.
_WRAPPER_PREFIXES = ("_orig_mod.", "module.")


@dataclass(frozen=True)
class Checkpoint:
    """What inference reads from a checkpoint."""

    weights: dict[str, torch.Tensor]
    trainer: str
    configuration: str
    mirroring_axes: tuple[int, ...]  # empty: no mirroring


@dataclass(frozen=True)
class NetworkShape:
    """Sizes of the network's input (1, image + one-hot channels, *patch) and output (1, heads, *patch)."""

    image_channels: int
    input_channels: int
    output_channels: int
    patch_size: tuple[int, ...]


class NetworkBuilder:
    """The network of a model in evaluation mode, without deep supervision, holding one fold's weights at a time.

    As in nnU-Net, trainer, configuration and mirroring axes come from the first fold's checkpoint.
    """

    def __init__(self, model: ModelFolder):
        self._model = model
        first = read_checkpoint(model, model.folds[0])
        self.trainer = first.trainer
        self.configuration = first.configuration
        self.mirroring_axes = first.mirroring_axes
        plans_check.check_configuration(model.plans, model.dataset, first.configuration)
        with quiet():
            plans = PlansManager(model.plans)
            configuration = plans.get_configuration(first.configuration)
            self.shape = NetworkShape(
                image_channels=len(plans_check.channel_names(model.dataset)),
                input_channels=determine_num_input_channels(plans, configuration, model.dataset),
                output_channels=plans.get_label_manager(model.dataset).num_segmentation_heads,
                patch_size=tuple(configuration.patch_size),
            )
            where = f"fold_{model.folds[0]}/{model.checkpoint}"
            self._network = _build(_find_trainer(self.trainer, where), plans, configuration, self.shape)

    def folds(self) -> Iterator[tuple[str, torch.nn.Module]]:
        """Each fold's name and the network with its weights; the next step overwrites them."""
        for fold in self._model.folds:
            checkpoint = read_checkpoint(self._model, fold)
            try:
                self._network.load_state_dict(checkpoint.weights)
            except RuntimeError as error:
                where = f"fold_{fold}/{self._model.checkpoint}"
                raise ExportError(f"{where}: network_weights do not fit the plans: {error}") from error
            yield fold, self._network.eval()


def read_checkpoint(model: ModelFolder, fold: str) -> Checkpoint:
    """Loads a fold's checkpoint as nnU-Net does. Checkpoints are pickles: loading one runs what it says."""
    where = f"fold_{fold}/{model.checkpoint}"
    try:
        content = torch.load(model.checkpoint_path(fold), map_location="cpu", weights_only=False)
    except Exception as error:
        raise ExportError(f"{where}: cannot be loaded as a torch checkpoint: {error}") from error
    for key in ("network_weights", "trainer_name", "init_args"):
        if not isinstance(content, dict) or key not in content:
            raise ExportError(f"{where}: key {key} is missing")
    if "configuration" not in content["init_args"]:
        raise ExportError(f"{where}: key init_args.configuration is missing")
    return Checkpoint(
        weights={_strip_wrappers(name): weight for name, weight in content["network_weights"].items()},
        trainer=content["trainer_name"],
        configuration=content["init_args"]["configuration"],
        mirroring_axes=tuple(content.get("inference_allowed_mirroring_axes") or ()),
    )


def _strip_wrappers(name: str) -> str:
    while name.startswith(_WRAPPER_PREFIXES):
        name = name.split(".", 1)[1]
    return name


def _find_trainer(name: str, where: str) -> type:
    try:
        return recursive_find_trainer_class_by_name(name)
    except Exception as error:
        raise ExportError(f"{where}: trainer_name: nnU-Net has no trainer '{name}': {error}") from error


def _build(
    trainer: type, plans: PlansManager, configuration: ConfigurationManager, shape: NetworkShape
) -> torch.nn.Module:
    build = trainer.build_network_architecture
    if "plans_manager" in inspect.signature(build).parameters:
        arguments = (plans, configuration)
    else:  # the signature of trainers written before nnU-Net 2.8
        arguments = (
            configuration.network_arch_class_name,
            configuration.network_arch_init_kwargs,
            configuration.network_arch_init_kwargs_req_import,
        )
    try:
        return build(*arguments, shape.input_channels, shape.output_channels, enable_deep_supervision=False)
    except Exception as error:
        raise ExportError(f"plans.json: architecture: nnU-Net cannot build the network: {error}") from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps nnU-Net's remarks about old plans and defaults off the terminal."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield

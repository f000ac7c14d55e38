"""Label maps of whole cases: nnU-Net's own preprocessing, sliding window and export round any network.

One network at a time, without mirroring and before post-processing: what is compared are networks, and neither averaging
nor cleaning up shall hide a difference.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from nnseg_export import ExportError
from nnseg_export.network import quiet  # first: sets nnU-Net's environment
from nnseg_export.precision_request import Volume

from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.utilities.label_handling.label_handling import convert_labelmap_to_one_hot
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

Network = Callable[[torch.Tensor], torch.Tensor]  # (1, C, *patch) f32 -> logits (1, heads, *patch) f32


@dataclass(frozen=True)
class Case:
    """A preprocessed case: `data` is what the sliding window walks over, (C, z, y, x) f32, transposed."""

    data: torch.Tensor
    properties: dict  # nnU-Net's record of spacing, shapes and crop box


class CasePredictor:
    """nnU-Net's predictor for the model of a bundle.

    A cascade also needs `previous`, which gives the previous stage's label map of a volume.
    """

    def __init__(self, bundle: Path, manifest: dict, previous: Callable[[Volume], np.ndarray] | None = None):
        self._previous = previous
        self._channels = manifest["network_input_channels"]
        self._heads = manifest["network_output_channels"]
        self._network = _Replaceable()
        with quiet():
            self._predictor = nnUNetPredictor(use_mirroring=False, device=torch.device("cpu"), allow_tqdm=False)
        plans = PlansManager(json.loads((bundle / "plans.json").read_bytes()))
        configuration = plans.get_configuration(manifest["model"]["configuration"])
        dataset = json.loads((bundle / "dataset.json").read_bytes())
        trainer = manifest["model"]["trainer"]
        self._predictor.manual_initialization(self._network, plans, configuration, [{}], dataset, trainer, None)

    def prepare(self, volume: Volume) -> Case:
        """Reads and preprocesses a case; refuses files that nnU-Net cannot read or with other channels."""
        plans, configuration = self._predictor.plans_manager, self._predictor.configuration_manager
        labels = self._previous(volume) if self._previous else None
        names = ", ".join(path.name for path in volume)
        try:
            image, properties = plans.image_reader_writer_class().read_images([str(path) for path in volume])
        except Exception as error:
            raise ExportError(f"{names}: cannot be read: {error}") from error
        expected = self._channels - (len(self._predictor.label_manager.foreground_labels) if self._previous else 0)
        if len(image) != expected:
            raise ExportError(f"{names}: has {len(image)} channels, expected {expected}")
        previous = None if labels is None else labels[None].astype(np.float32)  # as nnU-Net's readers give labels
        data, seg, properties = configuration.preprocessor_class(verbose=False).run_case_npy(
            image, previous, properties, plans, configuration, self._predictor.dataset_json
        )
        if previous is not None:
            foreground = self._predictor.label_manager.foreground_labels
            data = np.vstack((data, convert_labelmap_to_one_hot(seg[0], foreground, data.dtype)))
        return Case(torch.from_numpy(data), properties)

    def labels(self, case: Case, network: Network) -> np.ndarray:
        """The label map of the whole case in the frame of its files, (z, y, x)."""
        p = self._predictor
        logits = self._predict(case, network)
        return convert_predicted_logits_to_segmentation_with_correct_shape(
            logits, p.plans_manager, p.configuration_manager, p.label_manager, case.properties,
            num_threads_torch=torch.get_num_threads(),
        )  # fmt: skip

    def tiles(self, case: Case) -> list[torch.Tensor]:
        """What the sliding window gives to the network, tile after tile: (1, C, *patch) f32 each."""
        tiles: list[torch.Tensor] = []

        def record(tile: torch.Tensor) -> torch.Tensor:
            tiles.append(tile.clone())
            return torch.zeros((1, self._heads, *tile.shape[2:]))

        self._predict(case, record)
        return tiles

    def _predict(self, case: Case, network: Network) -> torch.Tensor:
        self._network.run = network
        return self._predictor.predict_logits_from_preprocessed_data(case.data)


class _Replaceable(torch.nn.Module):
    """A module without weights that runs whatever network it holds."""

    run: Network

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        return self.run(tile)

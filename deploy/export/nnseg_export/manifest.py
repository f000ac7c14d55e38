"""Makes and writes manifest.json, the record of what a bundle holds and how far it was checked."""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nnseg_export import __version__, plans_check
from nnseg_export.repository import MANIFEST

if TYPE_CHECKING:  # these import torch, which reading a manifest does not need
    from nnseg_export.model_folder import ModelFolder
    from nnseg_export.network import NetworkBuilder
    from nnseg_export.repository import Bundle
    from nnseg_export.verify import Agreement

FILE_NAME = MANIFEST
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Description:
    """What the person who exports says about the model."""

    intended_use: str
    license: str
    source: str


@dataclass
class FoldRecords:
    """What was found while the folds were written; keys are fold names."""

    engines: dict[str, dict[str, dict]] = field(default_factory=lambda: {"torch": {}, "openvino": {}})
    weight_bytes: int = 0  # of all folds together
    activation_bytes: int = 0  # of one patch in flight

    def add(self, engine: str, fold: str, file: str, agreement: Agreement) -> None:
        self.engines[engine][fold] = {"file": file, **asdict(agreement)}


def make(
    name: str, version: int, model: ModelFolder, network: NetworkBuilder, records: FoldRecords,
    description: Description, previous_stage: Bundle | None, bundle: Path,
) -> dict:  # fmt: skip
    """The manifest of the files that lie in the folder `bundle`."""
    dataset, plans = model.dataset, model.plans
    return {
        **_head("model", name, version, description),
        "model": {
            "dataset_name": plans.get("dataset_name", ""),
            "trainer": network.trainer,
            "plans_name": plans.get("plans_name", ""),
            "configuration": network.configuration,
            "checkpoint": model.checkpoint,
        },
        "folds": list(model.folds),
        "mirroring_axes": list(network.mirroring_axes),
        **({"previous_stage": previous_stage.reference} if previous_stage else {}),
        "network_input_channels": network.shape.input_channels,
        "network_output_channels": network.shape.output_channels,
        "patch_size": list(network.shape.patch_size),
        **image_and_labels(model),
        "file_ending": dataset["file_ending"],
        "expected_memory_bytes": {"weights": records.weight_bytes, "activations": records.activation_bytes},
        "engines": {engine: folds for engine, folds in records.engines.items() if folds},
        "producer": _producer(),
        "provenance": {
            "source": description.source,
            "license": description.license,
            "checkpoints": {fold: {"sha256": sha256(model.checkpoint_path(fold))} for fold in model.folds},
        },
        "files": files(bundle),
    }


def make_ensemble(name: str, version: int, members: list[Bundle], description: Description, bundle: Path) -> dict:
    """The manifest of an ensemble whose files lie in the folder `bundle`."""
    first = members[0].manifest
    return {
        **_head("ensemble", name, version, description),
        "model": {
            "dataset_name": first["model"]["dataset_name"],
            "trainer": "",
            "plans_name": "",
            "configuration": "ensemble",
            "checkpoint": "",
        },
        "members": [member.reference for member in members],
        **{key: first[key] for key in IMAGE_AND_LABELS},
        "producer": _producer(),
        "provenance": {"source": description.source, "license": description.license},
        "files": files(bundle),
    }


# What models must agree in to serve one another: their images and their labels.
IMAGE_AND_LABELS = ("channel_names", "labels", "regions_class_order", "image_reader_writer")


def image_and_labels(model: ModelFolder) -> dict:
    dataset = model.dataset
    return {
        "channel_names": plans_check.channel_names(dataset),
        "labels": [
            {"name": label, "values": plans_check.label_values(value)} for label, value in dataset["labels"].items()
        ],
        "regions_class_order": dataset.get("regions_class_order"),
        "image_reader_writer": model.plans["image_reader_writer"],
    }


def _head(kind: str, name: str, version: int, description: Description) -> dict:
    return {
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "name": name,
        "version": version,
        "created": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "intended_use": description.intended_use,
    }


def files(bundle: Path) -> dict:
    """SHA-256 and size of every file in the folder `bundle` but the manifest itself."""
    return {
        path.name: {"sha256": sha256(path), "size": path.stat().st_size}
        for path in sorted(bundle.iterdir())
        if path.name != FILE_NAME
    }


def write(manifest: dict, bundle: Path) -> None:
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
    (bundle / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _producer() -> dict[str, str]:
    packages = ("nnunetv2", "torch", "openvino", "numpy")
    return {"nnseg_export": __version__, **{name: importlib.metadata.version(name) for name in packages}}

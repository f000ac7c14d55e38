#!/usr/bin/env python3
"""Runs stock nnU-Net on one case of a model bundle and writes what nnseg must reproduce.

Preprocessing, sliding window, resampling and export are nnU-Net's own. The network is built by nnU-Net from the
bundle's plans.json and filled with the weights out of the bundle's TorchScript files, which nnseg-export has compared
with the checkpoints bit for bit; it runs eagerly, so that neither TorchScript nor nnseg takes part in the result.

    make_goldens.py examples/models/brain-t1/1 examples/volumes/colin27_t1.nii.gz --output OUT --name colin27 --folds 0

writes into OUT

    NAME.nii.gz                  nnU-Net's label map, without post-processing
    NAME.json                    the case, in the form of the entries of golden/index.json (paths as they were given)
    NAME.preprocessed.{json,bin} with --dump: what the network sees, (C, z, y, x) f32, transposed, before padding
    NAME.logits.{json,bin}       with --dump: mean over the folds, (heads, z, y, x) f16, before resampling
    NAME.properties.json         with --dump: nnU-Net's record of spacing, shapes and crop box

A .bin file holds the voxels in C order, little endian; the .json file beside it names dtype and shape.

Needs nnunetv2, as in the environment that deploy/export/setup makes.
"""

import argparse
import hashlib
import importlib.metadata
import json
import os
import platform
from pathlib import Path

for _variable in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
    os.environ.setdefault(_variable, "unused")  # nnU-Net warns without them and reads nothing from them

import numpy as np

PACKAGES = ("nnunetv2", "torch", "numpy", "scipy", "scikit-image", "SimpleITK", "acvl_utils", "batchgenerators")


def make_golden(options: argparse.Namespace) -> dict:
    """Runs the case and returns its record, which is also written."""
    import torch

    torch.set_num_threads(options.threads)
    out = Path(options.output)
    out.mkdir(parents=True, exist_ok=True)
    manifest = json.loads((options.bundle / "manifest.json").read_bytes())
    folds = options.folds or manifest["folds"]
    predictor = make_predictor(options.bundle, manifest, folds, not options.no_tta, options.step_size)
    plans, configuration = predictor.plans_manager, predictor.configuration_manager

    preprocessor = configuration.preprocessor_class(verbose=False)
    inputs = [str(path) for path in options.inputs]
    data, _, properties = preprocessor.run_case(inputs, None, plans, configuration, predictor.dataset_json)
    logits = predictor.predict_logits_from_preprocessed_data(torch.from_numpy(data)).cpu()
    write_labels(logits, properties, predictor, out / options.name, options.threads)

    labels = out / (options.name + predictor.dataset_json["file_ending"])
    record = {
        "name": options.name,
        "bundle": str(options.bundle),
        "inputs": inputs,
        "folds": folds,
        "tta": not options.no_tta,
        "step_size": options.step_size,
        "labels": str(labels),
        "voxels_per_label": count_labels(labels),
        "shape_preprocessed": list(data.shape),
        "dumps": {},
        "environment": environment(options.threads),
    }
    if options.dump:
        record["dumps"] = write_dumps(out / options.name, data, logits.numpy(), properties, options.stride)
    write_json(out / f"{options.name}.json", record)
    return record


def make_predictor(bundle: Path, manifest: dict, folds: list[str], tta: bool, step_size: float):
    """nnU-Net's predictor on the CPU with the bundle's folds."""
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    plans = PlansManager(json.loads((bundle / "plans.json").read_bytes()))
    dataset = json.loads((bundle / "dataset.json").read_bytes())
    configuration = plans.get_configuration(manifest["model"]["configuration"])
    trainer = manifest["model"]["trainer"]
    network = recursive_find_trainer_class_by_name(trainer).build_network_architecture(
        plans, configuration, manifest["network_input_channels"], manifest["network_output_channels"],
        enable_deep_supervision=False,
    )  # fmt: skip
    weights = [torch.jit.load(str(bundle / f"fold_{fold}.pt"), map_location="cpu").state_dict() for fold in folds]
    network.load_state_dict(weights[0])
    predictor = nnUNetPredictor(
        tile_step_size=step_size, use_gaussian=True, use_mirroring=tta, perform_everything_on_device=False,
        device=torch.device("cpu"), allow_tqdm=False,
    )  # fmt: skip
    axes = tuple(manifest["mirroring_axes"]) or None
    predictor.manual_initialization(network, plans, configuration, weights, dataset, trainer, axes)
    return predictor


def write_labels(logits, properties: dict, predictor, path_without_ending: Path, threads: int) -> None:
    from nnunetv2.inference.export_prediction import export_prediction_from_logits

    export_prediction_from_logits(
        logits, properties, predictor.configuration_manager, predictor.plans_manager, predictor.dataset_json,
        str(path_without_ending), False, threads,
    )  # fmt: skip


def write_dumps(stem: Path, data: np.ndarray, logits: np.ndarray, properties: dict, stride: int) -> dict[str, str]:
    """Writes the stages; a stride n keeps every n-th voxel of each spatial axis of the logits."""
    properties_file = Path(f"{stem}.properties.json")
    write_json(properties_file, properties)
    return {
        "preprocessed": str(write_array(Path(f"{stem}.preprocessed"), data.astype(np.float32), 1)),
        "logits": str(write_array(Path(f"{stem}.logits"), logits, stride)),
        "properties": str(properties_file),
    }


def write_array(stem: Path, array: np.ndarray, stride: int) -> Path:
    """Writes <stem>.bin and its description <stem>.json; returns the path of the description."""
    stored = np.ascontiguousarray(array[:, ::stride, ::stride, ::stride])
    content = stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    binary, description = Path(f"{stem}.bin"), Path(f"{stem}.json")
    binary.write_bytes(content)
    write_json(description, {
        "file": binary.name, "dtype": str(stored.dtype), "byte_order": "little", "shape": list(array.shape),
        "stride": stride, "stored_shape": list(stored.shape), "sha256": hashlib.sha256(content).hexdigest(),
    })  # fmt: skip
    return description


def count_labels(path: Path) -> dict[str, int]:
    import SimpleITK

    labels, counts = np.unique(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))), return_counts=True)
    return {str(label): int(count) for label, count in zip(labels, counts, strict=True)}


def environment(threads: int) -> dict:
    """Versions and machine: bits of the network's output depend on them."""
    cpu = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    return {**versions, "python": platform.python_version(), "cpu": cpu, "threads": threads}


def write_json(path: Path, value: dict) -> None:
    def plain(item):
        return item.tolist() if isinstance(item, (np.ndarray, np.generic)) else list(item)

    path.write_text(json.dumps(value, indent=1, default=plain) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("bundle", type=Path, help="model bundle <repository>/<name>/<version>")
    add("inputs", nargs="+", type=Path, help="channel files of the case, in channel order")
    add("--output", required=True, help="folder for the results")
    add("--name", required=True, help="name of the case, without an ending")
    add("--folds", type=lambda text: text.split(","), help="folds in order of averaging (default: all of the bundle)")
    add("--no-tta", action="store_true", help="no mirroring")
    add("--step-size", type=float, default=0.5, help="of the sliding window, as a fraction of the patch")
    add("--threads", type=int, default=1, help="torch threads (default: 1)")
    add("--dump", action="store_true", help="also write the stages")
    add("--stride", type=int, default=1, help="keep every n-th voxel per axis of the dumped logits (default: 1)")
    record = make_golden(parser.parse_args())
    print(json.dumps(record["voxels_per_label"]))


if __name__ == "__main__":
    main()

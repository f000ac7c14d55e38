"""Writes the goldens of torch_engine_test.cc: logits of two models' fold 0 from eager torch.

Needs torch and nnunetv2 (deploy/export's environment has them):

    python tests/integration/engines/make_golden.py

The networks are nnU-Net's own class, built from a bundle's plans.json and given the weights of fold_0.pt.
"""

import json
from pathlib import Path

import numpy as np
import torch
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

ROOT = Path(__file__).resolve().parents[3]
VOLUMES = ROOT / "examples" / "models" / "brain-t1" / "1"
SLICES = ROOT / "tests" / "data" / "models" / "photo-2d" / "1"
GOLDENS = ROOT / "tests" / "data" / "engines"
SIZE = 64
STRIDE = 4


def noise(count: int) -> np.ndarray:
    """Noise() of example_patch.cc."""
    mask = np.uint64(0xFFFFFFFF)
    x = (np.arange(count, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(12345)) & mask
    x ^= x >> np.uint64(15)
    x = (x * np.uint64(2246822519)) & mask
    x ^= x >> np.uint64(13)
    return (x >> np.uint64(8)).astype(np.float32) * np.float32(2**-24)


def patch() -> np.ndarray:
    """The same bits as ExamplePatch() of example_patch.cc."""
    axes = np.meshgrid(*[np.arange(SIZE) - 32] * 3, indexing="ij")
    inside = sum(axis**2 for axis in axes) < 784
    values = np.where(inside, np.float32(1.5), np.float32(-1))
    return (values + noise(SIZE**3).reshape(values.shape) * np.float32(0.5))[None]


def picture() -> np.ndarray:
    """The same bits as SlicePatch() of example_patch.cc."""
    y, x = np.meshgrid(np.arange(128) - 60, np.arange(160) - 70, indexing="ij")
    inside = y**2 + x**2 < 900
    values = np.stack([np.where(inside, np.float32(0.75 - 0.25 * c), np.float32(0.125)) for c in range(3)])
    return values + noise(values.size).reshape(values.shape) * np.float32(0.125)


def eager_network(bundle: Path, configuration: str, channels: int, labels: int) -> torch.nn.Module:
    plans = json.loads((bundle / "plans.json").read_text())["configurations"][configuration]
    architecture = plans["architecture"]
    network = get_network_from_plans(
        architecture["network_class_name"], architecture["arch_kwargs"], architecture["_kw_requires_import"],
        input_channels=channels, output_channels=labels, allow_init=False, deep_supervision=False,
    )  # fmt: skip
    network.load_state_dict(torch.jit.load(str(bundle / "fold_0.pt"), map_location="cpu").state_dict())
    return network.eval()


def write(name: str, network: torch.nn.Module, values: np.ndarray) -> None:
    with torch.inference_mode():
        logits = network(torch.from_numpy(values)[None])[0].numpy()
    kept = logits[(slice(None), *[slice(None, None, STRIDE)] * (logits.ndim - 1))]
    np.ascontiguousarray(kept, dtype="<f4").tofile(GOLDENS / name)
    print(f"{name}: logits in [{kept.min():.4f}, {kept.max():.4f}]")


def main() -> None:
    write("brain_t1_fold_0_logits.f32", eager_network(VOLUMES, "3d_fullres", 1, 5), patch())
    write("photo_2d_fold_0_logits.f32", eager_network(SLICES, "2d", 3, 4), picture())


if __name__ == "__main__":
    main()

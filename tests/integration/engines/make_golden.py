"""Writes the golden of torch_engine_test.cc: logits of the example model's fold 0 from eager torch.

Needs torch and nnunetv2 (deploy/export's environment has them):

    python tests/integration/engines/make_golden.py

The network is nnU-Net's own class, built from the bundle's plans.json and given the weights of fold_0.pt.
"""

import json
from pathlib import Path

import numpy as np
import torch
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

ROOT = Path(__file__).resolve().parents[3]
BUNDLE = ROOT / "examples" / "models" / "brain-t1" / "1"
GOLDEN = ROOT / "tests" / "data" / "engines" / "brain_t1_fold_0_logits.f32"
SIZE = 64
STRIDE = 4


def patch() -> np.ndarray:
    """The same bits as ExamplePatch() of example_patch.cc."""
    mask = np.uint64(0xFFFFFFFF)
    x = (np.arange(SIZE**3, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(12345)) & mask
    x ^= x >> np.uint64(15)
    x = (x * np.uint64(2246822519)) & mask
    x ^= x >> np.uint64(13)
    noise = (x >> np.uint64(8)).astype(np.float32) * np.float32(2**-24)
    axes = np.meshgrid(*[np.arange(SIZE) - 32] * 3, indexing="ij")
    inside = sum(axis**2 for axis in axes).reshape(-1) < 784
    return np.where(inside, np.float32(1.5), np.float32(-1)) + noise * np.float32(0.5)


def eager_network() -> torch.nn.Module:
    configuration = json.loads((BUNDLE / "plans.json").read_text())["configurations"]["3d_fullres"]
    architecture = configuration["architecture"]
    network = get_network_from_plans(
        architecture["network_class_name"], architecture["arch_kwargs"], architecture["_kw_requires_import"],
        input_channels=1, output_channels=5, allow_init=False, deep_supervision=False,
    )  # fmt: skip
    weights = torch.jit.load(str(BUNDLE / "fold_0.pt"), map_location="cpu").state_dict()
    network.load_state_dict(weights)
    return network.eval()


def main() -> None:
    with torch.inference_mode():
        values = torch.from_numpy(patch()).reshape(1, 1, SIZE, SIZE, SIZE)
        logits = eager_network()(values)[0, :, ::STRIDE, ::STRIDE, ::STRIDE]
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    np.ascontiguousarray(logits.numpy(), dtype="<f4").tofile(GOLDEN)
    print(f"{GOLDEN.relative_to(ROOT)}: logits in [{logits.min():.4f}, {logits.max():.4f}]")


if __name__ == "__main__":
    main()

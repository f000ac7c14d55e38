"""Compares an exported network with eager nnU-Net on seeded random patches."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from nnseg_export import ExportError
from nnseg_export.network import NetworkShape

_SEED = 20240229


@dataclass(frozen=True)
class Agreement:
    """Largest absolute difference of the logits from eager nnU-Net, and what was allowed (both in logit units)."""

    max_abs_difference: float
    tolerance: float


class Reference:
    """Random patches and eager nnU-Net's logits for them."""

    def __init__(self, network: torch.nn.Module, shape: NetworkShape):
        self.patches = random_patches(shape)
        with torch.no_grad():
            self._logits = [network(patch) for patch in self.patches]
        expected = (1, shape.output_channels, *shape.patch_size)
        if any(tuple(logits.shape) != expected for logits in self._logits):
            raise ExportError(f"network: output has shape {tuple(self._logits[0].shape)}, expected {expected}")
        if not all(torch.isfinite(logits).all() for logits in self._logits):
            raise ExportError("network: eager nnU-Net gives logits that are not finite")

    def logit_range(self) -> float:
        return float(max(x.max() for x in self._logits) - min(x.min() for x in self._logits))

    def compare(self, run: Callable[[torch.Tensor], torch.Tensor], tolerance: float, what: str) -> Agreement:
        """Runs an exported network on every patch; refuses it above `tolerance` (absolute, in logit units)."""
        worst = 0.0
        for patch, expected in zip(self.patches, self._logits, strict=True):
            got = run(patch)
            if got.shape != expected.shape:
                raise ExportError(f"{what}: output has shape {tuple(got.shape)}, expected {tuple(expected.shape)}")
            difference = float((got - expected).abs().max())
            if not difference <= tolerance:  # also true for NaN
                raise ExportError(f"{what}: differs from eager nnU-Net by {difference:.3g}, allowed is {tolerance:.3g}")
            worst = max(worst, difference)
        return Agreement(worst, tolerance)


def random_patches(shape: NetworkShape) -> list[torch.Tensor]:
    """Patches like those of real cases: noise, noise with zero padding, a smooth gradient under weak noise, and a small
    object in air.

    A perfectly constant patch is left out: instance normalisation then divides rounding errors by sqrt(eps), layer
    after layer, and eager nnU-Net itself is far from the exact result.

    Channels after the image channels are the one-hot labels of a cascade: zeros and ones.
    """
    generator = torch.Generator().manual_seed(_SEED)
    size = (1, shape.input_channels, *shape.patch_size)
    noise = torch.randn(size, generator=generator)
    padded = torch.randn(size, generator=generator)
    padded[..., shape.patch_size[-1] // 2 :] = 0
    ramp = torch.linspace(-2, 2, shape.patch_size[-1]).expand(size)
    smooth = ramp + 0.1 * torch.randn(size, generator=generator)
    air = torch.full(size, -1.0)
    corner = air[..., :8, :8]
    corner.copy_(torch.randn(corner.shape, generator=generator))
    patches = [noise, padded, smooth, air]
    for patch in patches:
        labels = patch[:, shape.image_channels :]
        labels.copy_(labels > 0)
    return patches

"""nnU-Net's architectures at full width with random weights, and their files as the exporter writes them.

Random weights serve for speed only: no accuracy is judged. int8 is what the exporter's search begins with, all layers
quantised, calibrated on one patch of noise.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet
from torch.utils.flop_counter import FlopCounterMode

from nnseg_export import openvino_ir, quantisation, torchscript

HEADS = 3


@dataclass(frozen=True)
class Architecture:
    """`blocks` are convolutions of each encoder stage, or residual blocks."""

    name: str
    features: tuple[int, ...]
    blocks: tuple[int, ...]
    decoder_convolutions: int
    residual: bool = False

    def build(self) -> torch.nn.Module:
        torch.manual_seed(0)
        stages = len(self.features)
        common = dict(
            input_channels=1, n_stages=stages, features_per_stage=self.features, conv_op=torch.nn.Conv3d, kernel_sizes=3,
            strides=(1, *[2] * (stages - 1)), num_classes=HEADS, conv_bias=True, norm_op=torch.nn.InstanceNorm3d,
            norm_op_kwargs={"eps": 1e-5, "affine": True}, nonlin=torch.nn.LeakyReLU, nonlin_kwargs={"inplace": True},
            n_conv_per_stage_decoder=[self.decoder_convolutions] * (stages - 1), deep_supervision=False,
        )  # fmt: skip
        if self.residual:
            return ResidualEncoderUNet(n_blocks_per_stage=self.blocks, **common).eval()
        return PlainConvUNet(n_conv_per_stage=self.blocks, **common).eval()


_WIDTHS = (32, 64, 128, 256, 320, 320)
PLAIN = Architecture("PlainConvUNet", _WIDTHS, (2,) * 6, 2)
RESENC_L = Architecture("ResEncL", _WIDTHS, (1, 3, 4, 6, 6, 6), 1, residual=True)
TINY = Architecture("PlainConvUNet of 3 narrow stages", (8, 16, 32), (2,) * 3, 2)


class Files:
    """One architecture at one patch size: `torch` (.pt), and .xml files for `openvino` fp32, `bf16`, `bf16_nnseg` (nnseg's own
    convolutions) and `int8`, as a bundle has them. Made once, kept in `folder`."""

    def __init__(self, architecture: Architecture, size: int, folder: Path):
        self.network = architecture.build()
        self.patch = torch.randn((1, 1, size, size, size), generator=torch.Generator().manual_seed(1))
        place = folder / f"{architecture.name.replace(' ', '-')}-{size}-{_exporter()}"
        place.mkdir(parents=True, exist_ok=True)
        self.torch = place / "network.pt"
        self.openvino = place / "network.xml"
        self.bf16 = place / "network.bf16.xml"
        self.bf16_nnseg = place / "network.bf16_nnseg.xml"
        self._int8 = place / "network.int8.xml"
        if not self.bf16_nnseg.with_suffix(".bin").exists():
            torchscript.save(self.network, self.patch, self.torch)
            openvino_ir.save(self.torch, self.patch, self.openvino)
            lower = openvino_ir.convert(self.torch, self.patch)
            openvino_ir.save_lower(lower, self.bf16)
            openvino_ir.save_lower(openvino_ir.mark_for_our_convolutions(lower), self.bf16_nnseg)

    def flops(self) -> int:
        """Of one pass: 2 for each multiplication and addition of a convolution."""
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            self.network(self.patch)
        return counter.get_total_flops()

    def int8(self) -> Path:
        """ExportError where NNCF is not installed."""
        quantisation.require()
        if not self._int8.with_suffix(".bin").exists():
            quantised = quantisation.quantise(openvino_ir.convert(self.torch, self.patch), [self.patch])
            openvino_ir.save_lower(quantisation.compressed(quantised), self._int8)
        return self._int8


def _exporter() -> str:
    """Changes with all that the files depend on."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(Path(openvino_ir.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]

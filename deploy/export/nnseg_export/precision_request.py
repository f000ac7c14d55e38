"""What lower precisions are asked for: the options of the command line, checked. Imports no torch."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from nnseg_export import ExportError

Volume = tuple[Path, ...]  # the channel files of one case, in channel order
POLICIES = ("fp32", "auto", "exact", "bf16", "int8")


@dataclass(frozen=True)
class Limits:
    """What a network in lower precision must reach on every held-out volume."""

    dice: float = 0.99  # of every label
    equal_fraction: float = 0.995  # of voxels


@dataclass(frozen=True)
class Request:
    bf16: bool
    held_out: tuple[Volume, ...]
    limits: Limits
    policy: str | None  # what a request to the server gets that names no precision; None leaves it as it is

    @property
    def measures(self) -> bool:
        return self.bf16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "lower precisions",
        "A network in lower precision is served only if it passes an accuracy gate: on volumes that it was not made "
        "with, the label maps of each fold are compared with those in fp32, as nnU-Net predicts them without mirroring "
        "and before post-processing. VOLUME is an image file, or the files of its channels, separated by commas.",
    )
    add = group.add_argument
    add("--bf16", action="store_true", help="judge bfloat16 (needs a processor with avx512_bf16 or AMX)")
    add("--gate-volume", nargs="+", type=_volume, default=[], metavar="VOLUME",
        help="volumes to judge on")
    add("--gate-dice", type=_fraction, default=Limits.dice, metavar="F",
        help="lowest Dice of any label that passes (default: %(default)s)")
    add("--gate-equal", type=_fraction, default=Limits.equal_fraction, metavar="F",
        help="lowest fraction of equal voxels that passes (default: %(default)s)")
    add("--precision-policy", choices=POLICIES,
        help="what a request to the server gets that names no precision: auto is the fastest that passed, exact is "
        "torch in fp32 (default: fp32)")  # fmt: skip


def from_options(options: argparse.Namespace) -> Request:
    request = Request(
        options.bf16, tuple(options.gate_volume), Limits(options.gate_dice, options.gate_equal), options.precision_policy
    )
    if request.measures and not request.held_out:
        raise ExportError("--bf16: needs at least one --gate-volume to be judged on")
    for volume in request.held_out:
        for path in volume:
            if not path.is_file():
                raise ExportError(f"{path}: is not a file; expected an image to judge on")
    return request


def _volume(text: str) -> Volume:
    return tuple(Path(part) for part in text.split(","))


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"'{text}': expected a fraction from 0 to 1")
    return value

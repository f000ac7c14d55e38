"""What lower precisions are asked for: the options of the command line, checked. Imports no torch."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from nnseg_export import ExportError

Volume = tuple[Path, ...]  # the channel files of one case, in channel order
LOWER = ("bf16", "int8", "int8_bf16")  # precisions that a gate must let pass
POLICIES = ("fp32", "auto", "exact", *LOWER)


@dataclass(frozen=True)
class Limits:
    """What a network in lower precision must reach on every held-out volume."""

    dice: float = 0.99  # of every label
    equal_fraction: float = 0.995  # of voxels


@dataclass(frozen=True)
class Request:
    bf16: bool
    int8: bool
    calibration: tuple[Volume, ...]  # what ranges are measured on
    calibration_tiles: int  # how many tiles of them, at most
    held_out: tuple[Volume, ...]  # what is judged on
    limits: Limits
    network_program: Path | None  # nnseg-network, to try nnseg's own convolutions with
    policy: str | None  # what a request to the server gets that names no precision; None leaves it as it is

    @property
    def measures(self) -> bool:
        return self.bf16 or self.int8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "lower precisions",
        "A network in lower precision is served only if it passes an accuracy gate: on volumes that it was not made "
        "with, the label maps of each fold are compared with those in fp32, as nnU-Net predicts them without mirroring "
        "and before post-processing. VOLUME is an image file, or the files of its channels, separated by commas.",
    )
    add = group.add_argument
    add("--bf16", action="store_true", help="judge bfloat16 (needs a processor with avx512_bf16 or AMX)")
    add("--int8", action="store_true",
        help="search for quantised networks that pass, with the layers that are not quantised in fp32 (int8) and in "
        "bfloat16 (int8_bf16, where the processor has it, too) (needs NNCF and a processor with VNNI or AMX)")
    add("--calibration", nargs="+", type=_volume, default=[], metavar="VOLUME",
        help="volumes to measure the ranges of activations on; without --gate-volume the last quarter of them, at least "
        "one, is held out to judge on instead")
    add("--calibration-tiles", type=_count, default=32, metavar="N",
        help="how many tiles of them to use at most (default: %(default)s)")
    add("--gate-volume", nargs="+", type=_volume, default=[], metavar="VOLUME",
        help="volumes to judge on")
    add("--gate-dice", type=_fraction, default=Limits.dice, metavar="F",
        help="lowest Dice of any label that passes (default: %(default)s)")
    add("--gate-equal", type=_fraction, default=Limits.equal_fraction, metavar="F",
        help="lowest fraction of equal voxels that passes (default: %(default)s)")
    add("--network-program", type=Path, metavar="PROGRAM",
        help="nnseg-network of the build that will serve: --bf16 then also judges nnseg's own convolutions in bfloat16, and "
        "the faster of what passes is served")
    add("--precision-policy", choices=POLICIES,
        help="what a request to the server gets that names no precision: auto is the fastest that passed, exact is "
        "torch in fp32 (default: fp32)")  # fmt: skip


def from_options(options: argparse.Namespace) -> Request:
    calibration, held_out = _split(options)
    for path in {path for volume in (*calibration, *held_out) for path in volume}:
        if not path.is_file():
            raise ExportError(f"{path}: is not a file; expected an image to calibrate or judge on")
    program = options.network_program
    if program and not options.bf16:
        raise ExportError("--network-program: only --bf16 makes use of it")
    if program and not os.access(program, os.X_OK):
        raise ExportError(f"{program}: is no program; expected nnseg-network")
    return Request(
        bf16=options.bf16,
        int8=options.int8,
        calibration=calibration,
        calibration_tiles=options.calibration_tiles,
        held_out=held_out,
        limits=Limits(options.gate_dice, options.gate_equal),
        network_program=program.resolve() if program else None,
        policy=options.precision_policy,
    )


def _split(options: argparse.Namespace) -> tuple[tuple[Volume, ...], tuple[Volume, ...]]:
    """Volumes to calibrate with and volumes to judge on; none is both."""
    given, gate = tuple(options.calibration), tuple(options.gate_volume)
    if given and not options.int8:
        raise ExportError("--calibration: only --int8 is calibrated; --gate-volume names volumes to judge on")
    if both := set(given) & set(gate):
        raise ExportError(f"{', '.join(map(str, both.pop()))}: is to calibrate and to judge on; expected other volumes")
    if options.int8 and (not given or (len(given) == 1 and not gate)):
        raise ExportError(
            f"--int8: got {len(given)} --calibration volumes, expected at least two, of which one is held out to judge on, "
            "or one and a --gate-volume"
        )
    if options.bf16 and not options.int8 and not gate:
        raise ExportError("--bf16: needs at least one --gate-volume to be judged on")
    if not given or gate:
        return given, gate
    kept = len(given) - max(1, len(given) // 4)
    return given[:kept], given[kept:]


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}': expected a positive integer")
    return int(text)


def _volume(text: str) -> Volume:
    return tuple(Path(part) for part in text.split(","))


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"'{text}': expected a fraction from 0 to 1")
    return value

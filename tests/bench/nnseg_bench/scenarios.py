"""Models, images and ways to run them that several parts use."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nibabel

from nnseg_bench.bench import ROOT, Bench
from nnseg_bench.service import Service

FOLD = "0"
VOLUME = ROOT / "examples/volumes/colin27_t1.nii.gz"
BRAIN_T1 = ROOT / "examples/models/brain-t1"
AAL = ROOT / "tests/data/models/aal-116"
_QUICK_SIZE = 100  # voxels along each axis
_PLAIN = ("--folds", FOLD, "--no-tta", "--postprocess", "off")


@dataclass(frozen=True)
class Scenario:
    """`key` begins the keys of its goals; `cold`: nnU-Net's command line is run as well."""

    key: str
    name: str
    model: str
    bundle: Path
    image: Path
    cold: bool


@dataclass(frozen=True)
class Mode:
    """A way to run a model: options of the client."""

    name: str
    options: tuple[str, ...]
    exact: bool = False


FP32 = Mode("openvino fp32", (*_PLAIN, "--engine", "openvino", "--precision", "fp32"))
EXACT = Mode("torch exact", (*_PLAIN, "--precision", "exact"), exact=True)


def all_of(bench: Bench, scratch: Path) -> Iterator[Scenario]:
    image = image_of(bench, scratch)
    yield Scenario("s1", "S1", "brain-t1", newest(BRAIN_T1), image, cold=True)
    if not bench.quick:
        yield Scenario("s2", "S2 (117 labels)", "aal-116", newest(AAL), image, cold=False)


def modes(bench: Bench, part: str, service: Service, scenario: Scenario) -> list[Mode]:
    """fp32 first; then the lower precisions that the server offers, and the exact mode."""
    offered = {report["precision"]: report for report in service.precisions(scenario.model)}
    lower = []
    for precision in ("bf16", "int8", "int8_bf16"):
        report = offered.get(precision)
        if report and report["offered"]:
            lower.append(Mode(f"openvino {precision}", (*_PLAIN, "--engine", "openvino", "--precision", precision)))
        elif report:
            bench.skip(part, f"{scenario.name} {precision}: not offered here; at export its lowest Dice was "
                             f"{report['dice']:.4f} and {100 * report['equal_fraction']:.2f} % of voxels were equal")  # fmt: skip
        else:
            bench.skip(part, f"{scenario.name} {precision}: not in the bundle {scenario.model}")
    return [FP32, *lower, EXACT]


def newest(model: Path) -> Path:
    """The folder of a model's newest version."""
    return max((path for path in model.iterdir() if path.name.isdecimal()), key=lambda path: int(path.name))


def image_of(bench: Bench, scratch: Path) -> Path:
    return crop(_QUICK_SIZE, scratch) if bench.quick else VOLUME


def crop(size: int, scratch: Path) -> Path:
    """The middle of the volume, `size` voxels along each axis."""
    path = scratch / f"crop-{size}.nii.gz"
    if not path.exists():
        image = nibabel.load(VOLUME)
        begins = [(extent - size) // 2 for extent in image.shape]
        nibabel.save(image.slicer[tuple(slice(begin, begin + size) for begin in begins)], path)
    return path

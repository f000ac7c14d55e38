"""Lower precisions of the reference models: puts every one through its accuracy gate and writes the table of what it reached.

    PYTHONPATH=tests/bench deploy/export/.venv/bin/python -m nnseg_bench.precision_table REFERENCE

REFERENCE holds models/ and inputs/. Bundles stay in --output; a model that has one there is not exported again.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnseg_bench import machine, report
from nnseg_bench.bench import ROOT


@dataclass(frozen=True)
class Volumes:
    """Cases of inputs/ by folder and name; none is in two of the lists.

    Whole heads, bodies and pictures judge. Where an image ends inside of what the model is for, the model is unsure
    itself; such parts calibrate, or are compared without a say in the gate.
    """

    calibration: tuple[str, ...]
    gate: tuple[str, ...]
    parts: tuple[str, ...] = ()


VOLUMES = {
    "S1": Volumes(("S1/oblique", "S5/oblique"), ("S1/ch2full", "S2/oblique"), ("S1/slab",)),
    "S2": Volumes(("S2/oblique",), ("S2/ch2full",), ("S2/tiny",)),
    "S3": Volumes(("S3/mild3mm",), ("S1/ch2full",), ("S3/oblique5mm", "S3/small")),
    "S4": Volumes(("S4/slab",), ("S4/oblique",)),
    "S5": Volumes(("S5/oblique",), ("S1/ch2full",), ("S5/slab",)),
    "S6": Volumes(("S6/slab",), ("S6/oblique",)),
    "S7": Volumes(("S7/small",), ("S7/wide",), ("S7/tiny",)),
}


@dataclass(frozen=True)
class Model:
    """`key`: S1 for data set 1; `folder`: nnU-Net's results folder."""

    key: str
    folder: Path

    @property
    def configuration(self) -> str:
        return self.folder.name.split("__")[2]

    @property
    def name(self) -> str:
        return f"{self.key}-{self.configuration}"

    @property
    def previous_stage(self) -> str | None:
        """The name of the model that a cascade needs first."""
        plans = json.loads((self.folder / "plans.json").read_bytes())
        stage = plans["configurations"][self.configuration].get("previous_stage")
        return f"{self.key}-{stage}" if stage else None


@dataclass(frozen=True)
class Result:
    """A precision of a model: its record in the manifest, and the score on the parts if there are any and it passed."""

    model: str
    record: dict
    on_parts: tuple[float, float] | None  # lowest Dice, fraction of equal voxels


def main() -> int:
    options = _parse()
    models = list(find_models(options.reference / "models"))
    repository = options.output / "models"
    results = []
    for model in models:
        if options.only is None or model.key in options.only:
            _export(model, options.reference / "inputs", repository)
    for model in models:
        if (repository / model.name / "1").is_dir():
            results += _results(model, options.reference / "inputs", repository)
    text = f"{_machine()}\n\n{table(results)}\n\n{volume_table(results)}\n"
    (options.output / "precisions.md").write_text(text)
    if options.write_docs:
        page = ROOT / "docs/performance.md"
        page.write_text(report.replace_between(page.read_text(), "precisions", text))
    print(text)
    return 0


def find_models(folder: Path) -> Iterator[Model]:
    """Every model below `folder`, a previous stage before its cascade."""
    found = [Model(f"S{int(path.parent.name[7:10])}", path) for path in sorted(folder.glob("Dataset*/*__*__*"))]
    yield from sorted(found, key=lambda model: (model.key, model.previous_stage is not None))


def table(results: Sequence[Result]) -> str:
    lines = [
        "| model | precision | gate | lowest Dice | equal voxels | pass / OpenVINO's fp32 | quantised layers | on parts |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for result in results:
        record = result.record
        parts = f"{result.on_parts[0]:.4f}, {100 * result.on_parts[1]:.2f} %" if result.on_parts else ""
        lines.append(
            f"| {result.model} | {record['precision']} | {'passed' if record['passed'] else 'NOT passed'} "
            f"| {record['dice']:.4f} | {100 * record['equal_fraction']:.2f} % | {record['relative_time']:.2f} "
            f"| {quantised_layers(record['recipe'])} | {parts} |"
        )
    return "\n".join(lines)


def quantised_layers(recipe: str) -> str:
    """The exporter's words in short."""
    if "quantised: " not in recipe:
        return "none"
    left_out = re.search(r"quantised: all layers but (\d+) of (\d+)", recipe)
    return f"{int(left_out[2]) - int(left_out[1])} of {left_out[2]}" if left_out else "all"


def volume_table(results: Sequence[Result]) -> str:
    lines = ["| model | calibrated on | judged on | parts |", "| --- | --- | --- | --- |"]
    for key in dict.fromkeys(result.model.split("-")[0] for result in results):
        volumes = VOLUMES[key]
        columns = (", ".join(names) for names in (volumes.calibration, volumes.gate, volumes.parts))
        lines.append(f"| {key} | {' | '.join(columns)} |")
    return "\n".join(lines)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser("nnseg_bench.precision_table", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("reference", type=Path, metavar="REFERENCE", help="folder of the reference models")
    add("--output", type=Path, default=ROOT / "out/precisions", metavar="DIR", help="default: out/precisions")
    add("--only", type=lambda text: text.split(","), metavar="S1,...", help="exports no others; the table has all bundles")
    add("--write-docs", action="store_true", help="also put the table into docs/performance.md")
    return parser.parse_args()


def _machine() -> str:
    return f"{time.strftime('%Y-%m-%d', time.gmtime())}, {machine.processor()}, {machine.instruction_sets()}."


def _files(inputs: Path, cases: Sequence[str]) -> list[str]:
    """Each case as the exporter's command line takes it: its channels, separated by commas."""
    return [",".join(map(str, sorted(inputs.glob(f"{case}_[0-9][0-9][0-9][0-9].*")))) for case in cases]


def _export(model: Model, inputs: Path, repository: Path) -> None:
    from nnseg_export.cli import main as export

    if (repository / model.name / "1").is_dir():
        return
    print(f"--- {model.name}", flush=True)
    volumes = VOLUMES[model.key]
    arguments = [str(model.folder), "--name", model.name, "--output", str(repository), "--bf16", "--int8"]
    arguments += ["--calibration", *_files(inputs, volumes.calibration), "--gate-volume", *_files(inputs, volumes.gate)]
    if model.previous_stage:
        arguments += ["--previous-stage", model.previous_stage]
    if export(arguments) != 0:
        raise SystemExit(f"{model.name}: was refused")


def _results(model: Model, inputs: Path, repository: Path) -> Iterator[Result]:
    manifest = json.loads((repository / model.name / "1" / "manifest.json").read_bytes())
    parts = [tuple(map(Path, files.split(","))) for files in _files(inputs, VOLUMES[model.key].parts)]
    for record in manifest.get("precisions", []):
        judged = parts and record["passed"]
        yield Result(model.name, record, _score(repository, model.name, manifest, record, parts) if judged else None)


def _score(repository: Path, name: str, manifest: dict, record: dict, parts: list) -> tuple[float, float]:
    """As the gate compares, with the networks that the gate has let pass."""
    from nnseg_export import openvino_ir, precisions
    from nnseg_export.gate import Gate, worst

    bundle = repository / name / "1"
    fp32 = {fold: openvino_ir.Runner(bundle / entry["file"]) for fold, entry in manifest["engines"]["openvino"].items()}
    predictor = precisions.predictor(manifest, bundle, repository)
    gate = Gate(predictor, [predictor.prepare(part) for part in parts], fp32)
    score = worst(
        [
            gate.judge(fold, openvino_ir.Runner(bundle / file, record["precision"]))
            for fold, file in record["networks"].items()
        ]
    )
    return score.dice, score.equal_fraction


if __name__ == "__main__":
    sys.exit(main())

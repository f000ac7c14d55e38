#!/usr/bin/env python3
"""Runs a whole set of reference cases through stock nnU-Net and through nnseg, on this machine with equal thread counts.

    python tests/parity/reference_set.py FOLDER [--cases 'S1/|S4/.*tta']

FOLDER holds a set that is too large for the repository: manifest.json, which lists the cases, `models` (nnU-Net's own
model folders), `inputs`, `golden` (nnU-Net's outputs on another machine) and make_reference.py, the script that made these.
Each case is made once more by that script, with nnU-Net on this machine, and then by the real server and client with both
engines from freshly exported bundles. Demanded:

    torch     no voxel differs from nnU-Net's on this machine; at most one in 100,000 from the golden
    openvino  at most one voxel in 10,000 differs from nnU-Net's on this machine, and every label's Dice is at least 0.999

and, where a case saves class probabilities, that torch's are within 1e-6.

What nnU-Net and the exporter made stays in --work and is not made again. Needs nnunetv2, as in the environment that
deploy/export/setup makes, and a build with server and client.
"""

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from against_nnunet import PROBABILITY_DIFFERENCE, ROOT, read_labels, running_server

MAX_GOLDEN_FRACTION = 1e-5
MAX_OPENVINO_FRACTION = 1e-4
MIN_OPENVINO_DICE = 0.999


@dataclass(frozen=True)
class Case:
    """An entry of the set's manifest; `entry` of an ensemble is that of its first member but for name and output."""

    key: str
    name: str
    entry: dict
    model: str  # as the server knows it
    members: tuple[str, ...] = ()  # names of the cases whose probabilities an ensemble averages
    postprocess: bool = False
    probabilities: bool = False

    @property
    def title(self) -> str:
        return f"{self.key}/{self.name}"


def model_name(key: str, configuration: str) -> str:
    return f"{key}-{configuration}".lower()


def cases_of(manifest: dict) -> list[Case]:
    entries = {f"{entry['key']}/{entry['name']}": entry for entry in manifest["goldens"]}
    cases = []
    for entry in manifest["goldens"]:
        key, name = entry["key"], entry["name"]
        if "ensemble_of" in entry:
            members = tuple(Path(member).name for member in entry["ensemble_of"])
            first = entries[f"{key}/{members[0]}"]
            cases.append(Case(key, name, {**first, "output": entry["output"]}, model_name(key, "ensemble"), members))
        else:
            cases.append(Case(
                key, name, entry, model_name(key, entry["configuration"]), postprocess=bool(entry["postprocessing"]),
                probabilities=name.endswith("__prob"),
            ))  # fmt: skip
    return cases


def export_bundles(cases: list[Case], folder: Path, repository: Path) -> None:
    """Bundles of all models of the cases' sets: a cascade after its first stage, an ensemble after its members."""
    from nnseg_export.cli import main as export

    def once(name: str, *arguments: str) -> None:
        if not (repository / name).exists() and export([*arguments, "--name", name, "--output", str(repository)]) != 0:
            raise RuntimeError(f"{name}: was not exported")

    for key in sorted({case.key for case in cases}):
        of_key = [case for case in cases if case.key == key]
        models = {case.entry["configuration"]: str(folder / case.entry["model"]) for case in of_key}
        for configuration, model in sorted(models.items(), key=lambda item: "cascade" in item[0]):
            stage = ["--previous-stage", model_name(key, "3d_lowres")] if "cascade" in configuration else []
            once(model_name(key, configuration), model, *stage)
        for case in of_key:
            if case.members:
                by_name = {other.name: other.model for other in of_key}
                once(case.model, "ensemble", "--members", *(by_name[member] for member in case.members))


class NnunetHere:
    """The cases as nnU-Net gives them on this machine."""

    def __init__(self, folder: Path, work: Path, threads: int):
        spec = importlib.util.spec_from_file_location("make_reference", folder / "make_reference.py")
        self._script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._script)
        self._folder, self._work, self._threads = folder, work, threads

    def labels_of(self, case: Case) -> Path:
        """The label file, made when it does not exist."""
        place = self._work / case.key
        file = place / Path(case.entry["output"]).name
        if file.exists():
            return file
        partial = self._work / "partial" / case.key
        partial.mkdir(parents=True, exist_ok=True)
        model = self._folder / case.entry["model"]
        if case.postprocess:
            source = case.entry["from"]
            before = replace(case, name=Path(source).name.split(".")[0], entry={**case.entry, "output": source}, postprocess=False)
            self._script.postprocess(model, self.labels_of(before), partial, case.name)
        elif case.members:
            probabilities = [place / f"{member}.npz" for member in case.members]
            self._script.ensemble(model, probabilities, partial, case.name, threads=self._threads)
        else:
            entry = case.entry
            previous = entry["prev_stage"] and place / Path(entry["prev_stage"]).name
            inputs = [self._folder / path for path in entry["inputs"]]
            self._script.predict(
                model, inputs, partial, case.name, entry["folds"], entry["tta"], entry["step_size"], previous,
                entry["gaussian"], case.probabilities, threads=self._threads,
            )  # fmt: skip
        place.mkdir(parents=True, exist_ok=True)
        for made in sorted(partial.iterdir(), key=lambda path: path.name == file.name):  # the label file last
            made.rename(place / made.name)
        return file


def segment(case: Case, folder: Path, binaries: Path, address: str, engine: str, output: Path) -> None:
    entry = case.entry
    command = [binaries / "nnseg", "segment", *(folder / path for path in entry["inputs"]), "--server", address]
    command += ["--model", case.model, "--output", output, "--engine", engine, "--precision", "fp32"]
    command += ["--folds", ",".join(map(str, entry["folds"])), "--step-size", str(entry["step_size"])]
    command += ["--postprocess", "on" if case.postprocess else "off", *([] if entry["tta"] else ["--no-tta"])]
    if case.probabilities:
        command += ["--probabilities", output.with_name(f"{case.name}.npz")]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{case.title}: nnseg ended with code {done.returncode}: {done.stderr.strip()[-400:]}")


def lowest_dice(expected: np.ndarray, got: np.ndarray) -> tuple[float, int]:
    """Of any label, and how many voxels that label has in `expected`."""
    size = int(max(expected.max(), got.max())) + 1
    first, second = np.bincount(expected.ravel(), minlength=size), np.bincount(got.ravel(), minlength=size)
    common = np.bincount(expected[expected == got].ravel(), minlength=size)
    present = first + second > 0
    dice = np.where(present, 2 * common / np.maximum(first + second, 1), 1)
    worst = int(dice.argmin())
    return float(dice[worst]), int(first[worst])


def largest_difference(ours: Path, theirs: Path) -> float:
    a, b = (np.load(path)["probabilities"] for path in (ours, theirs))
    return float(np.abs(a - b).max()) if a.shape == b.shape else float("inf")


def compare(case: Case, folder: Path, nnunet: NnunetHere, binaries: Path, address: str, scratch: Path) -> dict:
    start = time.perf_counter()
    expected_file = nnunet.labels_of(case)
    expected, golden = read_labels(expected_file), read_labels(folder / case.entry["output"])
    row = {"voxels": expected.size, "nnU-Net here / golden": int((expected != golden).sum())}
    faults = []
    for engine in ("torch", "openvino"):
        file = scratch / engine / case.key / expected_file.name
        file.parent.mkdir(parents=True, exist_ok=True)
        segment(case, folder, binaries, address, engine, file)
        got = read_labels(file)
        if (got.shape, got.dtype) != (expected.shape, expected.dtype):
            faults.append(f"{engine}: {got.shape} {got.dtype}, expected {expected.shape} {expected.dtype}")
            continue
        differing = row[f"{engine} / nnU-Net here"] = int((got != expected).sum())
        if engine == "torch":
            of_golden = row["torch / golden"] = int((got != golden).sum())
            if differing:
                faults.append(f"torch: {differing} voxels differ from nnU-Net's on this machine")
            if of_golden > MAX_GOLDEN_FRACTION * expected.size + 1:
                faults.append(f"torch: {of_golden} voxels differ from the golden")
            if case.probabilities:
                saved = file.with_name(f"{case.name}.npz")
                largest = row["probabilities"] = largest_difference(saved, expected_file.parent / saved.name)
                if largest > PROBABILITY_DIFFERENCE:
                    faults.append(f"torch: probabilities differ by {largest:.2g}")
        else:
            row["dice"], voxels = lowest_dice(expected, got)
            if differing > MAX_OPENVINO_FRACTION * expected.size:
                faults.append(f"openvino: {differing} voxels differ from nnU-Net's")
            if row["dice"] < MIN_OPENVINO_DICE:
                faults.append(f"openvino: Dice {row['dice']:.5f} of a label of {voxels} voxels")
    row["faults"] = faults
    print(f"{case.title}: " + ", ".join(f"{k} {v}" for k, v in row.items() if k != "faults")
          + "".join(f"; FAULT {fault}" for fault in faults) + f" ({time.perf_counter() - start:.0f} s)", flush=True)  # fmt: skip
    return row


def print_table(rows: dict[str, list[dict]]) -> None:
    columns = ("nnU-Net here / golden", "torch / nnU-Net here", "torch / golden", "openvino / nnU-Net here")
    print("\n| set | cases | voxels | " + " | ".join(columns) + " | lowest Dice, openvino |")
    print("| --- |" + " --- |" * (len(columns) + 3))
    for key, of_key in sorted(rows.items()):
        sums = [sum(row.get(column, 0) for row in of_key) for column in ("voxels", *columns)]
        dice = min(row.get("dice", 0) for row in of_key)
        print(f"| {key} | {len(of_key)} | " + " | ".join(f"{number:,}" for number in sums) + f" | {dice:.5f} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("folder", type=Path, help="the reference set")
    add("--cases", default="", help="only cases whose SET/NAME matches this regular expression")
    add("--build", type=Path, default=ROOT / "build/release", help="build folder (default: build/release)")
    add("--work", type=Path, default=ROOT / "out/parity/reference", help="default: out/parity/reference")
    add("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of both sides (default: all processors)")
    options = parser.parse_args()
    folder, work, binaries = options.folder.resolve(), options.work.resolve(), options.build.resolve() / "bin"
    every = cases_of(json.loads((folder / "manifest.json").read_bytes()))
    chosen = [case for case in every if re.search(options.cases, case.title)]
    # What others are made of comes first: first stages, and members of ensembles.
    chosen.sort(key=lambda case: (case.key, bool(case.members), "cascade" in case.model))
    export_bundles([case for case in every if case.key in {c.key for c in chosen}], folder, work / "models")
    nnunet = NnunetHere(folder, work / "nnunet", options.threads)
    rows: dict[str, list[dict]] = defaultdict(list)
    with running_server(binaries, work / "models", options.threads) as address:
        for case in chosen:
            rows[case.key].append(compare(case, folder, nnunet, binaries, address, work / "nnseg"))
    print_table(rows)
    failed = sum(bool(row["faults"]) for of_key in rows.values() for row in of_key)
    print(f"\n{sum(map(len, rows.values())) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

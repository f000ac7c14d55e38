"""Lower precisions of a bundle: makes them, puts them through the accuracy gate and records what was found.

Networks in lower precision are converted anew from TorchScript, without openvino_norm's rewriting: its tree of sums would
round every step to bfloat16, where OpenVINO's own kernel keeps sums in f32.
"""

import functools
import importlib.metadata
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino
import torch

from nnseg_export import ExportError, cpu, int8_search, manifest, openvino_ir, pass_time, quantisation, repository
from nnseg_export.case_prediction import CasePredictor
from nnseg_export.gate import Gate, Score, worst
from nnseg_export.precision_request import Request, Volume

Log = Callable[[str], None]


def add(content: dict, bundle: Path, request: Request, models: Path, log: Log) -> dict:
    """The manifest `content` of the folder `bundle` with the lower precisions that `request` asks for.

    Files of new networks are written into `bundle`. `models` is the repository that holds a cascade's previous stage.
    """
    found = {entry["precision"]: entry for entry in content.get("precisions", [])}
    if request.measures:
        if "openvino" not in content["engines"]:
            raise ExportError(f"{content['name']}: has no OpenVINO networks, which lower precisions are made from")
        if request.int8:
            quantisation.require()
        run = _Run(content, bundle, request, models, log)
        if request.bf16:
            found |= run.bf16()
        if request.int8:
            found |= run.int8(request)
    policy = request.policy or content.get("precision_policy")
    if policy in ("bf16", "int8") and not found.get(policy, {}).get("passed"):
        raise ExportError(f"precision policy {policy}: {policy} has not passed its accuracy gate")
    return {
        **content,
        **({"precisions": list(found.values())} if found else {}),
        **({"precision_policy": policy} if policy else {}),
        "files": manifest.files(bundle),
    }


@dataclass(frozen=True)
class _Candidate:
    networks: dict[str, str]  # fold to file name; empty unless all folds passed
    score: Score
    time: float  # of a pass, fp32's is 1


class _Run:
    """One model's held-out cases and networks."""

    def __init__(self, content: dict, bundle: Path, request: Request, models: Path, log: Log):
        self._log = log
        self._limits = request.limits
        self._bundle = bundle
        self._scripts = {fold: bundle / entry["file"] for fold, entry in content["engines"]["torch"].items()}
        fp32 = content["engines"]["openvino"]
        self._fp32 = {fold: openvino_ir.Runner(bundle / entry["file"]) for fold, entry in fp32.items()}
        self._predictor = _predictor(content, bundle, models)
        self._held_out = [self._predictor.prepare(volume) for volume in request.held_out]
        self._gate = Gate(self._predictor, self._held_out, self._fp32)
        self._fold = next(iter(self._fp32))
        tiles = self._predictor.tiles(self._held_out[0])
        self._tile = tiles[len(tiles) // 2]

    def bf16(self) -> dict[str, dict]:
        if not cpu.has_bf16():
            self._log("bf16: not judged, this processor has neither avx512_bf16 nor amx_bf16: nothing is recorded")
            return {}
        return self._record("bf16", self._try("bf16", self._convert), "all layers in bfloat16")

    def int8(self, request: Request) -> dict[str, dict]:
        if not cpu.has_int8():
            self._log("int8: not judged, this processor has neither VNNI nor AMX: nothing is recorded")
            return {}
        tiles = self._calibration_tiles(request)
        quantised = functools.cache(lambda fold: quantisation.quantise(self._convert(fold), tiles))
        how = (
            f"NNCF {importlib.metadata.version('nncf')} post-training quantisation, mixed preset, {len(tiles)} tiles of "
            f"{len(request.calibration)} volumes; the rest in fp32; quantised: "
        )
        self._log(f"int8: {'Dice':>8} {'equal %':>8} {'time':>5}  quantised")
        tried = []
        for recipe in int8_search.recipes(quantised(self._fold), tiles):
            left_out = recipe.left_out
            candidate = self._try(
                "int8", lambda fold: quantisation.compressed(quantisation.leaving_out(quantised(fold), left_out))
            )
            score = candidate.score
            self._log(f"      {score.dice:>8.4f} {100 * score.equal_fraction:>8.3f} {candidate.time:>5.2f}  {recipe.words}")
            tried.append((candidate, how + recipe.words))
            if score.passes(self._limits):
                return self._record("int8", *tried[-1])
        return self._record("int8", *max(tried, key=lambda entry: entry[0].score.dice))

    def _convert(self, fold: str) -> openvino.Model:
        return openvino_ir.convert(self._scripts[fold], self._tile)

    def _calibration_tiles(self, request: Request) -> list[torch.Tensor]:
        """A random choice, the same in every run, of the tiles of all calibration volumes."""
        tiles = [tile for volume in request.calibration for tile in self._predictor.tiles(self._predictor.prepare(volume))]
        chosen = np.random.default_rng(0).permutation(len(tiles))[: request.calibration_tiles]
        return [tiles[index] for index in sorted(chosen)]

    def _try(self, precision: str, make: Callable[[str], openvino.Model]) -> _Candidate:
        """Writes and judges the networks that `make` gives for the folds, one after the other until one fails; then
        the files are removed."""
        files: dict[str, Path] = {}
        scores: list[Score] = []
        for fold in self._scripts:
            files[fold] = self._bundle / f"fold_{fold}.{precision}.xml"
            openvino_ir.save_lower(make(fold), files[fold])
            network = openvino_ir.Runner(files[fold], "bf16" if precision == "bf16" else "f32")
            if not scores:
                time = pass_time.relative(network, self._fp32[fold], self._tile)
            scores.append(self._gate.judge(fold, network))
            if not scores[-1].passes(self._limits):
                for file in files.values():
                    openvino_ir.remove(file)
                return _Candidate({}, worst(scores), time)
        return _Candidate({fold: file.name for fold, file in files.items()}, worst(scores), time)

    def _record(self, precision: str, candidate: _Candidate, recipe: str) -> dict[str, dict]:
        """The manifest's entry."""
        score = candidate.score
        passed = score.passes(self._limits)
        self._log(
            f"{precision}: {'passed' if passed else 'NOT passed'}: lowest Dice {score.dice:.4f} (label {score.label}), equal "
            f"voxels {100 * score.equal_fraction:.3f} %, a pass takes {candidate.time:.2f} of fp32's time"
        )
        entry = {
            "engine": "openvino",
            "precision": precision,
            "networks": candidate.networks,
            "passed": passed,
            "dice": score.dice,
            "dice_limit": self._limits.dice,
            "equal_fraction": score.equal_fraction,
            "equal_fraction_limit": self._limits.equal_fraction,
            "volumes": self._gate.volumes,
            "relative_time": round(candidate.time, 3),
            "recipe": recipe,
        }
        return {precision: entry}


def _predictor(content: dict, bundle: Path, models: Path) -> CasePredictor:
    plans = json.loads((bundle / "plans.json").read_bytes())
    configuration = content["model"]["configuration"]
    stage = plans["configurations"][configuration].get("previous_stage")
    if not stage:
        return CasePredictor(bundle, content)
    if "previous_stage" not in content:
        raise ExportError(
            f"{configuration}: is a cascade whose bundle names no previous stage; lower precisions need its labels"
        )
    reference = content["previous_stage"]
    previous = repository.find(models, f"{reference['name']}:{reference['version']}")
    if "openvino" not in previous.manifest["engines"]:
        raise ExportError(f"{previous.title}: has no OpenVINO networks, which make the previous stage's labels")
    first = next(iter(previous.manifest["engines"]["openvino"].values()))
    predictor = CasePredictor(previous.folder, previous.manifest)
    network = openvino_ir.Runner(previous.folder / first["file"])

    def labels(volume: Volume) -> np.ndarray:
        return predictor.labels(predictor.prepare(volume), network)

    return CasePredictor(bundle, content, labels)

"""Lower precisions of a bundle: makes them, puts them through the accuracy gate and records what was found.

Networks in lower precision are converted anew from TorchScript, without openvino_norm's rewriting: its tree of sums would
round every step to bfloat16, where OpenVINO's own kernel keeps sums in f32.
"""

import contextlib
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
from nnseg_export.case_prediction import CasePredictor, Network
from nnseg_export.gate import Gate, Score, worst
from nnseg_export.network_program import ProgramRunner
from nnseg_export.precision_request import LOWER, Request, Volume

Log = Callable[[str], None]

_NO_BF16 = "not judged, this processor has neither avx512_bf16 nor amx_bf16: nothing is recorded"


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
    if policy in LOWER and not found.get(policy, {}).get("passed"):
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
    recipe: str

    @property
    def passed(self) -> bool:
        return bool(self.networks)


def _by_openvino(file: Path, precision: str) -> contextlib.AbstractContextManager[Network]:
    return contextlib.nullcontext(openvino_ir.Runner(file, precision))


class _Run:
    """One model's held-out cases and networks."""

    def __init__(self, content: dict, bundle: Path, request: Request, models: Path, log: Log):
        self._log = log
        self._limits = request.limits
        self._bundle = bundle
        self._program = request.network_program
        self._heads = content["network_output_channels"]
        self._scripts = {fold: bundle / entry["file"] for fold, entry in content["engines"]["torch"].items()}
        fp32 = content["engines"]["openvino"]
        self._fp32 = {fold: openvino_ir.Runner(bundle / entry["file"]) for fold, entry in fp32.items()}
        self._predictor = predictor(content, bundle, models)
        self._held_out = [self._predictor.prepare(volume) for volume in request.held_out]
        self._gate = Gate(self._predictor, self._held_out, self._fp32)
        self._fold = next(iter(self._fp32))
        tiles = self._predictor.tiles(self._held_out[0])
        self._tile = tiles[len(tiles) // 2]

    def bf16(self) -> dict[str, dict]:
        if not cpu.has_bf16():
            self._log(f"bf16: {_NO_BF16}")
            return {}
        candidates = [self._try("bf16", "all layers in bfloat16", self._convert)]
        if self._program is not None:
            # Values between convolutions stay in fp32 there.
            recipe = "products of nnseg's convolutions and all other layers in bfloat16"
            candidates.append(self._try("bf16", recipe, self._marked, self._by_program, name="bf16_nnseg"))
            for candidate in candidates:
                self._log(f"  bf16 {candidate.score.dice:>8.4f} {candidate.time:>5.2f}  {candidate.recipe}")
        best = max(candidates, key=lambda one: (one.passed, -one.time if one.passed else one.score.dice))
        for candidate in candidates:
            if candidate is not best:
                self._remove(candidate)
        return self._record("bf16", best)

    def int8(self, request: Request) -> dict[str, dict]:
        """Searches for int8 and int8_bf16 together: both are made from the same quantised networks."""
        if not cpu.has_int8():
            self._log("int8: not judged, this processor has neither VNNI nor AMX: nothing is recorded")
            return {}
        tried: dict[str, list[_Candidate]] = {"int8": []}
        if cpu.has_bf16():
            tried["int8_bf16"] = []
        else:
            self._log(f"int8_bf16: {_NO_BF16}")
        tiles = self._calibration_tiles(request)
        quantised = functools.cache(lambda fold: quantisation.quantise(self._convert(fold), tiles))
        how = (
            f"NNCF {importlib.metadata.version('nncf')} post-training quantisation, mixed preset, {len(tiles)} tiles of "
            f"{len(request.calibration)} volumes; the rest in "
        )

        def passes(precision: str, recipe: int8_search.Recipe) -> bool:
            def network(fold: str) -> openvino.Model:
                return quantisation.compressed(quantisation.leaving_out(quantised(fold), recipe.left_out))

            words = f"{how}{'bfloat16' if precision == 'int8_bf16' else 'fp32'}; quantised: {recipe.words}"
            candidate = self._try(precision, words, network)
            tried[precision].append(candidate)
            dice, equal = candidate.score.dice, 100 * candidate.score.equal_fraction
            self._log(f"  {precision:<9} {dice:>8.4f} {equal:>8.3f} {candidate.time:>5.2f}  {recipe.words}")
            return candidate.passed

        self._log(f"  {'search':<9} {'Dice':>8} {'equal %':>8} {'time':>5}  quantised")
        int8_search.run(int8_search.recipes(quantised(self._fold), tiles), tried, passes)
        found = {}
        for precision, candidates in tried.items():
            # Where none has passed, how near the most accurate came is worth telling.
            found |= self._record(precision, max(candidates, key=lambda one: (one.passed, one.score.dice)))
        return found

    def _convert(self, fold: str) -> openvino.Model:
        return openvino_ir.convert(self._scripts[fold], self._tile)

    def _calibration_tiles(self, request: Request) -> list[torch.Tensor]:
        """A random choice, the same in every run, of the tiles of all calibration volumes."""
        tiles = [tile for volume in request.calibration for tile in self._predictor.tiles(self._predictor.prepare(volume))]
        chosen = np.random.default_rng(0).permutation(len(tiles))[: request.calibration_tiles]
        return [tiles[index] for index in sorted(chosen)]

    def _marked(self, fold: str) -> openvino.Model:
        return openvino_ir.mark_for_our_convolutions(self._convert(fold))

    def _by_program(self, file: Path, precision: str) -> contextlib.AbstractContextManager[Network]:
        return contextlib.closing(ProgramRunner(self._program, file, precision, self._tile, self._heads))

    def _try(
        self,
        precision: str,
        recipe: str,
        make: Callable[[str], openvino.Model],
        run: Callable[[Path, str], contextlib.AbstractContextManager[Network]] = _by_openvino,
        name: str | None = None,
    ) -> _Candidate:
        """Writes the networks that `make` gives for the folds, as fold_F.NAME.xml, and judges them as `run` runs them, one
        after the other until one fails; then the files are removed."""
        files: dict[str, Path] = {}
        scores: list[Score] = []
        for fold in self._scripts:
            files[fold] = self._bundle / f"fold_{fold}.{name or precision}.xml"
            openvino_ir.save_lower(make(fold), files[fold])
            with run(files[fold], precision) as network:
                if not scores:
                    time = pass_time.relative(network, self._fp32[fold], self._tile)
                scores.append(self._gate.judge(fold, network))
            if not scores[-1].passes(self._limits):
                for file in files.values():
                    openvino_ir.remove(file)
                return _Candidate({}, worst(scores), time, recipe)
        return _Candidate({fold: file.name for fold, file in files.items()}, worst(scores), time, recipe)

    def _remove(self, candidate: _Candidate) -> None:
        for file in candidate.networks.values():
            openvino_ir.remove(self._bundle / file)

    def _record(self, precision: str, candidate: _Candidate) -> dict[str, dict]:
        """The manifest's entry."""
        score, passed = candidate.score, candidate.passed
        self._log(
            f"{precision}: {'passed' if passed else 'NOT passed'}: lowest Dice {score.dice:.4f} (label {score.label}), equal "
            f"voxels {100 * score.equal_fraction:.3f} %, a pass takes {candidate.time:.2f} of fp32's time"
            + (": nothing is gained on this processor" if candidate.time >= 1 else "")
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
            "recipe": candidate.recipe,
        }
        return {precision: entry}


def predictor(content: dict, bundle: Path, models: Path) -> CasePredictor:
    """For the folder `bundle` with the manifest `content`. `models` holds a cascade's previous stage."""
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
    first_stage = CasePredictor(previous.folder, previous.manifest)
    network = openvino_ir.Runner(previous.folder / first["file"])

    def labels(volume: Volume) -> np.ndarray:
        return first_stage.labels(first_stage.prepare(volume), network)

    return CasePredictor(bundle, content, labels)

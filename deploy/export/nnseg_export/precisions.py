"""Lower precisions of a bundle: makes them, puts them through the accuracy gate and records what was found.

Networks in lower precision are converted anew from TorchScript, without openvino_norm's rewriting: its tree of sums would
round every step to bfloat16, where OpenVINO's own kernel keeps sums in f32.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnseg_export import ExportError, cpu, manifest, openvino_ir, pass_time, repository
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
        run = _Run(content, bundle, request, models, log)
        if request.bf16:
            found |= run.bf16()
    policy = request.policy or content.get("precision_policy")
    if policy in ("bf16", "int8") and not found.get(policy, {}).get("passed"):
        raise ExportError(f"precision policy {policy}: {policy} has not passed its accuracy gate")
    return {
        **content,
        **({"precisions": list(found.values())} if found else {}),
        **({"precision_policy": policy} if policy else {}),
        "files": manifest.files(bundle),
    }


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
        self._tile = self._predictor.tiles(self._held_out[0])[0]

    def bf16(self) -> dict[str, dict]:
        if not cpu.has_bf16():
            self._log("bf16: not judged, this processor has neither avx512_bf16 nor amx_bf16: nothing is recorded")
            return {}
        files = {}
        for fold, script in self._scripts.items():
            files[fold] = self._bundle / f"fold_{fold}.bf16.xml"
            openvino_ir.save_lower(openvino_ir.convert(script, self._tile), files[fold])
        networks = {fold: openvino_ir.Runner(file, "bf16") for fold, file in files.items()}
        score = worst([self._gate.judge(fold, network) for fold, network in networks.items()])
        return self._record("bf16", files, score, self._relative_time(networks[self._fold]), "all layers in bfloat16")

    def _relative_time(self, network: openvino_ir.Runner) -> float:
        return pass_time.relative(network, self._fp32[self._fold], self._tile)

    def _record(
        self, precision: str, files: dict[str, Path], score: Score, time: float, recipe: str
    ) -> dict[str, dict]:
        """The manifest's entry. Files that did not pass are removed."""
        passed = score.passes(self._limits)
        self._log(
            f"{precision}: {'passed' if passed else 'NOT passed'}: lowest Dice {score.dice:.4f} (label {score.label}), "
            f"equal voxels {100 * score.equal_fraction:.3f} %, a pass takes {time:.2f} of fp32's time"
        )
        if not passed:
            for file in files.values():
                openvino_ir.remove(file)
        entry = {
            "engine": "openvino",
            "precision": precision,
            "networks": {fold: file.name for fold, file in files.items()} if passed else {},
            "passed": passed,
            "dice": score.dice,
            "dice_limit": self._limits.dice,
            "equal_fraction": score.equal_fraction,
            "equal_fraction_limit": self._limits.equal_fraction,
            "volumes": self._gate.volumes,
            "relative_time": round(time, 3),
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

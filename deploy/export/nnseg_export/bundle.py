"""Writes a model bundle: the steps of an export in order."""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from nnseg_export import (
    ExportError,
    manifest,
    memory,
    openvino_ir,
    plans_check,
    postprocessing,
    precisions,
    repository,
    tolerances,
    torchscript,
    verify,
)
from nnseg_export.model_folder import ModelFolder
from nnseg_export.network import NetworkBuilder
from nnseg_export.precision_request import Request
from nnseg_export.repository import Target


def export(
    model: ModelFolder, target: Target, description: manifest.Description, *,
    previous_stage: str | None = None, with_openvino: bool = True, openvino_tolerance: float = tolerances.OPENVINO,
    lower_precisions: Request | None = None, log: Callable[[str], None] = print,
) -> Path:  # fmt: skip
    """Exports every fold of `model`, checks each against eager nnU-Net and returns the new bundle's folder.

    The bundle appears under its name only when all of it is written and checked. `previous_stage` (NAME or
    NAME:VERSION in the same repository) makes the labels that a cascade takes; without it each request must bring them.
    """
    network = NetworkBuilder(model)
    previous = _previous_stage(model, network, target, previous_stage)
    with target.new_folder() as (folder, version):
        records = manifest.FoldRecords()
        for fold, fold_network in network.folds():
            with _refusal(f"fold_{fold}: the network cannot run a patch"):
                reference = verify.Reference(fold_network, network.shape)
            records.weight_bytes += memory.weight_bytes(fold_network)
            if not records.activation_bytes:
                records.activation_bytes = memory.activation_bytes(fold_network, reference.patches[0])
            script = folder / f"fold_{fold}.pt"
            with _refusal(f"{script.name}: the network cannot be traced"):
                torchscript.save(fold_network, reference.patches[0], script)
            agreement = reference.compare(torchscript.Runner(script), tolerances.TORCH, script.name)
            records.add("torch", fold, script.name, agreement)
            log(_line(script.name, agreement))
            if with_openvino:
                ir = folder / f"fold_{fold}.xml"
                with _refusal(f"{ir.name}: OpenVINO cannot convert the network (--skip-openvino leaves it out)"):
                    openvino_ir.save(script, reference.patches[0], ir)
                allowed = openvino_tolerance * reference.logit_range()
                agreement = reference.compare(openvino_ir.Runner(ir), allowed, ir.name)
                records.add("openvino", fold, ir.name, agreement)
                log(_line(ir.name, agreement))
        for file in ("plans.json", "dataset.json"):
            shutil.copyfile(model.path / file, folder / file)
        if model.postprocessing is not None:
            (folder / postprocessing.FILE_NAME).write_text(json.dumps(model.postprocessing, indent=2) + "\n")
        content = manifest.make(target.name, version, model, network, records, description, previous, folder)
        if lower_precisions is not None:
            content = precisions.add(content, folder, lower_precisions, target.repository, log)
        manifest.write(content, folder)
    return target.repository / target.name / str(version)


def add_precisions(
    source: repository.Bundle, target: Target, request: Request, log: Callable[[str], None] = print
) -> Path:
    """Writes a new version of the bundle `source` with the lower precisions that `request` asks for."""
    if source.is_ensemble:
        raise ExportError(f"{source.title}: is an ensemble; lower precisions belong to its members")
    with target.new_folder() as (folder, version):
        for file in source.manifest["files"]:
            shutil.copyfile(source.folder / file, folder / file)
        if manifest.files(folder) != source.manifest["files"]:
            raise ExportError(f"{source.title}: files have changed since the bundle was made")
        content = source.manifest | {"version": version}
        manifest.write(precisions.add(content, folder, request, target.repository, log), folder)
    return target.repository / target.name / str(version)


def _previous_stage(
    model: ModelFolder, network: NetworkBuilder, target: Target, text: str | None
) -> repository.Bundle | None:
    if text is None:
        return None
    configuration = plans_check.resolve_configuration(model.plans, network.configuration)
    stage = configuration.get("previous_stage")
    if not stage:
        raise ExportError(f"--previous-stage {text}: configuration {network.configuration} is no cascade")
    bundle = repository.find(target.repository, text)
    if bundle.is_ensemble:
        raise ExportError(f"{bundle.title}: is an ensemble, expected a model of configuration {stage}")
    if bundle.manifest["model"]["configuration"] != stage:
        raise ExportError(
            f"{bundle.title}: configuration is {bundle.manifest['model']['configuration']}, expected {stage}"
        )
    repository.check_fit(manifest.image_and_labels(model), bundle, "the model", manifest.IMAGE_AND_LABELS)
    return bundle


@contextlib.contextmanager
def _refusal(text: str) -> Iterator[None]:
    """Networks may be anybody's, and so may their errors be: all but those of the disk refuse the model."""
    try:
        yield
    except (ExportError, OSError):
        raise
    except Exception as error:
        raise ExportError(f"{text}: {error}") from error


def _line(file: str, agreement: verify.Agreement) -> str:
    return (
        f"{file}: largest difference from eager nnU-Net {agreement.max_abs_difference:.3g}, "
        f"allowed {agreement.tolerance:.3g}"
    )

"""Writes a model bundle: the steps of an export in order."""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nnseg_export import ExportError, manifest, memory, openvino_ir, tolerances, torchscript, verify
from nnseg_export.model_folder import ModelFolder
from nnseg_export.network import NetworkBuilder

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class Target:
    """Where the bundle goes: `<repository>/<name>/<version>`; version None takes the next free integer."""

    repository: Path
    name: str
    version: int | None


def export(
    model: ModelFolder, target: Target, description: manifest.Description, *,
    with_openvino: bool = True, openvino_tolerance: float = tolerances.OPENVINO,
    log: Callable[[str], None] = print,
) -> Path:  # fmt: skip
    """Exports every fold of `model`, checks each against eager nnU-Net and returns the new bundle's folder.

    The bundle appears under its name only when all of it is written and checked.
    """
    if not _NAME.fullmatch(target.name):
        raise ExportError(f"--name '{target.name}': expected letters, digits, '.', '_' or '-', at most 128")
    network = NetworkBuilder(model)
    with _new_bundle_folder(target) as (folder, version):
        records = manifest.FoldRecords()
        for fold, fold_network in network.folds():
            reference = verify.Reference(fold_network, network.shape)
            records.weight_bytes += memory.weight_bytes(fold_network)
            if not records.activation_bytes:
                records.activation_bytes = memory.activation_bytes(fold_network, reference.patches[0])
            script = folder / f"fold_{fold}.pt"
            torchscript.save(fold_network, reference.patches[0], script)
            agreement = reference.compare(torchscript.Runner(script), tolerances.TORCH, script.name)
            records.add("torch", fold, script.name, agreement)
            log(_line(script.name, agreement))
            if with_openvino:
                ir = folder / f"fold_{fold}.xml"
                openvino_ir.save(script, reference.patches[0], ir)
                allowed = openvino_tolerance * reference.logit_range()
                agreement = reference.compare(openvino_ir.Runner(ir), allowed, ir.name)
                records.add("openvino", fold, ir.name, agreement)
                log(_line(ir.name, agreement))
        for file in ("plans.json", "dataset.json"):
            shutil.copyfile(model.path / file, folder / file)
        if model.postprocessing:
            shutil.copyfile(model.postprocessing, folder / "postprocessing.json")
        content = manifest.make(target.name, version, model, network, records, description, folder)
        manifest.write(content, folder)
    return target.repository / target.name / str(version)


@contextlib.contextmanager
def _new_bundle_folder(target: Target) -> Iterator[tuple[Path, int]]:
    """A temporary folder beside the bundle's place, renamed to it when the block ends well, else removed."""
    parent = target.repository / target.name
    version = target.version if target.version is not None else _next_version(parent)
    final = parent / str(version)
    if final.exists():
        raise ExportError(f"--version {version}: {final} exists already; bundles are never overwritten")
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{version}-", dir=parent))
    try:
        yield folder, version
        folder.chmod(0o755)
        os.rename(folder, final)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            parent.rmdir()  # only when nothing else is in it
        raise


def _next_version(parent: Path) -> int:
    versions = [int(path.name) for path in parent.glob("*") if path.name.isdecimal()]
    return max(versions, default=0) + 1


def _line(file: str, agreement: verify.Agreement) -> str:
    return (
        f"{file}: largest difference from eager nnU-Net {agreement.max_abs_difference:.3g}, "
        f"allowed {agreement.tolerance:.3g}"
    )

"""Command line of nnseg-export."""

import argparse
import re
import sys
import tempfile
from pathlib import Path

from nnseg_export import ExportError, archive, inspection, precision_request, repository, tolerances
from nnseg_export.model_folder import DEFAULT_CHECKPOINT, FIND_RULES, NO_RULES, open_model_folder
from nnseg_export.repository import Target

_DESCRIPTION = """\
Turns a trained nnU-Net v2 model into a model bundle REPOSITORY/NAME/VERSION that nnseg-server loads: each fold as
TorchScript and as OpenVINO IR, both compared with eager nnU-Net on random patches, and a manifest with hashes.

`nnseg-export inspect BUNDLE` prints what is in a bundle and checks its hashes.
`nnseg-export precisions NAME[:VERSION] --output REPOSITORY --bf16 --int8 ...` judges lower precisions of a bundle and writes
its next version with them.
`nnseg-export ensemble --members NAME NAME --name NAME --output REPOSITORY` makes an ensemble of bundles.
"""
_WARNING = """\
Security: nnU-Net checkpoints are Python pickles. Loading one can run any code that its author put in. Export only
models from people you trust. The finished bundle holds no pickled Python objects of the model's author.

Exit status: 0 done, 1 the model or bundle was refused (the reason is printed), 2 wrong usage.
"""


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        if arguments[:1] == ["inspect"]:
            return _inspect(arguments[1:])
        if arguments[:1] == ["ensemble"]:
            return _ensemble(arguments[1:])
        if arguments[:1] == ["precisions"]:
            return _precisions(arguments[1:])
        return _export(arguments)
    except ExportError as error:
        print(f"nnseg-export: {error}", file=sys.stderr)
        return 1


def _inspect(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("nnseg-export inspect", description="Prints what a bundle holds; checks its hashes.")
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="folder <repository>/<name>/<version>")
    text, intact = inspection.report(parser.parse_args(arguments).bundle)
    print(text)
    if not intact:
        print("nnseg-export: files are missing or changed since the bundle was made", file=sys.stderr)
    return 0 if intact else 1


def _export(arguments: list[str]) -> int:
    options = _export_parser().parse_args(arguments)
    if not options.model.is_file():
        if options.configuration:
            raise ExportError("--configuration chooses inside a zip; a model folder has one configuration")
        return _export_folder(options.model, options)
    with tempfile.TemporaryDirectory(prefix="nnseg-export-") as unpacked:
        archive.unpack(options.model, Path(unpacked))
        return _export_folder(archive.find_model_folder(Path(unpacked), options.configuration), options)


def _export_folder(folder: Path, options: argparse.Namespace) -> int:
    request = precision_request.from_options(options)
    if options.skip_openvino and request.measures:
        raise ExportError("--skip-openvino: lower precisions run on OpenVINO")
    model = open_model_folder(folder, options.folds, options.checkpoint, options.postprocessing)
    from nnseg_export import bundle, manifest  # late: imports torch, which takes seconds

    path = bundle.export(
        model,
        Target(options.output, options.name, options.version),
        manifest.Description(options.intended_use, options.license, options.source),
        previous_stage=options.previous_stage,
        with_openvino=not options.skip_openvino,
        openvino_tolerance=options.tolerance,
        lower_precisions=request,
    )
    print(f"wrote {path}")
    return 0


def _ensemble(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "nnseg-export ensemble",
        description="Makes an ensemble of models of one repository: the server averages their class probabilities, as "
        "nnU-Net's nnUNetv2_ensemble does, and keeps the members resident.",
    )
    parser.add_argument("--members", required=True, nargs="+", metavar="NAME[:VERSION]",
        help="bundles of REPOSITORY in order of averaging; without a version the newest")  # fmt: skip
    parser.add_argument("--postprocessing", default=NO_RULES, metavar="FILE",
        help="postprocessing.json or .pkl of nnU-Net's ensemble folder (default: none)")  # fmt: skip
    _add_target(parser)
    options = parser.parse_args(arguments)
    from nnseg_export import ensemble, manifest, postprocessing

    rules = None if options.postprocessing == NO_RULES else postprocessing.read(Path(options.postprocessing))
    path = ensemble.export(
        options.members,
        Target(options.output, options.name, options.version),
        manifest.Description(options.intended_use, options.license, options.source),
        rules,
    )
    print(f"wrote {path}")
    return 0


def _precisions(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "nnseg-export precisions",
        description="Judges lower precisions of a bundle that exists, on the machine at hand, and writes its next version "
        "with what was found; networks and checkpoints stay as they are.",
    )
    parser.add_argument("model", metavar="NAME[:VERSION]", help="bundle of REPOSITORY; without a version the newest")
    parser.add_argument("--output", required=True, type=Path, metavar="REPOSITORY", help="model repository")
    parser.add_argument("--version", type=_version, metavar="N", help="of the new bundle (default: the next free integer)")
    precision_request.add_arguments(parser)
    options = parser.parse_args(arguments)
    request = precision_request.from_options(options)
    source = repository.find(options.output, options.model)
    from nnseg_export import bundle

    target = repository.Target(options.output, source.manifest["name"], options.version)
    print(f"wrote {bundle.add_precisions(source, target, request)}")
    return 0


def _add_target(parser: argparse.ArgumentParser) -> None:
    """The options that every new bundle has."""
    add = parser.add_argument
    add("--name", required=True, help="name of the model in the repository")
    add("--output", required=True, type=Path, metavar="REPOSITORY", help="model repository (made when missing)")
    add("--version", type=_version, metavar="N", help="version of the bundle (default: the next free integer)")
    add("--intended-use", default="Research only, not for clinical use.", metavar="TEXT",
        help="what the model may be used for (default: %(default)s)")
    add("--license", default="", metavar="TEXT", help="licence of the weights")
    add("--source", default="", metavar="TEXT", help="where the model comes from")  # fmt: skip


def _export_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "nnseg-export", description=_DESCRIPTION, epilog=_WARNING, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", metavar="MODEL_FOLDER", type=Path,
        help="nnU-Net model folder <trainer>__<plans>__<configuration>, or a zip by nnUNetv2_export_model_to_zip")
    _add_target(parser)
    add("--folds", type=_folds, metavar="K,K,...",
        help="folds in order of averaging, e.g. 0,1 or all; default: every fold with the checkpoint")
    add("--checkpoint", default=DEFAULT_CHECKPOINT, help="file name in each fold folder (default: %(default)s)")
    add("--configuration", help="chooses one of several configurations in a zip")
    add("--previous-stage", metavar="NAME[:VERSION]",
        help="for a cascade: the bundle of REPOSITORY that makes the previous stage's labels; without it each request "
        "must bring them")
    add("--postprocessing", default=FIND_RULES, metavar="FILE",
        help="postprocessing.json or .pkl with nnU-Net's rules, 'none', or 'find' (default): the model folder's or its "
        "cross-validation folder's")
    add("--skip-openvino", action="store_true", help="write TorchScript only")
    add("--tolerance", type=_tolerance, default=tolerances.OPENVINO, metavar="F",
        help="largest difference of OpenVINO's logits from eager nnU-Net, as a fraction of their range "
        "(default: %(default)s); TorchScript must always be equal to the bit")
    precision_request.add_arguments(parser)
    return parser  # fmt: skip


def _folds(text: str) -> tuple[str, ...]:
    folds = tuple(text.split(","))
    if not all(re.fullmatch(r"all|\d+", fold) for fold in folds) or len(set(folds)) != len(folds):
        raise argparse.ArgumentTypeError(f"'{text}': expected fold numbers or 'all', separated by commas, none twice")
    return tuple(fold if fold == "all" else str(int(fold)) for fold in folds)


def _version(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise argparse.ArgumentTypeError(f"'{text}': expected a positive integer")
    return int(text)


def _tolerance(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"'{text}': expected a fraction between 0 and 1")
    return value

"""Reads nnU-Net's post-processing rules, from its JSON or, where only that exists, from its pickle without trusting it.

The rules are `remove_all_but_largest_component_from_segmentation` with its arguments, step after step (nnU-Net 2.8.1,
postprocessing/remove_connected_components.py).
"""

import io
import json
import pickle
import reprlib
from collections.abc import Iterable
from pathlib import Path

from nnseg_export import ExportError

FILE_NAME = "postprocessing.json"
_FUNCTION = "remove_all_but_largest_component_from_segmentation"
_MODULE = "nnunetv2.postprocessing.remove_connected_components"
_MAX_BYTES = 1 << 20
_MAX_LABELS = 1 << 16  # of one step, nested lists counted as well


def find(folders: Iterable[Path]) -> Path | None:
    """The first postprocessing.json of `folders`, else the first postprocessing.pkl."""
    folders = list(folders)
    for name in (FILE_NAME, "postprocessing.pkl"):
        for folder in folders:
            if (folder / name).is_file():
                return folder / name
    return None


def read(path: Path) -> dict:
    """The rules as the object that stands in a bundle's postprocessing.json."""
    if not path.is_file():
        raise ExportError(f"{path.name}: file is missing in {path.parent}")
    content = path.read_bytes()
    if len(content) > _MAX_BYTES:
        raise ExportError(f"{path.name}: has {len(content)} bytes, at most {_MAX_BYTES} are read")
    functions, arguments = _from_pickle(path, content) if path.suffix == ".pkl" else _from_json(path, content)
    if len(functions) != len(arguments):
        raise ExportError(f"{path.name}: has {len(functions)} functions and {len(arguments)} sets of arguments")
    for function in functions:
        if function != _FUNCTION:
            raise ExportError(f"{path.name}: function is {reprlib.repr(function)}, expected {_FUNCTION}")
    return {
        "postprocessing_fns": list(functions),
        "postprocessing_kwargs": [_check_arguments(path, kwargs) for kwargs in arguments],
    }


def describe(rules: dict) -> list[str]:
    """One line for each step."""
    return [
        f"keep the largest component of {', '.join(map(str, kwargs['labels_or_regions']))}, "
        f"the rest becomes {kwargs['background_label']}"
        for kwargs in rules["postprocessing_kwargs"]
    ]


def _from_json(path: Path, content: bytes) -> tuple[list, list]:
    try:
        rules = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ExportError(f"{path.name}: is not valid JSON: {error}") from error
    for key in ("postprocessing_fns", "postprocessing_kwargs"):
        if not isinstance(rules, dict) or not isinstance(rules.get(key), list):
            raise ExportError(f"{path.name}: key {key} is missing or no list")
    return rules["postprocessing_fns"], rules["postprocessing_kwargs"]


class _RulesUnpickler(pickle.Unpickler):
    """Admits plain values and the name of the one known function; runs nothing."""

    def find_class(self, module: str, name: str) -> str:
        if (module, name) == (_MODULE, _FUNCTION):
            return _FUNCTION
        raise ExportError(f"postprocessing.pkl: names {module}.{name}, expected only {_MODULE}.{_FUNCTION}")


def _from_pickle(path: Path, content: bytes) -> tuple[list, list]:
    try:
        rules = _RulesUnpickler(io.BytesIO(content)).load()
    except ExportError:
        raise
    except Exception as error:
        raise ExportError(f"{path.name}: cannot be read: {error}") from error
    if not isinstance(rules, tuple) or len(rules) != 2 or not all(isinstance(part, list) for part in rules):
        raise ExportError(f"{path.name}: expected a pair of lists, functions and their arguments")
    return rules


def _check_arguments(path: Path, kwargs: object) -> dict:
    if not isinstance(kwargs, dict) or not {"labels_or_regions"} <= kwargs.keys() <= {"labels_or_regions", "background_label"}:
        raise ExportError(f"{path.name}: arguments are {reprlib.repr(kwargs)}, expected labels_or_regions and perhaps background_label")
    labels = sorted(set(_flatten(path, kwargs["labels_or_regions"])))
    background = kwargs.get("background_label", 0)
    if not labels or labels[0] < 1:
        raise ExportError(f"{path.name}: labels_or_regions is {reprlib.repr(labels)}, expected labels above 0")
    if not isinstance(background, int) or background < 0:
        raise ExportError(f"{path.name}: background_label is {reprlib.repr(background)}, expected a label")
    return {"labels_or_regions": labels, "background_label": background}


def _flatten(path: Path, value: object) -> list[int]:
    """The labels in any nesting of lists: all of it means their union. A pickle's lists may hold themselves."""
    labels: list[int] = []
    pending = [value]
    for _ in range(_MAX_LABELS):
        if not pending:
            return labels
        part = pending.pop()
        if isinstance(part, (list, tuple)) and len(pending) + len(part) <= _MAX_LABELS:
            pending.extend(part)
        elif isinstance(part, int) and not isinstance(part, bool):
            labels.append(part)
        else:
            raise ExportError(
                f"{path.name}: labels_or_regions holds {reprlib.repr(part)}, expected integers and lists of them"
            )
    raise ExportError(f"{path.name}: labels_or_regions holds more than {_MAX_LABELS} values")

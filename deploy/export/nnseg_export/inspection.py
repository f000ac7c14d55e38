"""Prints what a bundle holds and whether its files are still those that the manifest names."""

import json
from pathlib import Path

from nnseg_export import ExportError
from nnseg_export.manifest import FILE_NAME, sha256


def report(bundle: Path) -> tuple[str, bool]:
    """The text for people, and whether every file is present and unchanged."""
    path = bundle / FILE_NAME
    if not path.is_file():
        raise ExportError(f"{FILE_NAME}: file is missing in {bundle}")
    try:
        manifest = json.loads(path.read_bytes())
        states = {name: _state(bundle / name, entry) for name, entry in manifest["files"].items()}
        lines = [*_model_lines(manifest), "", *_engine_lines(manifest), "", *_file_lines(manifest, states)]
    except ValueError as error:
        raise ExportError(f"{FILE_NAME}: is not valid JSON: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ExportError(f"{FILE_NAME}: key {error} is missing or malformed") from error
    return "\n".join(lines), all(state == "ok" for state in states.values())


def _model_lines(m: dict) -> list[str]:
    model, memory = m["model"], m["expected_memory_bytes"]
    labels = ", ".join(f"{'+'.join(map(str, entry['values']))} {entry['name']}" for entry in m["labels"])
    rows = {
        "model": f"{m['name']} version {m['version']} (bundle format {m['format_version']}), created {m['created']}",
        "intended use": m["intended_use"],
        "source": m["provenance"]["source"] or "not stated",
        "licence": m["provenance"]["license"] or "not stated",
        "nnU-Net": f"{model['dataset_name']} / {model['trainer']} / {model['plans_name']} / {model['configuration']}",
        "checkpoint": model["checkpoint"],
        "folds": ", ".join(m["folds"]),
        "channels": ", ".join(m["channel_names"]),
        "network": f"{m['network_input_channels']} -> {m['network_output_channels']} channels, "
        f"patch {' x '.join(map(str, m['patch_size']))}, mirroring axes {m['mirroring_axes']}",
        "labels": labels,
        "memory": f"weights {_mib(memory['weights'])}, one patch {_mib(memory['activations'])}",
        "made with": ", ".join(f"{name} {version}" for name, version in m["producer"].items()),
    }
    if m["regions_class_order"]:
        rows["regions"] = f"painted in the order {m['regions_class_order']}"
    return [f"{key + ':':<14}{value}" for key, value in rows.items()]


def _engine_lines(m: dict) -> list[str]:
    lines = ["engine    fold  file           largest difference from eager nnU-Net"]
    for engine, folds in m["engines"].items():
        for fold, entry in folds.items():
            difference = f"{entry['max_abs_difference']:.3g} (allowed {entry['tolerance']:.3g})"
            lines.append(f"{engine:<10}{fold:<6}{entry['file']:<15}{difference}")
    return lines


def _file_lines(m: dict, states: dict[str, str]) -> list[str]:
    return [f"{name:<22}{m['files'][name]['size']:>12} bytes  {state}" for name, state in states.items()]


def _state(path: Path, entry: dict) -> str:
    if not path.is_file():
        return "MISSING"
    return "ok" if path.stat().st_size == entry["size"] and sha256(path) == entry["sha256"] else "CHANGED"


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"

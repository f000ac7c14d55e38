"""Prints what a bundle holds and whether its files are still those that the manifest names."""

import json
from pathlib import Path

from nnseg_export import ExportError, postprocessing
from nnseg_export.manifest import FILE_NAME, sha256


def report(bundle: Path) -> tuple[str, bool]:
    """The text for people, and whether every file is present and unchanged."""
    path = bundle / FILE_NAME
    if not path.is_file():
        raise ExportError(f"{FILE_NAME}: file is missing in {bundle}")
    try:
        manifest = json.loads(path.read_bytes())
        states = {name: _state(bundle / name, entry) for name, entry in manifest["files"].items()}
        if manifest.get("kind") == "ensemble":
            parts = [_ensemble_rows(manifest)]
        else:
            parts = [_model_rows(manifest), _engine_lines(manifest), _precision_lines(manifest)]
        lines = [line for part in (*parts, _rules_lines(bundle, manifest), _file_lines(manifest, states)) for line in (*part, "")]
    except ValueError as error:
        raise ExportError(f"{FILE_NAME}: is not valid JSON: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ExportError(f"{FILE_NAME}: key {error} is missing or malformed") from error
    return "\n".join(lines[:-1]), all(state == "ok" for state in states.values())


def _common_rows(m: dict) -> dict[str, str]:
    return {
        m.get("kind", "model"): f"{m['name']} version {m['version']} (bundle format {m['format_version']}), "
        f"created {m['created']}",
        "intended use": m["intended_use"],
        "source": m["provenance"]["source"] or "not stated",
        "licence": m["provenance"]["license"] or "not stated",
    }


def _label_rows(m: dict) -> dict[str, str]:
    labels = ", ".join(f"{'+'.join(map(str, entry['values']))} {entry['name']}" for entry in m["labels"])
    rows = {"channels": ", ".join(m["channel_names"]), "labels": labels}
    if m["regions_class_order"]:
        rows["regions"] = f"painted in the order {m['regions_class_order']}"
    return rows


def _ensemble_rows(m: dict) -> list[str]:
    rows = {
        **_common_rows(m),
        "members": ", ".join(f"{member['name']}:{member['version']}" for member in m["members"]),
        **_label_rows(m),
        "made with": _producer(m),
    }
    return _table(rows)


def _model_rows(m: dict) -> list[str]:
    model, memory = m["model"], m["expected_memory_bytes"]
    rows = {
        **_common_rows(m),
        "nnU-Net": f"{model['dataset_name']} / {model['trainer']} / {model['plans_name']} / {model['configuration']}",
        "checkpoint": model["checkpoint"],
        "folds": ", ".join(m["folds"]),
        "network": f"{m['network_input_channels']} -> {m['network_output_channels']} channels, "
        f"patch {' x '.join(map(str, m['patch_size']))}, mirroring axes {m['mirroring_axes']}",
        **_label_rows(m),
        "memory": f"weights {_mib(memory['weights'])}, one patch {_mib(memory['activations'])}",
        "made with": _producer(m),
    }
    if "previous_stage" in m:
        rows["prev. stage"] = f"{m['previous_stage']['name']}:{m['previous_stage']['version']}"
    return _table(rows)


def _producer(m: dict) -> str:
    return ", ".join(f"{name} {version}" for name, version in m["producer"].items())


def _table(rows: dict[str, str]) -> list[str]:
    return [f"{key + ':':<14}{value}" for key, value in rows.items()]


def _rules_lines(bundle: Path, m: dict) -> list[str]:
    if postprocessing.FILE_NAME not in m["files"]:
        return ["post-processing: none"]
    try:
        rules = postprocessing.read(bundle / postprocessing.FILE_NAME)
    except ExportError as error:
        return [f"post-processing: {error}"]
    return ["post-processing:", *(f"  {line}" for line in postprocessing.describe(rules))]


def _engine_lines(m: dict) -> list[str]:
    lines = ["engine    fold  file           largest difference from eager nnU-Net"]
    for engine, folds in m["engines"].items():
        for fold, entry in folds.items():
            difference = f"{entry['max_abs_difference']:.3g} (allowed {entry['tolerance']:.3g})"
            lines.append(f"{engine:<10}{fold:<6}{entry['file']:<15}{difference}")
    return lines


def _precision_lines(m: dict) -> list[str]:
    policy = f"a request that names no precision gets {m.get('precision_policy', 'fp32')}"
    entries = m.get("precisions", [])
    if not entries:
        return [f"lower precisions: none; {policy}"]
    lines = [f"lower precisions; {policy}"]
    for e in entries:
        lines.append(
            f"  {e['precision']} on {e['engine']}: {'passed' if e['passed'] else 'NOT passed'}, Dice {e['dice']:.4f} (limit "
            f"{e['dice_limit']:g}), equal {e['equal_fraction']:.5f} (limit {e['equal_fraction_limit']:g}), {e['volumes']} "
            f"volumes, time {e['relative_time']:.2f} of fp32; {e['recipe']}"
        )
    return lines


def _file_lines(m: dict, states: dict[str, str]) -> list[str]:
    return [f"{name:<22}{m['files'][name]['size']:>12} bytes  {state}" for name, state in states.items()]


def _state(path: Path, entry: dict) -> str:
    if not path.is_file():
        return "MISSING"
    return "ok" if path.stat().st_size == entry["size"] and sha256(path) == entry["sha256"] else "CHANGED"


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"

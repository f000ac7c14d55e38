"""Writes an ensemble bundle: models of a repository whose class probabilities the server averages."""

import json
import shutil
from pathlib import Path

from nnseg_export import ExportError, manifest, postprocessing, repository


def export(
    members: list[str], target: repository.Target, description: manifest.Description, rules: dict | None
) -> Path:
    """Makes an ensemble of the bundles that `members` name (NAME or NAME:VERSION), in that order of averaging."""
    bundles = [repository.find(target.repository, text) for text in members]
    _check(bundles)
    with target.new_folder() as (folder, version):
        shutil.copyfile(bundles[0].folder / "dataset.json", folder / "dataset.json")
        if rules is not None:
            (folder / postprocessing.FILE_NAME).write_text(json.dumps(rules, indent=2) + "\n")
        content = manifest.make_ensemble(target.name, version, bundles, description, folder)
        manifest.write(content, folder)
    return target.repository / target.name / str(version)


def _check(bundles: list[repository.Bundle]) -> None:
    if len(bundles) < 2:
        raise ExportError(f"--members: got {len(bundles)}, expected at least 2")
    titles = [bundle.title for bundle in bundles]
    if len(set(titles)) != len(titles):
        raise ExportError(f"--members: {', '.join(titles)} names a bundle twice")
    for bundle in bundles:
        if bundle.is_ensemble:
            raise ExportError(f"{bundle.title}: is an ensemble itself, expected models")
        repository.check_fit(bundles[0].manifest, bundle, bundles[0].title, manifest.IMAGE_AND_LABELS)

"""Model repositories: `<repository>/<name>/<version>` is a bundle."""

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nnseg_export import ExportError

MANIFEST = "manifest.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Target:
    """Where a bundle goes: `<repository>/<name>/<version>`; version None takes the next free integer."""

    repository: Path
    name: str
    version: int | None

    @contextlib.contextmanager
    def new_folder(self) -> Iterator[tuple[Path, int]]:
        """A temporary folder beside the bundle's place, renamed to it when the block ends well, else removed."""
        if not _NAME.fullmatch(self.name):
            raise ExportError(f"--name '{self.name}': expected letters, digits, '.', '_' or '-', at most 64")
        parent = self.repository / self.name
        version = self.version if self.version is not None else max(_versions(parent), default=0) + 1
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


@dataclass(frozen=True)
class Bundle:
    """A bundle that another one refers to."""

    folder: Path
    manifest: dict

    @property
    def reference(self) -> dict:
        return {"name": self.manifest["name"], "version": self.manifest["version"]}

    @property
    def title(self) -> str:
        return f"{self.manifest['name']}:{self.manifest['version']}"

    @property
    def is_ensemble(self) -> bool:
        return self.manifest.get("kind") == "ensemble"


def find(repository: Path, text: str) -> Bundle:
    """The bundle that NAME or NAME:VERSION names; without a version the newest."""
    name, _, version = text.partition(":")
    versions = _versions(repository / name) if _NAME.fullmatch(name) else []
    if not versions or (version and version not in map(str, versions)):
        known = ", ".join(map(str, sorted(versions))) or "none"
        raise ExportError(f"{text}: {repository} holds no such bundle (versions of '{name}': {known})")
    folder = repository / name / (version or str(max(versions)))
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        bundle = Bundle(folder, manifest)
        _ = bundle.reference, manifest["labels"], manifest["channel_names"], manifest["image_reader_writer"]
    except (OSError, ValueError) as error:
        raise ExportError(f"{text}: its {MANIFEST} cannot be read: {error}") from error
    except (KeyError, TypeError) as error:
        raise ExportError(f"{text}: its {MANIFEST} lacks the key {error}") from error
    return bundle


def check_fit(first: dict, other: Bundle, who: str, keys: tuple[str, ...]) -> None:
    """Refuses `other` unless it agrees with the manifest `first` in all `keys`."""
    for key in keys:
        if first.get(key) != other.manifest.get(key):
            raise ExportError(f"{other.title}: {key} is {other.manifest.get(key)}, expected {first.get(key)} as {who} has")


def _versions(parent: Path) -> list[int]:
    return [int(path.name) for path in parent.glob("*") if re.fullmatch(r"[1-9]\d{0,8}", path.name)]

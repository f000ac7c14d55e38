"""Unpacks the zip that nnU-Net's export_model_to_zip writes, trusting nothing in it."""

import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from nnseg_export import ExportError

MAX_MEMBERS = 100_000
MAX_UNPACKED_BYTES = 32 << 30

_NEEDED_SUFFIXES = (".json", ".pth")


def unpack(archive: Path, target: Path, max_bytes: int = MAX_UNPACKED_BYTES) -> None:
    """Unpacks the JSON files and checkpoints of `archive` below `target`.

    Every member is checked before the first is written: relative names without '..', plain files and folders only, no
    name twice, at most MAX_MEMBERS members and `max_bytes` bytes after unpacking.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            members = content.infolist()
            _check_members(archive.name, members, max_bytes)
            for member in members:
                if not member.is_dir() and member.filename.endswith(_NEEDED_SUFFIXES):
                    path = target / member.filename
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with content.open(member) as source, path.open("xb") as sink:
                        shutil.copyfileobj(source, sink, 1 << 20)
    except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
        raise ExportError(f"{archive.name}: cannot be unpacked: {error}") from error


def find_model_folder(root: Path, configuration: str | None) -> Path:
    """The one model folder below `root`, or the one of `configuration` when there are several."""
    found = sorted(path.parent for path in root.rglob("plans.json") if any(path.parent.glob("fold_*")))
    if configuration is not None:
        found = [path for path in found if path.name.split("__")[-1] == configuration]
    if len(found) == 1:
        return found[0]
    names = ", ".join(str(path.relative_to(root)) for path in found) or "none"
    raise ExportError(f"the zip must hold one model folder, found: {names}; --configuration chooses among several")


def _check_members(archive: str, members: list[zipfile.ZipInfo], max_bytes: int) -> None:
    if len(members) > MAX_MEMBERS:
        raise ExportError(f"{archive}: has {len(members)} members, at most {MAX_MEMBERS} are unpacked")
    total = sum(member.file_size for member in members)
    if total > max_bytes:
        raise ExportError(f"{archive}: unpacks to {total} bytes, at most {max_bytes} are unpacked")
    seen = set()
    for member in members:
        name = member.orig_filename
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts or "\\" in name or ":" in name or "\0" in name:
            raise ExportError(f"{archive}: member name {name!r} leaves the target folder")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ExportError(f"{archive}: member {name!r} is a link or device, expected plain files and folders")
        if member.flag_bits & 0x1:
            raise ExportError(f"{archive}: member {name!r} is encrypted")
        if parts in seen:
            raise ExportError(f"{archive}: member {name!r} occurs twice")
        seen.add(parts)

#!/usr/bin/env python3
"""Compares every #include of core/, proto/, server/ and client/ with the ladder of ARCHITECTURE.md.

usage: include_ladder.py [ROOT]

Prints each line that reaches for a folder or a library that its own folder may not use; exit 1 when there are any.
"""

import pathlib
import re
import sys

# A folder may include itself and all rungs below its own; folders on one rung do not see each other.
LADDER = [
    ["core/base"],
    ["core/geometry"],
    ["core/volume"],
    ["core/resample"],
    ["core/plan"],
    ["core/preprocess", "core/postprocess", "core/ensemble", "core/tiling", "core/convolution"],
    ["core/inference"],
    ["core/restore", "core/model"],
    ["core/pipeline"],
    ["core/inference/torch", "core/inference/openvino"],  # leaves: see LEAF_CEILING
    ["proto/wire"],
    ["server", "client"],
]
# The engines implement core/inference: they stand high so that nothing includes them, yet need only what is below it.
LEAF_CEILING = {"core/inference/torch": "core/inference", "core/inference/openvino": "core/inference"}
LEAVES = set(LEAF_CEILING)
# The sources of the server's program, beside its library: they alone know the engines.
ENGINE_USERS = {"server/main.cc", "server/engines.cc"}

# Libraries and where their headers may be named. A pattern is matched against the text between the brackets or quotes.
GENERATED = r"segmentation/v1/.*\.pb\.h$|inference/.*\.pb\.h$"
LIBRARIES = [
    ("torch", r"(torch|ATen|c10|caffe2)/", r"core/inference/torch/[^/]*\.cc$"),
    ("OpenVINO", r"openvino/", r"core/inference/openvino/[^/]*\.cc$"),
    ("protobuf", r"google/(protobuf|rpc)/|" + GENERATED, r"(proto|server|client)/"),
    ("gRPC", r"grpc(pp)?/|grpc/", r"(proto|server|client)/"),
    ("spdlog", r"spdlog/", r"(server|client)/"),
    ("ITK", r"itk[A-Z0-9]\w*\.h$", r"client/"),
    ("prometheus-cpp", r"prometheus/", r"server/"),
    ("CLI11", r"CLI/", r"(server|client)/"),
]

INCLUDE = re.compile(r'\s*#\s*include\s*[<"]([^>"]+)[>"]')
ROOTS = ("core", "proto", "server", "client")


def folder_of(path):
    """The ladder's folder that holds `path`: the longest name that is one of its parents. None: on no rung."""
    names = [name for rung in LADDER for name in rung]
    held = [name for name in names if path.startswith(name + "/")]
    return max(held, key=len) if held else None


def rung_of(folder):
    return next(number for number, rung in enumerate(LADDER) if folder in rung)


def may_include(path, folder, other):
    if other == folder:
        return True
    if other in LEAVES:
        return path in ENGINE_USERS
    if folder in LEAF_CEILING:
        return rung_of(other) <= rung_of(LEAF_CEILING[folder])
    return rung_of(other) < rung_of(folder)


def offence(path, include):
    """Why the file `path` may not include `include` (both relative to the root), or None."""
    for name, pattern, allowed in LIBRARIES:
        if re.match(pattern, include):
            return None if re.match(allowed, path) else f"{name} headers do not belong here"
    other = folder_of(include)
    if other is None:
        return "no rung of the ladder holds it" if include.startswith(tuple(r + "/" for r in ROOTS)) else None
    folder = folder_of(path)
    if folder is None:
        return "the file itself stands on no rung of the ladder"
    return None if may_include(path, folder, other) else f"{folder} may not use {other}"


def check(root):
    """Offending lines as "file:line: include "x": reason", and the number of includes read."""
    offences, count = [], 0
    files = sorted(f for top in ROOTS for f in (root / top).rglob("*") if f.suffix in (".h", ".cc"))
    for file in files:
        path = file.relative_to(root).as_posix()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            match = INCLUDE.match(line)
            if match:
                count += 1
                reason = offence(path, match.group(1))
                if reason:
                    offences.append(f'{path}:{number}: #include "{match.group(1)}": {reason}')
    return offences, count


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    offences, count = check(root)
    for text in offences:
        print(text)
    print(f"include ladder: {count} includes, {len(offences)} offences")
    return 1 if offences or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())

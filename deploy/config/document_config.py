#!/usr/bin/env python3
"""Writes docs/configuration.md from the comments and defaults in server/server_config.proto.

    deploy/config/document_config.py            writes the page
    deploy/config/document_config.py --check    fails when the page is not current
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "server" / "server_config.proto"
PAGE = ROOT / "docs" / "configuration.md"

INTRODUCTION = """# Configuration of nnseg-server

    nnseg-server --model-repository DIR --listen HOST:PORT --http HOST:PORT [--config FILE] [--validate-only]

A flag wins over the file, the file over the default. The file is a text proto of `ServerConfig`: see
[server.textproto](../deploy/config/server.textproto) for an example. An unknown field or a value out of range is an error
that names its place. `--validate-only` checks the configuration, prints it with all defaults and exits; the server logs
the same text when it starts.

This page is made from [server_config.proto](../server/server_config.proto) by `deploy/config/document_config.py`.
"""

FIELD = re.compile(r"(optional|repeated) (\w+) (\w+) = \d+(?: \[default = (.+)\])?;")


def main() -> int:
    page = render(SCHEMA.read_text())
    if "--check" not in sys.argv:
        PAGE.write_text(page)
        return 0
    if PAGE.read_text() != page:
        print("docs/configuration.md is not current: run deploy/config/document_config.py")
        return 1
    return 0


def render(schema: str) -> str:
    lines = [INTRODUCTION]
    comment: list[str] = []
    for line in map(str.strip, schema.splitlines()):
        if line.startswith("//"):
            comment.append(line.removeprefix("//").strip())
            continue
        if line.startswith("syntax"):
            lines.append(" ".join(comment) + "\n")
        elif line.startswith("message "):
            name = line.split()[1]
            lines.append(f"## {name}\n\n{' '.join(comment)}\n")
            lines.append("| field | type | default | meaning |\n| --- | --- | --- | --- |")
        elif match := FIELD.match(line):
            kind, type_name, field, default = match.groups()
            lines.append(
                f"| `{field}` | {type_column(kind, type_name)} "
                f"| {default_column(kind, type_name, default)} | {' '.join(comment)} |"
            )
        elif line == "}":
            lines.append("")
        comment = []
    return "\n".join(lines).rstrip() + "\n"


def type_column(kind: str, type_name: str) -> str:
    shown = f"[{type_name}](#{type_name.lower()})" if type_name[0].isupper() else type_name
    return f"list of {shown}" if kind == "repeated" else shown


def default_column(kind: str, type_name: str, default: str | None) -> str:
    if default is not None:
        return f"`{default}`"
    return "" if type_name[0].isupper() else "empty"


if __name__ == "__main__":
    sys.exit(main())

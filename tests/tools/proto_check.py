#!/usr/bin/env python3
"""Checks the habits of the wire: comments, a versioned package, enums that start with UNSPECIFIED.

usage: proto_check.py PROTO_ROOT FILE...   (files relative to the root; needs protoc and python3-protobuf)

Every service, rpc, message, oneof and enum has a comment, and so has every field; the comment above the first of several
adjacent fields speaks for the group. Values of an enum need one only where the enum's own comment does not suffice.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2

# Field numbers of descriptor.proto along which a source location's path runs.
MESSAGES, ENUMS, SERVICES, NESTED_MESSAGES, FIELDS, NESTED_ENUMS, METHODS, ONEOFS = 4, 5, 6, 3, 2, 4, 2, 8


class FileCheck:
    def __init__(self, file):
        self.file = file
        self.locations = {tuple(location.path): location for location in file.source_code_info.location}
        self.faults = []

    def run(self):
        package = self.file.package
        if not re.search(r"\.v[0-9]+(alpha|beta)?[0-9]*$", package):
            self.faults.append(f"{self.file.name}: package '{package}' does not end in a version such as .v1")
        for index, message in enumerate(self.file.message_type):
            self.check_message(message, (MESSAGES, index))
        for index, enum in enumerate(self.file.enum_type):
            self.check_enum(enum, (ENUMS, index))
        for index, service in enumerate(self.file.service):
            self.need_comment(f"service {service.name}", (SERVICES, index))
            for number, method in enumerate(service.method):
                self.need_comment(f"rpc {service.name}.{method.name}", (SERVICES, index, METHODS, number))
        return self.faults

    def check_message(self, message, path):
        self.need_comment(f"message {message.name}", path)
        group_end = None  # last line of the field above, if a comment covers it
        for index, field in enumerate(message.field):
            location = self.locations[path + (FIELDS, index)]
            adjacent = group_end is not None and location.span[0] == group_end + 1
            if self.has_comment(location) or adjacent:
                group_end = location.span[0] if len(location.span) == 3 else location.span[2]
            else:
                self.fault(f"field {message.name}.{field.name} has no comment", location)
        for index, oneof in enumerate(message.oneof_decl):
            if (path + (ONEOFS, index)) in self.locations:
                self.need_comment(f"oneof {message.name}.{oneof.name}", path + (ONEOFS, index))
        for index, nested in enumerate(message.nested_type):
            if not nested.options.map_entry:
                self.check_message(nested, path + (NESTED_MESSAGES, index))
        for index, enum in enumerate(message.enum_type):
            self.check_enum(enum, path + (NESTED_ENUMS, index))

    def check_enum(self, enum, path):
        self.need_comment(f"enum {enum.name}", path)
        prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.name).upper()
        zero = enum.value[0]
        if zero.number != 0 or zero.name != prefix + "_UNSPECIFIED":
            self.fault(f"enum {enum.name} must begin with {prefix}_UNSPECIFIED = 0, got {zero.name} = {zero.number}",
                       self.locations[path])

    @staticmethod
    def has_comment(location):
        return bool(location.leading_comments.strip() or location.trailing_comments.strip())

    def need_comment(self, what, path):
        location = self.locations[path]
        if not self.has_comment(location):
            self.fault(f"{what} has no comment", location)

    def fault(self, text, location):
        self.faults.append(f"{self.file.name}:{location.span[0] + 1}: {text}")


def check(root, files):
    """The faults of the .proto files, one line each."""
    with tempfile.NamedTemporaryFile(suffix=".pb") as output:
        subprocess.run(["protoc", f"-I{root}", "--include_source_info", f"--descriptor_set_out={output.name}", *files],
                       check=True)
        descriptors = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(output.name).read_bytes())
    return [fault for file in descriptors.file for fault in FileCheck(file).run()]


def main():
    root, files = sys.argv[1], sys.argv[2:]
    faults = check(root, files)
    for fault in faults:
        print(fault)
    print(f"proto check: {len(files)} files, {len(faults)} faults")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())

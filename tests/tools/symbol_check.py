#!/usr/bin/env python3
"""Compares the names that libtorch_cpu and libprotobuf export: one process loads both.

usage: symbol_check.py LIBTORCH_CPU LIBPROTOBUF

libtorch_cpu carries a protobuf of its own inside. As long as it exports none of the protobuf runtime, the two live side by
side; a name exported by both would bind to whichever library was loaded first, and corrupt memory. Instances of the standard
library's templates are shared by any two C++ libraries and are harmless. Exit 1 on any other shared name.
"""

import subprocess
import sys

HARMLESS = ("std::", "void std::", "typeinfo for std::", "vtable for std::", "guard variable for std::",
            "typeinfo name for std::", "__gnu_cxx::", "bool std::", "unsigned long std::")


def exported(library):
    """Mangled names of the functions and objects that `library` defines for others."""
    lines = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1].split("@")[0] for line in lines.splitlines()}


def demangled(names):
    text = subprocess.run(["c++filt"], input="\n".join(names), check=True, capture_output=True, text=True).stdout
    return text.splitlines()


def main():
    torch, protobuf = (exported(library) for library in sys.argv[1:3])
    shared = demangled(sorted(torch & protobuf))
    harmful = [name for name in shared if not name.startswith(HARMLESS)]
    for name in harmful:
        print(name)
    print(f"symbol check: {len(torch)} and {len(protobuf)} names exported, {len(shared)} by both, {len(harmful)} harmful")
    return 1 if harmful or not torch or not protobuf else 0


if __name__ == "__main__":
    sys.exit(main())

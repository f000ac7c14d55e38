"""What the figures were measured on."""

import importlib.metadata
import os
import platform
import subprocess
import time
from pathlib import Path

_INSTRUCTIONS = (
    "avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8",
)  # fmt: skip
_PACKAGES = ("nnunetv2", "torch", "openvino", "nncf", "numpy", "scipy", "scikit-image")


def cpu_flags() -> set[str]:
    return set(_cpuinfo("flags").split())


def describe(threads: int, server: Path, build: str) -> list[tuple[str, str]]:
    """Name and value of all that has a say in the figures; load is that of this moment."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    version = subprocess.run([server, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    packages = [f"{name} {_version(name)}" for name in _PACKAGES]
    return [
        ("date", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())),
        ("CPU", processor()),
        ("cores", f"{len(os.sched_getaffinity(0))} usable of {os.cpu_count()}"),
        ("threads", f"{threads}, on every side"),
        ("instruction sets", instruction_sets()),
        ("memory", f"{memory:.0f} GiB"),
        ("system", f"{platform.system()} {platform.release()}, Python {platform.python_version()}"),
        ("nnseg", f"{version}, {build}"),
        ("packages", ", ".join(packages)),
        ("load average at the start", load()),
    ]


def processor() -> str:
    return f"{_cpuinfo('model name')}, family {_cpuinfo('cpu family')}, model {_cpuinfo('model')}"


def instruction_sets() -> str:
    flags = cpu_flags()
    return ", ".join(name for name in _INSTRUCTIONS if name in flags)


def load() -> str:
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def _cpuinfo(key: str) -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"

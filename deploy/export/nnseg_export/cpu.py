"""What this machine's processor can run."""

from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


def has_bf16() -> bool:
    """Whether it multiplies bfloat16 in hardware; without, OpenVINO would convert back and forth and gain nothing."""
    return bool(_flags() & {"avx512_bf16", "amx_bf16"})


def has_int8() -> bool:
    """Whether it sums products of 8-bit integers in 32 bits; older ones saturate at 16, and the network goes wrong."""
    return bool(_flags() & {"avx512_vnni", "avx_vnni", "amx_int8"})


def _flags() -> set[str]:
    if not _CPUINFO.is_file():
        return set()
    for line in _CPUINFO.read_text().splitlines():
        if line.startswith("flags"):
            return set(line.split(":", 1)[1].split())
    return set()

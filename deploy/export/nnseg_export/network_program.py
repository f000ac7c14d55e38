"""Runs networks by nnseg-network, the program that runs them as the server does."""

import contextlib
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch

from nnseg_export import ExportError


class ProgramRunner:
    """An OpenVINO network in the server's own hands: (1, C, *patch) f32 -> logits (1, heads, *patch) f32.

    The program ends with the runner.
    """

    def __init__(self, program: Path, file: Path, precision: str, example: torch.Tensor, heads: int):
        self._name = file.name
        self._shape = (1, heads, *example.shape[2:])
        self._errors = tempfile.TemporaryFile()
        command = [
            program, "--engine", "openvino", "--precision", precision, "--file", file, "--channels", example.shape[1],
            "--heads", heads, "--patch", *example.shape[2:], "--threads", torch.get_num_threads(),
        ]  # fmt: skip
        self._process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
        )

    def __call__(self, patch: torch.Tensor) -> torch.Tensor:
        logits = np.empty(self._shape, np.float32)
        try:
            self._process.stdin.write(patch.contiguous().numpy())
            self._process.stdin.flush()
            complete = self._process.stdout.readinto(memoryview(logits).cast("B")) == logits.nbytes
        except BrokenPipeError:
            complete = False
        if not complete:
            self._process.wait()
            self._errors.seek(0)
            raise ExportError(f"{self._name}: {self._errors.read().decode(errors='replace').strip()}")
        return torch.from_numpy(logits)

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
        self._errors.close()

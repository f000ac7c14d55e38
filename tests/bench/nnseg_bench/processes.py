"""Peers that run as processes of their own: asked line by line, and their memory."""

import json
import subprocess
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from pathlib import Path


class PeerError(RuntimeError):
    """A peer has ended; the text has the last line that it wrote to its standard error."""


class Peer:
    """A program that answers each line of its standard input by one line."""

    def __init__(self, process: subprocess.Popen, log: Path):
        self._process = process
        self._log = log
        self._read()  # it says that it is ready

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, line: str) -> str:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._read()

    def ask_json(self, **request) -> dict:
        return json.loads(self.ask(json.dumps(request)))

    def _read(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            last_words = self._log.read_text().strip().splitlines()[-1:]
            raise PeerError(f"{Path(self._process.args[0]).name} ended with code {self._process.wait()}: {''.join(last_words)}")
        return line.strip()


@contextmanager
def peer(command: Sequence[str | Path], environment: dict[str, str], log: Path):
    """Runs `command` until the block ends; its standard error goes to `log`."""
    with log.open("a") as errors, subprocess.Popen(
        list(map(str, command)), env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
    ) as process:  # fmt: skip
        try:
            yield Peer(process, log)
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def reset_peak(pid: int) -> None:
    """Lets VmHWM begin anew at the memory that the process holds now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_mib(pid: int) -> float:
    return _status_kib(pid, "VmHWM") / 1024


def resident_mib(pid: int) -> float:
    return _status_kib(pid, "VmRSS") / 1024


def _status_kib(pid: int, key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0])
    raise RuntimeError(f"/proc/{pid}/status has no {key}")

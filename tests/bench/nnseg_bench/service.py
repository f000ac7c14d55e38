"""The server and the client, as users run them."""

import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """One request as its client saw it. Times are seconds since 1970."""

    begin: float
    end: float
    stages: list[tuple[str, float]]  # when each began
    labels: list[float]  # when each block of labels came
    report: dict  # what the server says that it did

    @property
    def seconds(self) -> float:
        return self.end - self.begin

    @property
    def network_seconds(self) -> float:
        """The wait for the network, as the server counts it."""
        return self.stage_seconds("network")

    def stage_seconds(self, stage: str) -> float:
        return sum(timing["seconds"] for timing in self.report["timings"] if timing["stage"] == stage)

    @property
    def pass_seconds(self) -> float:
        return self.network_seconds / self.report["passes"]


class Service:
    """A running server and the client program that calls it."""

    def __init__(self, binaries: Path, address: str, http: str, pid: int):
        self._client = binaries / "nnseg"
        self.address = address
        self.http = http
        self.pid = pid

    def segment(self, model: str, image: Path, options: Sequence[str], output: Path) -> None:
        """Writes the label file."""
        self._run("segment", image, "--model", model, "--output", output, *options)

    def start_requests(self, model: str, image: Path, options: Sequence[str], trace: Path, requests=1, clients=1):
        """Sends requests from `clients` connections; the process ends when all are answered: see read_trace."""
        return subprocess.Popen(self._command(
            "bench", image, "--model", model, "--requests", requests, "--clients", clients, "--trace", trace, *options
        ), stdout=subprocess.DEVNULL)  # fmt: skip

    def requests(self, model: str, image: Path, options: Sequence[str], requests=1, clients=1) -> list[Request]:
        with tempfile.TemporaryDirectory() as folder:
            trace = Path(folder) / "trace.json"
            with self.start_requests(model, image, options, trace, requests, clients) as client:
                if client.wait() != 0:
                    raise RuntimeError(f"nnseg bench ended with code {client.returncode}")
            return read_trace(trace)

    def precisions(self, model: str) -> list[dict]:
        """What lower precisions the model was tried in (GetModelResponse.precisions)."""
        return json.loads(self._run("models", model, "--json").stdout).get("precisions", [])

    def _run(self, *arguments):
        done = subprocess.run(self._command(*arguments), capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"nnseg {arguments[0]} ended with code {done.returncode}: {done.stderr.strip()[-400:]}")
        return done

    def _command(self, *arguments) -> list[str]:
        return [str(self._client), *map(str, arguments), "--server", self.address]


def read_trace(path: Path) -> list[Request]:
    """What `nnseg bench --trace` wrote, in the order in which the requests began."""
    trace = json.loads(path.read_bytes())
    origin = trace["origin_unix_s"]
    requests = [
        Request(
            begin=origin + entry["begin_s"],
            end=origin + entry["end_s"],
            stages=[(stage["stage"], origin + stage["at_s"]) for stage in entry["stages"]],
            labels=[origin + at for at in entry["labels_at_s"]],
            report=entry["report"],
        )
        for entry in trace["requests"]
    ]
    return sorted(requests, key=lambda request: request.begin)


@contextmanager
def running_server(binaries: Path, bundles: dict[str, Path], threads: int, log: Path):
    """The server on `bundles` (each by its model's name), ready to serve."""
    address, http = _free_addresses()
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "models"
        repository.mkdir()
        for name, bundle in bundles.items():
            (repository / name).mkdir()
            (repository / name / bundle.name).symlink_to(bundle.resolve())
        config = Path(folder) / "server.textproto"
        config.write_text(f"engines {{ threads: {threads} }}\n")
        command = [binaries / "nnseg-server", "--model-repository", repository, "--config", config]
        command += ["--listen", address, "--http", http]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        with log.open("a") as output, subprocess.Popen(command, env=environment, stdout=output) as server:
            try:
                _wait_until_ready(binaries, address, server)
                yield Service(binaries, address, http, server.pid)
            finally:
                server.terminate()
                try:
                    server.wait(150)
                except subprocess.TimeoutExpired:
                    server.kill()


def _wait_until_ready(binaries: Path, address: str, server: subprocess.Popen) -> None:
    health = [binaries / "nnseg", "health", "--server", address]
    deadline = time.monotonic() + 300
    while subprocess.run(health, capture_output=True).returncode != 0:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with code {server.returncode}")
        if time.monotonic() > deadline:
            raise RuntimeError("the server was not ready within five minutes")
        time.sleep(0.2)


def _free_addresses() -> list[str]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = [f"127.0.0.1:{probe.getsockname()[1]}" for probe in probes]
    for probe in probes:
        probe.close()
    return addresses

"""Writes one fold's network as TorchScript and runs such a file."""

import io
import warnings
from pathlib import Path

import torch


def save(network: torch.nn.Module, example: torch.Tensor, path: Path) -> None:
    """Traces the network at the fixed shape of `example`, (1, Cin, *patch) f32.

    The file is not frozen: a loader may still move it to another device or data type.
    """
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecation of torch.jit, and Python branches on shapes, which are fixed here
        traced = torch.jit.trace(network, example, check_trace=False)
        content = io.BytesIO()
        torch.jit.save(traced, content)
    _write_without_debug_records(content, path)


def _write_without_debug_records(content: io.BytesIO, path: Path) -> None:
    """Leaves out the records that map code to source lines: they name folders of the machine that exported."""
    content.seek(0)
    reader = torch._C.PyTorchFileReader(content)
    written_by_itself = ("version", ".data/")
    with path.open("wb") as file:
        writer = torch._C.PyTorchFileWriter(file)
        for name in reader.get_all_records():
            if not name.endswith(".debug_pkl") and not name.startswith(written_by_itself):
                record = reader.get_record(name)
                writer.write_record(name, record, len(record))
        writer.write_end_of_file()


class Runner:
    """The saved file, loaded again: what is checked is what is shipped."""

    def __init__(self, path: Path):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._network = torch.jit.load(str(path), map_location="cpu")

    def __call__(self, patch: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return self._network(patch)

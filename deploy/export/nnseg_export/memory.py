"""Estimates the memory that a network needs, for the server's admission of models."""

import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode


def weight_bytes(network: torch.nn.Module) -> int:
    """Bytes of all parameters and buffers; shared tensors count once."""
    tensors = {t.data_ptr(): t for t in (*network.parameters(), *network.buffers())}
    return sum(t.numel() * t.element_size() for t in tensors.values())


def activation_bytes(network: torch.nn.Module, patch: torch.Tensor) -> int:
    """Largest sum of intermediate tensors alive at one time in an eager f32 pass over one patch.

    An estimate for a server: scratch memory inside the kernels and what an engine's allocator keeps come on top.
    """
    with torch.no_grad(), _LiveTensors() as live:
        network(patch)
    return live.peak


class _LiveTensors(TorchDispatchMode):
    """Follows the storage of every tensor that an operation makes, from its birth to its last reference."""

    def __init__(self):
        super().__init__()
        self.peak = 0
        self._alive = 0
        self._references: dict[int, int] = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        inputs = {a.data_ptr() for a in args if isinstance(a, torch.Tensor)}
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(tensor, torch.Tensor) and tensor.numel() and tensor.data_ptr() not in inputs:
                self._born(tensor)
        return result

    def _born(self, tensor: torch.Tensor) -> None:
        address, size = tensor.untyped_storage().data_ptr(), tensor.untyped_storage().nbytes()
        self._references[address] = self._references.get(address, 0) + 1
        if self._references[address] == 1:
            self._alive += size
            self.peak = max(self.peak, self._alive)
        weakref.finalize(tensor, self._died, address, size)

    def _died(self, address: int, size: int) -> None:
        self._references[address] -= 1
        if self._references[address] == 0:
            self._alive -= size

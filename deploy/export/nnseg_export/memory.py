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
    """Follows the storage of every tensor that an operation makes, from its birth to the death of its last view."""

    def __init__(self):
        super().__init__()
        self.peak = 0
        self._alive = 0
        self._views: dict[int, int] = {}  # storage address -> living tensors on it

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        given = {a.untyped_storage().data_ptr() for a in args if isinstance(a, torch.Tensor)}
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(tensor, torch.Tensor):
                address = tensor.untyped_storage().data_ptr()
                if address in self._views or address not in given:  # not a view of the patch or of a weight
                    self._follow(tensor, address)
        return result

    def _follow(self, tensor: torch.Tensor, address: int) -> None:
        size = tensor.untyped_storage().nbytes()
        if address not in self._views:
            self._views[address] = 0
            self._alive += size
            self.peak = max(self.peak, self._alive)
        self._views[address] += 1
        weakref.finalize(tensor, self._died, address, size)

    def _died(self, address: int, size: int) -> None:
        self._views[address] -= 1
        if not self._views[address]:
            del self._views[address]
            self._alive -= size

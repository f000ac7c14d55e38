"""How long a network's pass takes against another's on this machine."""

import statistics
import time

import torch

from nnseg_export.case_prediction import Network

_ROUNDS = 7


def relative(network: Network, reference: Network, tile: torch.Tensor) -> float:
    """Time of a pass of `network` / time of a pass of `reference`: the median of pairs run one after the other, so that
    other load on the machine meets both."""
    _seconds(network, tile), _seconds(reference, tile)  # the first pass allocates
    return statistics.median(_seconds(network, tile) / _seconds(reference, tile) for _ in range(_ROUNDS))


def _seconds(network: Network, tile: torch.Tensor) -> float:
    start = time.perf_counter()
    network(tile)
    return time.perf_counter() - start

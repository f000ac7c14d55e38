"""The search for quantised networks that pass the accuracy gate: the fastest first."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import openvino
import torch

from nnseg_export import openvino_ir, quantisation

_TILES = 4  # on which the layers' sensitivities are measured
_STEPS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55)  # layers left out, as long as there are others


@dataclass(frozen=True)
class Recipe:
    """Which layers are not quantised."""

    left_out: tuple[str, ...]
    words: str


def recipes(quantised: openvino.Model, tiles: Sequence[torch.Tensor]) -> Iterator[Recipe]:
    """Leaves out ever more layers: first those whose quantisation costs most accuracy for the time it saves."""
    multiplications = quantisation.layers(quantised)
    yield Recipe((), "all layers")
    errors = _errors(quantised, tiles)
    ranking = sorted(errors, key=lambda name: errors[name] / multiplications[name], reverse=True)
    for count in _STEPS[1:]:
        if count < len(ranking):
            names = tuple(ranking[:count])
            words = "; ".join(quantisation.describe(quantised, name) for name in names)
            yield Recipe(names, f"all layers but {count} of {len(ranking)} ({words})")


def run(recipes: Iterable[Recipe], precisions: Iterable[str], passes: Callable[[str, Recipe], bool]) -> None:
    """Tries each recipe in every precision that has not passed with an earlier one."""
    searching = list(precisions)
    for recipe in recipes:
        searching = [precision for precision in searching if not passes(precision, recipe)]
        if not searching:
            return


def _errors(quantised: openvino.Model, tiles: Sequence[torch.Tensor]) -> dict[str, float]:
    """Mean square error of the logits when one layer alone is quantised."""
    names = quantisation.layers(quantised)
    tiles = tiles[:: max(1, len(tiles) // _TILES)][:_TILES]
    exact = openvino_ir.Runner(quantisation.leaving_out(quantised, names))
    expected = [exact(tile) for tile in tiles]
    errors = {}
    for name in names:
        network = openvino_ir.Runner(quantisation.leaving_out(quantised, names.keys() - {name}))
        errors[name] = sum(
            float((network(tile) - logits).square().mean()) for tile, logits in zip(tiles, expected, strict=True)
        )
    return errors

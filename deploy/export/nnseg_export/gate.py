"""The accuracy gate: a network in lower precision is served only if its label maps hardly differ from those in fp32."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnseg_export.case_prediction import Case, CasePredictor, Network
from nnseg_export.precision_request import Limits


@dataclass(frozen=True)
class Score:
    """The worst of what was compared."""

    dice: float  # lowest of any label
    label: int  # which had it
    equal_fraction: float

    def passes(self, limits: Limits) -> bool:
        return self.dice >= limits.dice and self.equal_fraction >= limits.equal_fraction


def compare(expected: np.ndarray, got: np.ndarray) -> Score:
    """Compares two label maps. Labels that neither holds are left out; one that only one of them holds has Dice 0."""
    dice = {}
    for label in np.union1d(np.unique(expected), np.unique(got)):
        a, b = expected == label, got == label
        dice[int(label)] = 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))
    label = min(dice, key=dice.__getitem__)
    return Score(float(dice[label]), label, float(np.mean(expected == got)))


def worst(scores: Sequence[Score]) -> Score:
    lowest = min(scores, key=lambda score: score.dice)
    return Score(lowest.dice, lowest.label, min(score.equal_fraction for score in scores))


class Gate:
    """Held-out cases of a model and each fold's label maps of them in fp32, computed once."""

    def __init__(self, predictor: CasePredictor, cases: Sequence[Case], fp32: dict[str, Network]):
        self._predictor = predictor
        self._cases = cases
        self._fp32 = fp32
        self._expected: dict[str, list[np.ndarray]] = {}

    @property
    def volumes(self) -> int:
        return len(self._cases)

    def judge(self, fold: str, network: Network) -> Score:
        """How far the whole prediction with `network` departs from that with the fold's fp32 network."""
        if fold not in self._expected:
            self._expected[fold] = [self._predictor.labels(case, self._fp32[fold]) for case in self._cases]
        return worst(
            [
                compare(expected, self._predictor.labels(case, network))
                for case, expected in zip(self._cases, self._expected[fold], strict=True)
            ]
        )

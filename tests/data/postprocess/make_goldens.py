"""Writes the goldens of this folder with nnU-Net 2.8.1's own post-processing.

    python make_goldens.py [FOLDER SEED COUNT]            (needs nnunetv2==2.8.1)

A case is a label map, postprocessing.json's rules and the map that nnU-Net makes of it; cases.json lists them. With
arguments it writes COUNT random cases to another FOLDER, where NNSEG_TEST_DATA/postprocess can look for them.
"""

import json
import sys
from pathlib import Path

import numpy as np
from nnunetv2.postprocessing.remove_connected_components import apply_postprocessing
from nnunetv2.postprocessing.remove_connected_components import remove_all_but_largest_component_from_segmentation


def as_rule(labels, background=0):
    """kwargs of one step; tuples are regions."""
    kwargs = {"labels_or_regions": labels}
    return kwargs | {"background_label": background} if background else kwargs


def blobs(rng, shape, labels, density):
    """Labels in random clumps: noise, smoothed a little, above a threshold."""
    field = rng.standard_normal(shape)
    for axis in range(3):
        field = field + 0.7 * np.roll(field, 1, axis)
    inside = field > np.quantile(field, 1 - density)
    return np.where(inside, rng.integers(1, labels + 1, shape), 0).astype(np.uint16)


def hand_made():
    ties = np.zeros((3, 4, 9), np.uint16)
    ties[0, 0, :2] = ties[2, 3, 7:] = 1
    ties[1, 1, 5] = 1
    diagonal = np.zeros((4, 5, 6), np.uint16)
    for i in range(4):
        diagonal[i, i, i] = 2  # touch at corners only
    diagonal[0, 4, 3:5] = 2
    diagonal[3, 0, :3] = 1
    rng = np.random.default_rng(11)
    everywhere = [[1, 2, 3]]
    yield "ties", ties, [as_rule(1)]
    yield "diagonal_contact", diagonal, [as_rule(2)]
    yield "empty_class", diagonal, [as_rule([7])]
    yield "whole_map", np.ones((3, 4, 5), np.uint16), [as_rule([1])]
    yield "clumps", blobs(rng, (16, 18, 20), 3, 0.2), [as_rule(r) for r in everywhere] + [as_rule(2)]
    yield "regions", blobs(rng, (16, 18, 20), 3, 0.25), [as_rule([(1, 2, 3)]), as_rule([(2, 3)]), as_rule([3])]
    yield "other_background", blobs(rng, (12, 13, 14), 3, 0.15), [as_rule([1, 2], 3), as_rule([3])]
    yield "background_in_the_mask", blobs(rng, (9, 10, 11), 8, 0.97), [as_rule([0, 1], 2)]
    yield "picture", blobs(rng, (1, 48, 40), 3, 0.3), [as_rule([1, 2, 3]), as_rule(1)]
    yield "one_column", blobs(rng, (30, 40, 1), 2, 0.3), [as_rule([1, 2])]
    yield "wide_labels", blobs(rng, (8, 9, 10), 300, 0.3), [as_rule(list(range(1, 301)))]


def random_cases(rng, count):
    for i in range(count):
        shape = tuple(int(n) for n in rng.integers(1, 24, 3))
        labels = int(rng.integers(1, 5))
        rules = []
        for _ in range(int(rng.integers(1, 4))):
            chosen = [int(n) for n in rng.permutation(labels + 1)[: rng.integers(1, labels + 2)]]
            form = rng.integers(3)
            rules.append(as_rule(chosen[0] if form == 0 else chosen if form == 1 else [tuple(chosen)],
                                 int(rng.integers(3)) if rng.random() < 0.3 else 0))
        yield f"random_{i}", blobs(rng, shape, labels, rng.uniform(0.02, 0.7)), rules


def flattened(labels):
    if isinstance(labels, int):
        return [labels]
    return sorted({label for entry in labels for label in flattened(entry)})


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    cases = random_cases(np.random.default_rng(int(sys.argv[2])), int(sys.argv[3])) if len(sys.argv) > 1 else hand_made()
    index = []
    for name, labels, rules in cases:
        result = apply_postprocessing(labels, [remove_all_but_largest_component_from_segmentation] * len(rules), rules)
        np.save(folder / f"labels_{name}.npy", labels)
        np.save(folder / f"result_{name}.npy", np.ascontiguousarray(result))
        index.append(dict(name=name, rules=[dict(labels=flattened(rule["labels_or_regions"]),
                                                 background=rule.get("background_label", 0)) for rule in rules]))
    (folder / "cases.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()

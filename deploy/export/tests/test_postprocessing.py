"""Post-processing rules come over whole, and a pickle of them runs nothing."""

import json
import pickle

import pytest

from nnseg_export import ExportError, postprocessing

FUNCTION = "remove_all_but_largest_component_from_segmentation"


def write_json(path, functions, arguments):
    path.write_text(json.dumps({"postprocessing_fns": functions, "postprocessing_kwargs": arguments}))
    return path


def test_json_rules_are_normalised(tmp_path):
    path = write_json(
        tmp_path / "postprocessing.json",
        [FUNCTION, FUNCTION],
        [{"labels_or_regions": [[2, 3], 1]}, {"labels_or_regions": 4, "background_label": 1}],
    )
    assert postprocessing.read(path)["postprocessing_kwargs"] == [
        {"labels_or_regions": [1, 2, 3], "background_label": 0},
        {"labels_or_regions": [4], "background_label": 1},
    ]


def test_pickle_of_nnunet_gives_the_same_as_its_json(tmp_path):
    from nnunetv2.postprocessing.remove_connected_components import remove_all_but_largest_component_from_segmentation

    arguments = [{"labels_or_regions": [(1, 2), 3]}, {"labels_or_regions": 2}]
    path = tmp_path / "postprocessing.pkl"
    path.write_bytes(pickle.dumps(([remove_all_but_largest_component_from_segmentation] * 2, arguments)))
    expected = write_json(tmp_path / "postprocessing.json", [FUNCTION] * 2, arguments)
    assert postprocessing.read(path) == postprocessing.read(expected)


def test_json_is_preferred_to_the_pickle(tmp_path):
    (tmp_path / "postprocessing.pkl").write_bytes(b"")
    assert postprocessing.find([tmp_path]).name == "postprocessing.pkl"
    write_json(tmp_path / "postprocessing.json", [], [])
    assert postprocessing.find([tmp_path]).name == "postprocessing.json"
    assert postprocessing.find([tmp_path / "elsewhere"]) is None


class Attack:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_pickle_that_names_anything_else_is_refused_and_does_not_run(tmp_path):
    path = tmp_path / "postprocessing.pkl"
    path.write_bytes(pickle.dumps(([Attack(tmp_path / "owned")], [{"labels_or_regions": 1}])))
    with pytest.raises(ExportError, match="expected only nnunetv2"):
        postprocessing.read(path)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("functions", "arguments", "text"),
    [
        ([FUNCTION], [], "has 1 functions and 0 sets of arguments"),
        (["fill_holes"], [{"labels_or_regions": 1}], "function is 'fill_holes'"),
        ([FUNCTION], [{"labels_or_regions": 0}], "expected labels above 0"),
        ([FUNCTION], [{"labels_or_regions": "a"}], "holds 'a'"),
        ([FUNCTION], [{"labels_or_regions": 1, "minimum": 3}], "expected labels_or_regions"),
        ([FUNCTION], [{"labels_or_regions": 1, "background_label": -1}], "background_label is -1"),
    ],
)
def test_other_rules_are_refused(functions, arguments, text, tmp_path):
    with pytest.raises(ExportError, match=text):
        postprocessing.read(write_json(tmp_path / "postprocessing.json", functions, arguments))


def test_truncated_pickle_is_refused(tmp_path):
    path = tmp_path / "postprocessing.pkl"
    path.write_bytes(pickle.dumps(([], []))[:-3])
    with pytest.raises(ExportError, match="cannot be read"):
        postprocessing.read(path)


def test_pickle_whose_lists_hold_one_another_without_end_is_refused(tmp_path):
    path = tmp_path / "postprocessing.pkl"
    circle = []
    circle.append(circle)
    explosion = [1]
    for _ in range(64):
        explosion = [explosion, explosion]
    for labels in (circle, explosion):
        path.write_bytes(pickle.dumps(([FUNCTION], [{"labels_or_regions": labels}])))
        with pytest.raises(ExportError, match="holds more than 65536 values"):
            postprocessing.read(path)


def test_json_nested_too_deep_is_refused(tmp_path):
    path = tmp_path / "postprocessing.json"
    path.write_text("[" * 200_000)
    with pytest.raises(ExportError, match="is not valid JSON"):
        postprocessing.read(path)

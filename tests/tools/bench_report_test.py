"""The benchmark's tables say what was measured, and no more."""

import csv
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

from nnseg_bench import precision_table, report
from nnseg_bench.goals import Goal, goals
from nnseg_bench.report import Row, Skip


class Verdict(unittest.TestCase):
    def test_lower_is_better_unless_said_otherwise(self):
        time = Goal("time", 0.33, 0.26)
        self.assertEqual([time.verdict(ratio) for ratio in (0.26, 0.33, 0.34)], ["stretch", "pass", "MISS"])
        speed = Goal("speed", 25, 60, higher=True)
        self.assertEqual([speed.verdict(ratio) for ratio in (60, 25, 24.9)], ["stretch", "pass", "MISS"])

    def test_a_goal_without_stretch_is_passed_or_missed(self):
        self.assertEqual([Goal("", 0).verdict(ratio) for ratio in (0, 1)], ["pass", "MISS"])

    def test_less_is_asked_of_a_cpu_without_avx512(self):
        self.assertLess(goals(False)["sgemm-fp32"].must, goals(True)["sgemm-fp32"].must)

    def test_every_stretch_is_harder_than_its_must(self):
        for key, goal in goals(True).items():
            if goal.stretch is not None:
                self.assertIn(goal.verdict(goal.stretch), ("stretch",), key)
                self.assertNotEqual(goal.verdict(goal.must), "stretch", key)


class Tables(unittest.TestCase):
    ROWS = [Row("network", "net 64³, openvino", 200.0, "GFLOP/s", "sgemm", 175.4, 1.14, "sgemm-fp32", "a note")]

    def test_what_no_row_speaks_of_is_not_measured(self):
        table = report.goal_table(self.ROWS, {"sgemm-fp32": Goal("fp32", 1.1, 1.3, True), "other": Goal("other", 2)})
        self.assertIn("| fp32 | ≥ 1.1 | ≥ 1.3 | 1.14 | pass |", table)
        self.assertIn("| other | ≤ 2 |  | not measured |  |", table)

    def test_a_figure_stands_beside_its_peer(self):
        self.assertIn("| net 64³, openvino | 200 GFLOP/s | sgemm: 175 GFLOP/s | 1.14 | a note |", report.part_table(self.ROWS))

    def test_reasons_of_what_was_left_out_are_told(self):
        text = report.markdown([("CPU", "some")], self.ROWS, [Skip("gpu", "no CUDA device")], goals(True))
        self.assertIn("- gpu: no CUDA device", text)
        self.assertIn("| CPU | some |", text)

    def test_the_csv_file_holds_every_field(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "results.csv"
            report.write_csv(self.ROWS, path)
            with path.open() as file:
                (row,) = csv.DictReader(file)
        self.assertEqual((row["against_value"], row["ratio"], row["goal"]), ("175.4", "1.14", "sgemm-fp32"))

    def test_the_summary_has_only_headlines(self):
        rows = [*self.ROWS, Row("end to end", "S1, openvino fp32", 3.1, "s", "warm nnU-Net", 15.5, 0.2, "s1-fp32")]
        table = report.summary_table(rows, goals(True))
        self.assertIn("| S1, openvino fp32 | 3.1 s | warm nnU-Net: 15.5 s | 0.2 |", table)
        self.assertNotIn("GFLOP/s", table)


class Ratio(unittest.TestCase):
    def test_is_the_median_of_paired_runs(self):
        self.assertEqual(report.paired_ratio([1, 8, 3], [2, 4, 4]), 0.75)


class Page(unittest.TestCase):
    PAGE = "a\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nb\n"

    def test_only_what_stands_between_the_comments_is_replaced(self):
        page = report.replace_between(self.PAGE, "bench", "new\n")
        self.assertEqual(page, "a\n<!-- bench:begin -->\n\nnew\n\n<!-- bench:end -->\nb\n")
        self.assertEqual(report.replace_between(page, "bench", "new\n"), page)

    def test_a_page_without_the_comments_is_refused(self):
        with self.assertRaises(ValueError):
            report.replace_between("a\n", "bench", "new")

    def test_the_projects_pages_have_them(self):
        root = pathlib.Path(__file__).resolve().parents[2]
        for name in ("README.md", "docs/performance.md"):
            report.replace_between((root / name).read_text(encoding="utf-8"), "bench", "")
        report.replace_between((root / "docs/performance.md").read_text(encoding="utf-8"), "precisions", "")


class Precisions(unittest.TestCase):
    RECORD = {
        "precision": "int8_bf16", "passed": True, "dice": 0.99512, "equal_fraction": 0.99765, "relative_time": 0.414,
        "recipe": "NNCF; the rest in bfloat16; quantised: all layers but 5 of 17 (1 -> 16 channels; 16 -> 5 channels)",
    }  # fmt: skip

    def test_a_row_tells_what_a_precision_reached(self):
        passed = precision_table.Result("S1-3d_fullres", self.RECORD, (0.98123, 0.9951))
        self.assertIn(
            "| S1-3d_fullres | int8_bf16 | passed | 0.9951 | 99.77 % | 0.41 | 12 of 17 | 0.9812, 99.51 % |",
            precision_table.table([passed]),
        )
        failed = precision_table.Result("S2-2d", {**self.RECORD, "precision": "int8", "passed": False}, None)
        self.assertIn("| S2-2d | int8 | NOT passed |", precision_table.table([failed]))

    def test_recipes_are_told_in_short(self):
        recipes = ("all layers in bfloat16", "NNCF; the rest in fp32; quantised: all layers", self.RECORD["recipe"])
        self.assertEqual([*map(precision_table.quantised_layers, recipes)], ["none", "all", "12 of 17"])

    def test_no_volume_both_calibrates_and_judges(self):
        for volumes in precision_table.VOLUMES.values():
            cases = [*volumes.calibration, *volumes.gate, *volumes.parts]
            self.assertEqual(len(cases), len(set(cases)))

    def test_a_previous_stage_comes_before_its_cascade(self):
        plans = '{"configurations": {"3d_cascade_fullres": {"previous_stage": "3d_lowres"}, "3d_lowres": {}}}'
        with tempfile.TemporaryDirectory() as folder:
            for configuration in ("3d_cascade_fullres", "3d_lowres"):
                model = pathlib.Path(folder) / "Dataset005_Cascade" / f"nnUNetTrainer__nnUNetPlans__{configuration}"
                model.mkdir(parents=True)
                (model / "plans.json").write_text(plans)
            found = [*precision_table.find_models(pathlib.Path(folder))]
        self.assertEqual([model.name for model in found], ["S5-3d_lowres", "S5-3d_cascade_fullres"])


if __name__ == "__main__":
    unittest.main()

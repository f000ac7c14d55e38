"""The benchmark's tables say what was measured, and no more."""

import csv
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

from nnseg_bench import report
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


if __name__ == "__main__":
    unittest.main()

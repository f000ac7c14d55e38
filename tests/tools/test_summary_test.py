"""The summary counts honestly: nothing that failed, died or was skipped is lost."""

import pathlib
import tempfile
import unittest

import test_summary

CTEST = '<testsuite><testcase name="unit.box" status="{status}">{inner}</testcase></testsuite>'
GTEST = """<testsuites><testsuite name="Box">
<testcase classname="Box" name="IsHalfOpen" status="run" result="completed"/>
<testcase classname="Box" name="NeedsAGpu" status="run" result="skipped"><skipped message="box_test.cc:3&#10;no GPU"/></testcase>
{more}</testsuite></testsuites>"""


class TestSummary(unittest.TestCase):
    def count(self, rc, **files):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name) / "step"
            (folder / "gtest").mkdir(parents=True)
            (folder / "rc").write_text(str(rc))
            for file, text in files.items():
                path = folder / ("gtest/box_test.xml" if file == "gtest" else f"{file}.xml")
                path.write_text(text)
            count = test_summary.count_step(folder)
            return count.passed, count.failures, count.skips

    def test_a_step_without_tests_is_one_check(self):
        self.assertEqual(self.count(0), (1, [], []))
        self.assertEqual(self.count(2), (0, ["step"], []))

    def test_cases_are_counted_where_reported(self):
        report = GTEST.format(more='<testcase classname="Box" name="Breaks"><failure/></testcase>')
        ctest = CTEST.format(status="fail", inner="<failure/>")
        self.assertEqual(self.count(8, ctest=ctest, gtest=report), (1, ["Box.Breaks"], ["Box.NeedsAGpu: no GPU"]))

    def test_an_executable_that_died_is_a_failure(self):
        ctest = CTEST.format(status="fail", inner="<failure/>")
        self.assertEqual(self.count(8, ctest=ctest), (0, ["unit.box"], []))
        self.assertEqual(self.count(8, ctest=ctest, gtest=GTEST.format(more=""))[1], ["unit.box"])

    def test_a_test_that_was_not_built_is_a_failure(self):
        self.assertEqual(self.count(0, ctest=CTEST.format(
            status="notrun", inner='<skipped message="Unable to find executable"/>'))[1], ["unit.box"])

    def test_a_test_that_asked_to_be_skipped_is_skipped(self):
        ctest = CTEST.format(status="notrun", inner='<skipped message="SKIP_RETURN_CODE=77"/>')
        self.assertEqual(self.count(0, ctest=ctest), (0, [], ["unit.box: SKIP_RETURN_CODE=77"]))

    def test_a_failed_step_with_passing_tests_is_a_failure(self):
        self.assertEqual(self.count(1, ctest=CTEST.format(status="run", inner="")), (1, ["step"], []))

    def test_pytest_reports_are_counted(self):
        report = '<testsuites><testsuite><testcase classname="a" name="b"/><testcase classname="a" name="c"><error/></testcase></testsuite></testsuites>'
        self.assertEqual(self.count(1, pytest=report), (1, ["a.c"], []))


if __name__ == "__main__":
    unittest.main()

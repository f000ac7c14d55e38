#!/usr/bin/env python3
"""Adds up what the steps of deploy/test.sh left in their result folders.

usage: test_summary.py RESULTS_FOLDER

Each step's folder holds `rc` (exit status) and `seconds`; a step that ran tests also holds ctest.xml (JUnit, by CTest), gtest/
(one XML for each GoogleTest executable) or pytest.xml. Test cases are counted where their reports stand; an executable that
died without a report is one failure, and so is a step that failed for another reason. A step without tests is one check.
Prints the failures, the skipped cases with their reasons, a table and, last, the totals; exit 1 unless all passed.
"""

import dataclasses
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


@dataclasses.dataclass
class Count:
    passed: int = 0
    failures: list = dataclasses.field(default_factory=list)
    skips: list = dataclasses.field(default_factory=list)

    def add(self, name, outcome, reason=""):
        if outcome == "passed":
            self.passed += 1
        elif outcome == "failed":
            self.failures.append(name)
        else:
            self.skips.append(f"{name}: {reason}")


def reason_of(element):
    text = (element.get("message") or element.text or "").strip()
    return text.splitlines()[-1].strip() if text else "no reason given"


def add_report(count, file):
    """Adds the cases of a JUnit-like report (GoogleTest's or pytest's)."""
    for case in ElementTree.parse(file).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            count.add(name, "failed")
        elif skipped is not None:
            count.add(name, "skipped", reason_of(skipped))
        elif case.get("status") != "notrun":  # notrun: a DISABLED_ case of GoogleTest
            count.add(name, "passed")
        else:
            count.add(name, "skipped", "disabled")


def add_ctest(count, folder):
    for case in ElementTree.parse(folder / "ctest.xml").iter("testcase"):
        name, status = case.get("name"), case.get("status")
        report = folder / "gtest" / f"{name.partition('.')[2]}_test.xml"
        skipped = case.find("skipped")
        failures_before = len(count.failures)
        if report.exists():
            add_report(count, report)
            if status == "fail" and len(count.failures) == failures_before:
                count.add(name, "failed")
        elif status == "run":
            count.add(name, "passed")
        elif skipped is not None and reason_of(skipped).startswith(("SKIP_", "Disabled")):
            count.add(name, "skipped", reason_of(skipped))
        else:
            count.add(name, "failed")


def count_step(folder):
    count = Count()
    rc = int((folder / "rc").read_text())
    ctest, pytest = folder / "ctest.xml", folder / "pytest.xml"
    if ctest.exists():
        add_ctest(count, folder)
    if pytest.exists():
        add_report(count, pytest)
    if rc != 0 and not count.failures:
        count.add(folder.name, "failed")
    elif rc == 0 and not ctest.exists() and not pytest.exists():
        count.add(folder.name, "passed")
    return count


def main():
    folders = sorted((f for f in pathlib.Path(sys.argv[1]).iterdir() if (f / "rc").exists()),
                     key=lambda folder: (folder / "rc").stat().st_mtime_ns)
    counts = {folder.name: count_step(folder) for folder in folders}
    seconds = {folder.name: int((folder / "seconds").read_text()) for folder in folders}
    for step, count in counts.items():
        for name in count.skips:
            print(f"skipped in {step}: {name}")
    for step, count in counts.items():
        for name in count.failures:
            print(f"FAILED in {step}: {name} (log: {pathlib.Path(sys.argv[1]) / step / 'log'})")
    print(f"\n{'step':<16} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for step, count in counts.items():
        print(f"{step:<16} {count.passed:>7} {len(count.failures):>7} {len(count.skips):>8} {seconds[step]:>8}")
    passed = sum(count.passed for count in counts.values())
    failed = sum(len(count.failures) for count in counts.values())
    skipped = sum(len(count.skips) for count in counts.values())
    print(f"{'all':<16} {passed:>7} {failed:>7} {skipped:>8} {sum(seconds.values()):>8}\n")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

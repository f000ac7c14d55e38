"""What was measured, and its tables."""

import csv
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from nnseg_bench.goals import Goal


@dataclass(frozen=True)
class Row:
    """One figure. `ratio` is the median of what paired runs gave, not the quotient of the two medians beside it."""

    part: str
    what: str
    value: float
    unit: str
    against: str = ""  # the peer of the same run
    against_value: float | None = None
    ratio: float | None = None
    goal: str = ""  # key of goals.goals
    note: str = ""


@dataclass(frozen=True)
class Skip:
    """What was not measured, and why."""

    part: str
    reason: str


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median of the ratios of runs that followed one another."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def number(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return ""
    if value == int(value) and abs(value) < 1e7:
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write_csv(rows: Iterable[Row], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def goal_table(rows: Sequence[Row], goals: dict[str, Goal]) -> str:
    """Must, stretch, what was measured and whether it is enough; what no row speaks of is said to be not measured."""
    lines = ["| what | must | stretch | measured | |", "| --- | --- | --- | --- | --- |"]
    for key, goal in goals.items():
        ratios = [row.ratio for row in rows if row.goal == key and row.ratio is not None]
        measured = number(ratios[0]) if ratios else "not measured"
        verdict = goal.verdict(ratios[0]) if ratios else ""
        lines.append(f"| {goal.text} | {goal.limit(goal.must)} | {goal.limit(goal.stretch)} | {measured} | {verdict} |")
    return "\n".join(lines)


def part_table(rows: Iterable[Row]) -> str:
    lines = ["| what | measured | against | ratio | |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        against = f"{row.against}: {number(row.against_value)} {row.unit}" if row.against_value is not None else row.against
        lines.append(f"| {row.what} | {number(row.value)} {row.unit} | {against} | {number(row.ratio)} | {row.note} |")
    return "\n".join(lines)


def summary_table(rows: Sequence[Row], goals: dict[str, Goal]) -> str:
    """The few lines that a reader in a hurry wants: whole requests against nnU-Net."""
    lines = ["| request | nnseg | nnU-Net | nnseg / nnU-Net |", "| --- | --- | --- | --- |"]
    for row in rows:
        if row.goal in goals and goals[row.goal].headline and row.ratio is not None:
            lines.append(
                f"| {row.what} | {number(row.value)} {row.unit} | {row.against}: {number(row.against_value)} {row.unit} "
                f"| {number(row.ratio)} |"
            )
    return "\n".join(lines)


def markdown(
    machine: Sequence[tuple[str, str]], rows: Sequence[Row], skips: Sequence[Skip], goals: dict[str, Goal],
    pictures: Sequence[str] = (),
) -> str:  # fmt: skip
    """The whole report; headings are of the third level, so that it fits into a page. `pictures`: their addresses."""
    blocks = ["### Machine", "\n".join(["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in machine)])]
    blocks += ["### What it must show", goal_table(rows, goals), *(f"![{Path(name).stem}]({name})" for name in pictures)]
    for part in dict.fromkeys(row.part for row in rows):
        blocks += [f"### {part.capitalize()}", part_table(row for row in rows if row.part == part)]
    if skips:
        blocks += ["### Left out", "\n".join(f"- {skip.part}: {skip.reason}" for skip in skips)]
    return "\n\n".join(blocks) + "\n"


def replace_between(page: str, name: str, content: str) -> str:
    """`page` with what stands between its two comments `name:begin` and `name:end` replaced."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page must hold {begin} and {end} once each")
    head, rest = page.split(begin)
    return f"{head}{begin}\n\n{content.strip()}\n\n{end}{rest.split(end)[1]}"

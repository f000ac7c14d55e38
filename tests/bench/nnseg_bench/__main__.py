"""nnseg-bench: measures nnseg against nnU-Net on this machine. deploy/bench.sh builds what it needs and runs it.

Leaves in --output: results.csv, results.md and the pictures *.png. What cannot be measured here is left out with a
reason. Exit status: 0 when every part ran, 1 when one failed (the others' figures are written all the same).
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import traceback
from pathlib import Path

from nnseg_bench import machine, report
from nnseg_bench.bench import ROOT, Bench
from nnseg_bench.goals import goals


def _parts() -> dict:
    from nnseg_bench import concurrency_part, end_to_end_part, memory_part, network_part, resampling_part

    parts = (network_part, resampling_part, end_to_end_part, concurrency_part, memory_part)
    return {part.PART.replace(" ", "-"): part for part in parts}


def main() -> int:
    options = _parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # lets the blocks end that hold servers and peers
    parts = _parts()
    chosen = options.only.split(",") if options.only else list(parts)
    if unknown := set(chosen) - set(parts):
        print(f"bench: no part {', '.join(sorted(unknown))}; there are {', '.join(parts)}", file=sys.stderr)
        return 2
    options.output.mkdir(parents=True, exist_ok=True)
    bench = Bench(options.binaries.resolve(), options.output.resolve(), options.threads, options.quick)
    facts = machine.describe(bench.threads, bench.binaries / "nnseg-server", _build())
    for name, value in facts:
        bench.say(f"{name}: {value}")
    failed = []
    for name, part in parts.items():
        if name not in chosen:
            bench.load_part(part.PART)
            continue
        bench.say(f"--- {name}")
        try:
            part.run(bench)
        except Exception:  # one part's failure must not cost the others
            traceback.print_exc()
            bench.skip(part.PART, f"failed: {traceback.format_exc(limit=0).strip().splitlines()[-1]}")
            failed.append(name)
        bench.save_part(part.PART)
    facts.append(("load average at the end", machine.load()))
    _write(bench, facts, options.write_docs)
    if failed:
        bench.say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser("deploy/bench.sh", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--only", metavar="PART,...", help="only these parts; the others' figures are those of the last run, if any")
    add("--quick", action="store_true", help="small sizes and one round: shows that all works, the figures mean nothing")
    add("--threads", type=int, default=len(os.sched_getaffinity(0)), help="on every side (default: usable cores)")
    add("--output", type=Path, default=ROOT / "out/bench", metavar="DIR", help="default: out/bench")
    add("--binaries", type=Path, default=ROOT / "build/release/bin", metavar="DIR", help=argparse.SUPPRESS)
    add("--write-docs", action="store_true", help="also put tables and pictures into docs/performance.md and README.md")
    return parser.parse_args()


def _build() -> str:
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return f"revision {done.stdout.strip()}" if done.returncode == 0 else "revision unknown"


def _write(bench: Bench, facts: list[tuple[str, str]], write_docs: bool) -> None:
    from nnseg_bench import pictures

    held_against = goals("avx512f" in machine.cpu_flags())
    drawn = pictures.draw_all(bench.rows, held_against, bench.output / "data", bench.output)

    def text(folder: str) -> str:
        names = [folder + path.name for path in drawn if path.name != pictures.TIMELINE]
        return report.markdown(facts, bench.rows, bench.skips, held_against, names)

    (bench.output / "results.md").write_text(text(""))
    report.write_csv(bench.rows, bench.output / "results.csv")
    if write_docs:
        page = ROOT / "docs/performance.md"
        page.write_text(report.replace_between(page.read_text(), "bench", text("images/")))
        readme = ROOT / "README.md"
        readme.write_text(report.replace_between(readme.read_text(), "bench", report.summary_table(bench.rows, held_against)))
        for picture in drawn:
            shutil.copyfile(picture, ROOT / "docs/images" / picture.name)
    print(text(""))
    bench.say(f"tables and pictures are in {bench.output}")


if __name__ == "__main__":
    sys.exit(main())

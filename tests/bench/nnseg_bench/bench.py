"""What all parts of the benchmark share."""

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nnseg_bench.report import Row, Skip

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Bench:
    """One run: its settings and what it has found so far."""

    binaries: Path  # holds nnseg and nnseg-server
    output: Path
    threads: int
    quick: bool
    rows: list[Row] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        ratio = f", ratio {row.ratio:.3g}" if row.ratio is not None else ""
        self.say(f"{row.what}: {row.value:.4g} {row.unit}{ratio}")

    def skip(self, part: str, reason: str) -> None:
        if Skip(part, reason) not in self.skips:
            self.skips.append(Skip(part, reason))
            self.say(f"left out: {reason}")

    def say(self, text: str) -> None:
        print(f"bench: {text}", file=sys.stderr, flush=True)

    def rounds(self, full: int) -> int:
        return 1 if self.quick else full

    def program(self, name: str) -> Path:
        """A program of the build."""
        return self.binaries / name

    def log(self, name: str) -> Path:
        """Where a child process writes what nobody reads unless it fails."""
        folder = self.output / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.log"

    def environment(self) -> dict[str, str]:
        return {**os.environ, "OMP_NUM_THREADS": str(self.threads)}

    def keep(self, name: str, content: object) -> None:
        """Leaves what a picture is drawn from beside the tables."""
        folder = self.output / "data"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")

    def save_part(self, part: str) -> None:
        rows = [asdict(row) for row in self.rows if row.part == part]
        skips = [skip.reason for skip in self.skips if skip.part == part]
        self.keep(f"part-{part}", {"quick": self.quick, "rows": rows, "skips": skips})

    def load_part(self, part: str) -> None:
        """What an earlier run of the same sizes into the same folder found."""
        file = self.output / "data" / f"part-{part}.json"
        if file.exists():
            content = json.loads(file.read_bytes())
            if content["quick"] != self.quick:
                return
            self.rows += [Row(**row) for row in content["rows"]]
            self.skips += [Skip(part, reason) for reason in content["skips"]]

"""Ten thousand damaged files, each read in a process that may be lost: `python tests/faults/campaign.py --help`.

The outcome of a file follows from its seed and number alone: `--seed 0 --only 123 --keep DIR` repeats one.
Which lines of the readers damaged files reach, with coverage.py and R for --rcfile=tests/faults/coverage.ini:
`coverage run R tests/faults/campaign.py --count 2000; coverage combine R; coverage report R`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import NamedTuple

import beside  # noqa: F401  (which comes first)
from bombs import BOMBS
from damage_pickles import MARK
from files import FILES
from mutations import KINDS, kinds_of
from reader import Outcome, Reader

# Of large files there are fewer.
RARE = {"PyTorch, public": 10}


class Case(NamedTuple):
    """A damaged file: its number, its format, the kind of its damage, what happened."""

    number: int
    format: str
    kind: str
    outcome: Outcome


class Campaign:
    """Damaged files by their numbers.

    Arguments:
        seed: of all.
        formats: of the files, all by default.
        keep: a folder for the files that are findings.
    """

    def __init__(self, seed: int, formats: list[str] | None = None, keep: Path | None = None) -> None:
        self.seed, self.keep = seed, keep
        self.formats = sorted(formats or FILES)
        self._folder = tempfile.TemporaryDirectory(prefix="faults")
        self._readers = threading.local()
        self._all: list[Reader] = []
        self._whole: dict[str, Path] = {}
        for format in self.formats:
            folder = Path(self._folder.name) / "whole" / format
            folder.mkdir(parents=True)
            self._whole[format] = FILES[format](folder)

    def run(self, numbers: list[int], jobs: int = 1) -> Iterator[Case]:
        with ThreadPoolExecutor(jobs) as pool:
            yield from pool.map(self.case, numbers)

    def case(self, number: int) -> Case:
        """Damages a file, and reads it."""
        rng = Random(f"{self.seed}/{number}")
        format = rng.choices(self.formats, [1 / RARE.get(format, 1) for format in self.formats])[0]
        kind = rng.choice(kinds_of(format))
        folder = Path(self._folder.name) / str(number)
        shutil.copytree(self._whole[format].parent, folder, symlinks=True)
        path = folder / self._whole[format].name
        KINDS[kind].mutate(rng, path)
        before = sorted(folder.rglob("*"))
        outcome = self._reader.read(path)
        if (folder / MARK).exists():
            outcome = Outcome("executed", outcome.said)
        elif sorted(folder.rglob("*")) != before:
            outcome = Outcome("written", "the folder has other files than before")
        if outcome.found and self.keep is not None:
            shutil.copytree(folder, self.keep / f"{self.seed}-{number}", symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(folder)
        return Case(number, format, kind, outcome)

    def close(self) -> None:
        for reader in self._all:
            reader.close()
        self._folder.cleanup()

    @property
    def _reader(self) -> Reader:
        if not hasattr(self._readers, "reader"):
            self._readers.reader = Reader()
            self._all.append(self._readers.reader)
        return self._readers.reader


def table(cases: list[Case], by: str) -> str:
    """Counts of what happened, by the format or the kind of damage."""
    counts: dict[str, Counter] = {}
    for case in cases:
        column = case.outcome.outcome if not case.outcome.found else "findings"
        counts.setdefault(getattr(case, by), Counter())[column] += 1
    rows = [f"| {by} | files | read | refused | findings |", "|---|---|---|---|---|"]
    for name, of in [*sorted(counts.items()), ("all", sum(counts.values(), Counter()))]:
        rows.append(f"| {name} | {of.total():,} | {of['read']:,} | {of['refused']:,} | {of['findings']:,} |")
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="how many files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="how many are read at a time")
    parser.add_argument("--only", type=int, help="one file, by its number")
    parser.add_argument("--keep", type=Path, help="a folder for the files that are findings, or that is --only")
    parser.add_argument("--formats", nargs="*", help=f"of {', '.join(FILES)}")
    parser.add_argument("--bombs", action="store_true", help="small files that ask for much, instead")
    given = parser.parse_args()
    if given.bombs:
        return _bombs()
    campaign = Campaign(given.seed, given.formats, given.keep)
    numbers = list(range(given.count)) if given.only is None else [given.only]
    cases = []
    try:
        for case in campaign.run(numbers, given.jobs):
            cases.append(case)
            if case.outcome.found or given.only is not None:
                print(
                    f"{case.number} {case.format}, {case.kind}: {case.outcome.outcome}: {case.outcome.said}", flush=True
                )
            if len(cases) % 500 == 0:
                print(f"{len(cases):,} of {len(numbers):,}", file=sys.stderr, flush=True)
    finally:
        campaign.close()
    print(f"\nseed {given.seed}\n\n{table(cases, 'format')}\n\n{table(cases, 'kind')}")
    return int(any(case.outcome.found for case in cases))


def _bombs() -> int:
    """Reads the small files that ask for much; a row for each."""
    reader, found = Reader(seconds=60), 0
    print("| file | bytes | | seconds | memory, MB |\n|---|---|---|---|---|")
    for name, write in sorted(BOMBS.items()):
        with tempfile.TemporaryDirectory() as folder:
            path = write(Path(folder))
            outcome = reader.read(path)
            size = path.stat().st_size
        found += outcome.found
        print(
            f"| {name} | {size:,} | {outcome.outcome} | {outcome.seconds:.1f} | {outcome.grown / 1e6:.0f} |", flush=True
        )
        if outcome.found:
            print(outcome.said, file=sys.stderr)
    reader.close()
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())

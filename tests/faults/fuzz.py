"""Damaged files led by what they reach: `python tests/faults/fuzz.py FORMAT FOLDER -max_total_time=600 -seed=1`.

A file that reaches lines of the readers, or goes through them more often, as none did before, is kept and damaged
further, so that faults add up, where the campaign damages each file once. The damage is that of the campaign; what is
reached is counted by atheris (`pip install atheris`, Linux), whose options, libFuzzer's, start with one hyphen. Files
that reached something are in `FOLDER/corpus`, findings in `FOLDER/findings`; too much time or memory ends it, and that
file is in `FOLDER`.
"""

from __future__ import annotations

import io
import sys
import tarfile
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from random import Random

import atheris
import beside  # noqa: F401  (which comes before the next)

# What is reached is counted in these.
with atheris.instrument_imports(include=["sicjax.networks", "sicjax.weights"]):
    from worker import independent, read

from damage_pickles import MARK
from files import FILES
from mutations import KINDS, kinds_of
from reader import BYTES, SECONDS

LARGEST = 2**24


def packed(folder: Path) -> bytes:
    """A file and those beside it, as one."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.add(file, file.relative_to(folder))
    return content.getvalue()


def unpacked(content: bytes, folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        # Links that point out of the folder are among the damage.
        archive.extractall(folder, filter="fully_trusted")


class Fuzzed:
    """Files of a format: how one is damaged further, and how it is read.

    Arguments:
        format: of `FILES`.
        keep: a folder for findings.
    """

    def __init__(self, format: str, keep: Path) -> None:
        self.format, self.kinds, self.keep = format, kinds_of(format), keep
        self.counts: Counter[str] = Counter()
        with tempfile.TemporaryDirectory() as folder:
            self.name = FILES[format](Path(folder)).name
            self.whole = packed(Path(folder))

    def damaged(self, content: bytes, most: int, seed: int) -> bytes:
        """One more damage; the file as it was written, where there is none yet."""
        rng = Random(seed)
        with tempfile.TemporaryDirectory(dir="/dev/shm") as made:
            folder = Path(made)
            try:
                unpacked(content, folder)
                KINDS[rng.choice(self.kinds)].mutate(rng, folder / self.name)
            except Exception:  # so damaged that its format's own library cannot take it apart, or nothing is left
                return self.whole
            changed = packed(folder)
        return changed if len(changed) <= most else content

    def read(self, content: bytes) -> None:
        """Reads it as the command line does; a finding is kept and said."""
        with tempfile.TemporaryDirectory(dir="/dev/shm") as made:
            folder = Path(made)
            try:
                unpacked(content, folder)
            except (tarfile.TarError, OSError):  # libFuzzer's own first inputs
                return
            before = sorted(folder.rglob("*"))
            outcome, said = read(folder / self.name, check=True)
            if (folder / MARK).exists():
                outcome = "executed"
            elif sorted(folder.rglob("*")) != before:
                outcome = "written"
        self.counts[outcome] += 1
        if not self.counts.total() % 1000:
            print(f"{self.format}: {dict(self.counts)}", flush=True)
        if outcome not in ("read", "refused"):
            (self.keep / f"{self.counts.total()}.tar").write_bytes(content)
            print(f"{outcome}: {said}", file=sys.stderr, flush=True)


def main() -> None:
    if len(sys.argv) < 3 or sys.argv[1] not in FILES:
        sys.exit(f"{__doc__}\nFORMAT is one of: {', '.join(FILES)}")
    format, place, *options = sys.argv[1:]
    folder = Path(place)
    for name in ("corpus", "findings"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    fuzzed = Fuzzed(format, folder / "findings")
    (folder / "corpus" / "whole").write_bytes(fuzzed.whole)
    independent.prepare()
    warnings.simplefilter("ignore")
    limits = [f"-timeout={SECONDS}", f"-rss_limit_mb={2 * BYTES >> 20}", f"-max_len={LARGEST}", "-len_control=0"]
    given = [*limits, f"-artifact_prefix={folder}/", *options, str(folder / "corpus")]
    atheris.Setup([sys.argv[0], *given], fuzzed.read, custom_mutator=fuzzed.damaged)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

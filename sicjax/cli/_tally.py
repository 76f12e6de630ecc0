"""What comes of the files of one command: how many, which not, and the exit code that says so."""

from __future__ import annotations

import sys
from pathlib import Path

from sicjax._errors import InputError
from sicjax._foreign import printable
from sicjax.measure import Found, Source

# Reasons that are told on stderr, where more files than these could not be measured.
TOLD = 5


class Tally:
    """Counts what is found.

    Attributes:
        keys: of every network that was looked at.
        failed: the files that could not be measured.
        new: how many were measured now, and could be.
        pairs: of layers, in all.
        pathways: through them.
    """

    def __init__(self) -> None:
        self.keys: dict[Source, str] = {}
        self.failed: set[Source] = set()
        self.new = self.pairs = self.pathways = 0
        self._reasons: list[str] = []
        self._skipped: list[str] = []

    @property
    def measured(self) -> list[Source]:
        """The networks that could be measured."""
        return [source for source in self.keys if source not in self.failed]

    def add(self, found: Found) -> None:
        """One more."""
        source, key, record, new = found
        self.keys[source] = key
        self.new += new and "error" not in record
        if "error" in record:
            self.failed.add(source)
            self._reasons += [record["error"]] * (len(self._reasons) < TOLD)
            return
        self.pairs += len(record["cascades"])
        self.pathways += sum(cascade["pathways"] for cascade in record["cascades"])
        if not self.pairs and len(self._skipped) < TOLD:
            self._skipped += [f"{skipped['layer']}: {skipped['reason']}" for skipped in record["skipped"][:3]]

    def exit_code(self, out: Path | None) -> int:
        """0 if all could be measured; 3, with the reasons on stderr, if some could not.

        Raises:
            InputError: none could be measured, or there is no pair of layers in any.
        """
        if self.keys and not self.measured:
            more = f" (and {len(self.failed) - 1:,} more that could not be measured)" if len(self.failed) > 1 else ""
            raise InputError(self._reasons[0] + more)
        for reason in self._reasons:
            print(f"sicjax: {printable(reason)}", file=sys.stderr)
        if len(self.failed) > TOLD:
            where = "" if out is None else f", with their reasons in {out / 'pairs.csv'}"
            print(f"sicjax: and {len(self.failed) - TOLD:,} more that could not be measured{where}", file=sys.stderr)
        if self.keys and not self.pairs:
            reasons = "; ".join(self._skipped) or "no convolution at all"
            raise InputError(f"no pair of successive convolutions found ({reasons})")
        return 3 if self.failed else 0

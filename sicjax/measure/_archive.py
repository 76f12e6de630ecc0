"""Records on disk, each there whole or not at all, written by as many processes at once as like."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from sicjax._errors import InputError
from sicjax.measure._record import Record

# Seconds after which what was written is on the disk, should the machine stop; the process may stop at any time.
SYNCED = 1.0


class _Place(NamedTuple):
    part: Path
    start: int
    failed: bool


class Archive:
    """Records in a folder, by the file and the key of what was measured, see `Identity`.

    Every process that writes has a part of its own, `records/*.jsonl`, to which it adds lines; all read all parts. A
    line counts once it is whole, so of a process that was killed in the middle of one nothing else is lost.

    Raises:
        InputError: the folder cannot be read.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder) / "records"
        self._part = self.folder / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{uuid.uuid4().hex[:12]}.jsonl"
        self._stream: IO[bytes] | None = None
        self._synced = time.monotonic()
        self.read()

    def read(self) -> None:
        """Finds what there is by now, also of other processes."""
        self._places: dict[str, dict[str, _Place]] = {}
        try:
            for part in sorted(part for part in self.folder.glob("*.jsonl") if part.is_file()):
                for start, key, record in _lines(part):
                    self._enter(key, record, part, start)
        except OSError as error:
            raise InputError(f"cannot read {self.folder}: {error.strerror or error}") from error

    def measured(self, file: str) -> frozenset[str]:
        """The keys under which a file was measured; what failed is to be tried again."""
        return frozenset(key for key, place in self._places.get(file, {}).items() if not place.failed)

    def get(self, file: str, key: str) -> Record | None:
        """A record; None where there is none."""
        with self.reader() as get:
            return get(file, key)

    @contextmanager
    def reader(self) -> Iterator[Callable[[str, str], Record | None]]:
        """Yields `get` for many records, with the part of the last left open."""
        with ExitStack() as stack:
            opened: dict[Path, IO[bytes]] = {}

            def get(file: str, key: str) -> Record | None:
                place = self._places.get(file, {}).get(key)
                if place is None:
                    return None
                if place.part not in opened:
                    stack.close()
                    opened.clear()
                    opened[place.part] = stack.enter_context(place.part.open("rb"))
                opened[place.part].seek(place.start)
                return json.loads(opened[place.part].readline())["record"]

            yield get

    def of(self, file: str) -> Iterator[Record]:
        """Every record of a file, the latest first."""
        for key in reversed(self._places.get(file, {})):
            record = self.get(file, key)
            assert record is not None
            yield record

    def add(self, key: str, record: Record) -> None:
        """Writes a record, unless the same is there.

        Raises:
            InputError: the folder cannot be written.
        """
        if self.get(record["file"], key) == record:
            return
        try:
            if self._stream is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._stream = self._part.open("xb", buffering=0)
            start = self._stream.tell()
            self._stream.write(json.dumps({"key": key, "record": record}, allow_nan=False).encode() + b"\n")
            if time.monotonic() - self._synced > SYNCED:
                self._sync()
        except OSError as error:
            raise InputError(f"cannot write into {self.folder}: {error.strerror or error}") from error
        self._enter(key, record, self._part, start)

    def close(self) -> None:
        """Makes sure that everything is on the disk."""
        if self._stream is not None:
            self._sync()
            self._stream.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _enter(self, key: str, record: Record, part: Path, start: int) -> None:
        held, failed = self._places.setdefault(record["file"], {}), "error" in record
        if key not in held or held[key].failed or not failed:
            held.pop(key, None)  # the latest is the last
            held[key] = _Place(part, start, failed)

    def _sync(self) -> None:
        assert self._stream is not None
        os.fsync(self._stream.fileno())
        self._synced = time.monotonic()


def _lines(part: Path) -> Iterator[tuple[int, str, Record]]:
    """Where each whole line of a part starts, and what it says; what a crash left of another is as if not there."""
    start = 0
    with part.open("rb") as stream:
        for line in stream:
            try:
                entry = json.loads(line) if line.endswith(b"\n") else {}
            except ValueError:
                entry = {}
            if "record" in entry:
                yield start, entry["key"], entry["record"]
            start += len(line)

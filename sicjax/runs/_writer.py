"""A training writes its run's directory: config, logs, pictures and checkpoints."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import jax
import numpy as np
from jaxtyping import Float

from sicjax._errors import InputError
from sicjax.runs._changes import as_json, changes
from sicjax.runs._checkpoints import Checkpoints, orbax, set_aside
from sicjax.runs._description import Blueprint, Description, describe, is_run, write_description
from sicjax.runs._events import Events, summary_writer
from sicjax.runs._lock import lock
from sicjax.runs._logs import append, trim
from sicjax.runs._measures import Measure, write_histograms
from sicjax.runs._pictures import write_picture
from sicjax.runs._places import MEASURES, SCORES, Places
from sicjax.runs._whole import write_whole


class Writer:
    """The directory of a run, new or found; only the first process writes in it, but for checkpoints.

    Before `begin` nothing in it changes; after it everything there is of the latest checkpoint's step or before, so
    that what is written from then on is what a run that never stopped would have written.

    Attributes:
        folder: the directory.
        writes: whether this process is the one that writes.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        kind: str,
        config: Any,
        models: Mapping[str, Blueprint],
        keep: int = 2,
        keep_at: Collection[int] = (),
        free: Collection[str] = (),
        tensorboard: bool = False,
    ) -> None:
        """Looks whether the run fits into the directory.

        Arguments:
            folder: the directory, which need not be there.
            kind: of run.
            config: a dataclass of what is trained; see `changes`.
            models: how the networks are built, by name.
            keep: latest checkpoints to keep, beside the best.
            keep_at: steps whose checkpoints stay.
            free: fields of the config that may differ from those of the run found, beside those marked `FREE`.
            tensorboard: write TensorBoard events too.

        Raises:
            InputError: a directory of something else or of a run with another config, a package that is not installed.
        """
        orbax()
        self._places = Places(folder)
        self.folder, self.writes = self._places.folder, jax.process_index() == 0
        self._description = Description(kind, as_json(config), dict(models))
        self._keep, self._keep_at, self._tensorboard = keep, keep_at, tensorboard and self.writes
        if self._tensorboard:
            summary_writer()
        self._check(config, free)

    def begin(self) -> None:
        """Takes the directory, writes the config, and forgets what was logged after the latest checkpoint.

        What is damaged, checkpoints and lines of logs, is moved into `damaged` in the directory, with a warning.

        Raises:
            InputError: another process trains in the directory, it cannot be written, or all checkpoints are damaged.
        """
        self._held: IO | None = lock(self._places) if self.writes else None
        try:
            self._take()
        except BaseException:
            if self._held is not None:
                self._held.close()
            raise

    @property
    def saved(self) -> int | None:
        """The step of the latest checkpoint."""
        return self._checkpoints.latest

    def restore(self, abstract: Any) -> Any:
        """The state of the latest checkpoint, shaped and placed as `abstract`, or None."""
        return None if self.saved is None else self._checkpoints.restore(abstract)

    def save(self, step: int, state: Any, score: Mapping[str, float]) -> None:
        """Logs the score and writes a checkpoint, once a step; "score" decides which is best, the lower."""
        if step != self.saved:
            # In this order, because a line without its checkpoint is forgotten, but not the other way round.
            self.log(SCORES, step, score)
            self._checkpoints.save(step, state, score, writes=self.writes)

    def log(self, name: str, step: int, values: Mapping[str, Any]) -> None:
        """Adds a line to a log, and its scalars to TensorBoard."""
        if self.writes:
            append(self._places, name, step, values)
        if self._events is not None:
            self._events.add(name, step, values)

    def write_measure(self, measure: Measure) -> None:
        """Writes what was measured of every pair of layers; its histograms have the same edges."""
        if self.writes:
            write_histograms(self._places, measure)
        self.log(MEASURES, measure.step, {"pairs": measure.pairs})

    def write_picture(self, name: str, step: int, grid: Float[np.ndarray, "rows columns h w 3"]) -> None:
        """Writes images in [-1, 1] as one PNG."""
        if self.writes:
            write_picture(self._places, name, step, grid)

    def same_images(self, names: Sequence[str]) -> None:
        """Keeps in mind which images the run trains on; one that goes on has to find the same.

        Arguments:
            names: of the images that can be read, in order.

        Raises:
            InputError: they are others than those that it began with.
        """
        if not self.writes:
            return
        now = {"count": len(names), "names": hashlib.sha256(json.dumps(list(names)).encode()).hexdigest()}
        try:
            then = json.loads(self._places.images.read_bytes())
        except FileNotFoundError:  # it begins, or is of an older version
            write_whole(self._places.images, lambda stream: stream.write(json.dumps(now).encode()))
            return
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read {self._places.images}: {error}") from error
        if then != now:
            before = then.get("count") if isinstance(then, dict) else None
            raise InputError(
                f"{self.folder} holds a run that began with {before} images, of which {len(names)} or others are there "
                "now: put them back to go on with it, or take another --workdir"
            )

    def write_skipped(self, skipped: Sequence[tuple[str, str]]) -> Path:
        """Writes which images were left out, and why, one a line; returns the file."""
        lines = "".join(f"{name}\t{reason}\n" for name, reason in skipped)
        if self.writes:
            write_whole(self._places.skipped, lambda stream: stream.write(lines.encode()))
        return self._places.skipped

    def close(self) -> None:
        """Lets go of the directory."""
        self._checkpoints.close()
        for each in (self._held, self._events):
            if each is not None:
                each.close()

    def _take(self) -> None:
        """What `begin` does while it holds the directory."""
        if self.writes:
            for step, damage in set_aside(self._places).items():
                moved = f"moved to {self._places.damaged}: the run goes on from the one before"
                warnings.warn(f"the checkpoint of step {step} is damaged ({damage}) and {moved}", stacklevel=4)
            write_description(self._places, self._description)
        if jax.process_count() > 1:
            from jax.experimental import multihost_utils

            multihost_utils.sync_global_devices("damaged checkpoints are set aside")
        self._checkpoints = Checkpoints(self._places, self._keep, self._keep_at)
        latest = -1 if self.saved is None else self.saved
        bad = trim(self._places, latest) if self.writes else []
        if bad:
            warnings.warn(f"{'; '.join(bad)}: moved to {self._places.damaged}", stacklevel=4)
        self._events = Events(self._places, latest) if self._tensorboard else None

    def _check(self, config: Any, free: Collection[str]) -> None:
        if not is_run(self.folder):
            try:
                empty = not self.folder.exists() or self._places.only_begun()
            except OSError as error:
                raise InputError(f"cannot use {self.folder} as a run's directory: {error}") from error
            if not empty:
                raise InputError(f"{self.folder} is not empty and holds no run: take another --workdir")
            return
        found, kind = describe(self.folder), self._description.kind
        if found.kind != kind:
            raise InputError(f"{self.folder} holds a run of {found.kind}, not {kind}: take another --workdir")
        differences = changes(found.config, config, free=free)
        if differences:
            raise InputError(
                f"{self.folder} holds a run with another config ({'; '.join(differences)}): "
                "give the same values to go on with it, or another --workdir"
            )

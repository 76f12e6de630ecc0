"""A run's directory: its config, logs, pictures and checkpoints, each written whole or not at all."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import jax
import numpy as np

from sicjax import __version__
from sicjax._errors import InputError, missing_package
from sicjax.train._config import Config, changes

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows, where nothing guards a directory against a second run
    fcntl = None


class Run:
    """The directory of a run, new or found; only the first process writes in it, but for checkpoints.

    `config.json`, `metrics.jsonl`, `sdr.jsonl`, `sdr/*.npz`, `samples/*.png` and the like, `checkpoints/`.

    Raises:
        InputError: a directory that cannot be written or holds a run with another config.
    """

    def __init__(self, workdir: str | Path, kind: str, config: Config, models: Mapping[str, Any]) -> None:
        try:
            import orbax.checkpoint as ocp
            from orbax.checkpoint.checkpoint_managers import AnyPreservationPolicy, BestN, LatestN
        except ImportError as error:
            raise missing_package("orbax-checkpoint", "train", "checkpoints") from error
        self.folder, self.config = Path(workdir).absolute(), config
        self.writes = jax.process_index() == 0
        self._check(kind)
        self._content = {
            "sicjax": __version__,
            "jax": jax.__version__,
            "kind": kind,
            "config": dataclasses.asdict(config),
            "models": {name: blueprint._asdict() for name, blueprint in models.items()},
        }
        kept = [LatestN(config.keep), BestN(get_metric_fn=_score, reverse=True, n=1)]
        self._ocp, self._kept = ocp, AnyPreservationPolicy(kept)
        self._held: IO | None = None
        self._events = self._tensorboard() if config.tensorboard and self.writes else None

    def begin(self) -> None:
        """Writes the config and opens the checkpoints; before this nothing in the directory changes.

        Raises:
            InputError: another process trains in the directory.
        """
        self._lock()
        content = json.dumps(self._content, indent=1).encode() + b"\n"
        self._whole(self.folder / "config.json", lambda stream: stream.write(content))
        options = self._ocp.CheckpointManagerOptions(
            preservation_policy=self._kept,
            best_fn=_score,
            best_mode="min",
            cleanup_tmp_directories=True,
            enable_async_checkpointing=False,
        )
        self._checkpoints = self._ocp.CheckpointManager(self.folder / "checkpoints", options=options)

    def restore(self, abstract: Any) -> Any:
        """The state of the latest checkpoint, shaped and placed as `abstract`, or None; later lines of logs go."""
        step = self._checkpoints.latest_step()
        for name in ("metrics.jsonl", "sdr.jsonl"):
            self._forget(self.folder / name, -1 if step is None else step)
        if step is None:
            return None
        return self._checkpoints.restore(step, args=self._ocp.args.StandardRestore(abstract))

    def save(self, step: int, state: Any, score: Mapping[str, float]) -> None:
        """Writes a checkpoint; it is there whole or not at all."""
        if step != self._checkpoints.latest_step():
            self._checkpoints.save(step, args=self._ocp.args.StandardSave(state), metrics=dict(score))
            self._checkpoints.wait_until_finished()

    @property
    def saved(self) -> int | None:
        """The step of the latest checkpoint."""
        return self._checkpoints.latest_step()

    def log(self, name: str, step: int, values: Mapping[str, Any]) -> None:
        """Adds a line to `name.jsonl`, and scalars to TensorBoard."""
        if not self.writes:
            return
        with (self.folder / f"{name}.jsonl").open("a") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        if self._events is not None:
            for key, value in _flat(values):
                self._events.add_scalar(f"{name}/{key}", value, step)

    def write_picture(self, name: str, step: int, grid: np.ndarray) -> None:
        """Writes `(rows, columns, h, w, 3)` in [-1, 1] as one PNG."""
        from PIL import Image

        rows, columns, height, width, _ = grid.shape
        pixels = np.clip(np.rint((grid + 1) * 127.5), 0, 255).astype(np.uint8)
        sheet = Image.fromarray(pixels.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, 3))
        self._whole(self.folder / name / f"{step:07}.png", lambda file: sheet.save(file, format="PNG"))

    def write_arrays(self, name: str, step: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Writes arrays by name as one `.npz`."""
        self._whole(
            self.folder / name / f"{step:07}.npz", lambda file: np.savez_compressed(file, allow_pickle=False, **arrays)
        )

    def write_skipped(self, skipped: Sequence[tuple[str, str]]) -> Path:
        """Writes which images were left out, and why, one a line."""
        file = self.folder / "skipped.tsv"
        lines = "".join(f"{name}\t{reason}\n" for name, reason in skipped)
        self._whole(file, lambda stream: stream.write(lines.encode()))
        return file

    def close(self) -> None:
        """Lets go of the directory."""
        self._checkpoints.close()
        if self._held is not None:
            self._held.close()
        if self._events is not None:
            self._events.close()

    def _check(self, kind: str) -> None:
        file = self.folder / "config.json"
        try:
            if file.exists():
                found = json.loads(file.read_text())
                before, differences = found["kind"], changes(found["config"], self.config)
            elif self.folder.exists() and any(self.folder.iterdir()):
                raise InputError(f"{self.folder} is not empty and holds no run: take another --workdir")
            else:
                return
        except (OSError, ValueError, KeyError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"cannot use {self.folder} as a run's directory: {error}") from error
        if before != kind:
            raise InputError(f"{self.folder} holds a run of {before}, not {kind}: take another --workdir")
        if differences:
            raise InputError(
                f"{self.folder} holds a run with another config ({'; '.join(differences)}): "
                "give the same values to go on with it, or another --workdir"
            )

    def _lock(self) -> None:
        """Holds a lock until the run is closed or its process ends, however it does."""
        if not self.writes or fcntl is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._held = (self.folder / "lock").open("ab")
        except OSError as error:
            raise InputError(f"cannot write into {self.folder}: {error.strerror or error}") from error
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._held.close()
            raise InputError(f"another process trains in {self.folder}: wait or take another --workdir") from error

    def _forget(self, file: Path, step: int) -> None:
        """Drops lines after a step, and one that a crash cut off."""
        if not (self.writes and file.exists()):
            return
        kept = []
        for line in file.read_text().splitlines(keepends=True):
            if line.endswith("\n") and json.loads(line)["step"] <= step:
                kept.append(line)
        self._whole(file, lambda stream: stream.write("".join(kept).encode()))

    def _whole(self, file: Path, write) -> None:
        if not self.writes:
            return
        partial = file.with_name(file.name + ".partial")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as stream:
                write(stream)
            os.replace(partial, file)
        except OSError as error:
            raise InputError(f"cannot write {file}: {error.strerror or error}") from error

    def _tensorboard(self):
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise missing_package("tensorboardX", "tensorboard", "TensorBoard events") from error
        return SummaryWriter(str(self.folder / "tensorboard"))


def _score(metrics: Mapping[str, float]) -> float:
    return metrics["score"]


def _flat(values: Mapping[str, Any], prefix: str = ""):
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}/")
        elif value is not None:
            yield prefix + key, value

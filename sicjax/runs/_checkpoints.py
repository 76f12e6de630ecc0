"""Checkpoints: everything that a step changes, by orbax, each there whole or not at all."""

from __future__ import annotations

import json
import math
import shutil
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from sicjax._errors import InputError, MissingPackage, missing_package
from sicjax.runs._places import Places
from sicjax.runs._sums import broken, write_sums


class Checkpoints:
    """The checkpoints of a run, to write; the latest `keep`, the best and those of `keep_at` stay."""

    def __init__(self, places: Places, keep: int, keep_at: Collection[int] = ()) -> None:
        self._ocp, self._places = orbax(), places
        from orbax.checkpoint.checkpoint_managers import AnyPreservationPolicy, BestN, CustomSteps, LatestN

        kept = [LatestN(keep), BestN(get_metric_fn=_score, reverse=True, n=1), CustomSteps(tuple(keep_at))]
        options = self._ocp.CheckpointManagerOptions(
            preservation_policy=AnyPreservationPolicy(kept),
            best_fn=_score,
            best_mode="min",
            cleanup_tmp_directories=True,
            enable_async_checkpointing=False,
        )
        self._manager = self._ocp.CheckpointManager(places.checkpoints, options=options)

    @property
    def latest(self) -> int | None:
        return self._manager.latest_step()

    def restore(self, abstract: Any) -> Any:
        try:
            return self._manager.restore(self.latest, args=self._ocp.args.StandardRestore(abstract))
        except Exception as error:  # the store raises what it likes
            raise InputError(
                f"cannot go on from step {self.latest} of {self._places.folder}: {_in_short(error)}"
            ) from error

    def save(self, step: int, state: Any, score: Mapping[str, float], *, writes: bool) -> None:
        """Writes a checkpoint; the process that writes adds the sums of its files.

        Raises:
            InputError: it cannot be written, such as on a full disk; those before it stay.
        """
        before = self.latest
        try:
            self._manager.save(step, args=self._ocp.args.StandardSave(state), metrics=dict(score))
            self._manager.wait_until_finished()
        except Exception as error:  # the store raises what it likes
            kept = "there is none before it" if before is None else f"that of step {before} is kept"
            place = self._places.checkpoints
            raise InputError(
                f"cannot write the checkpoint of step {step} into {place}: {_in_short(error)}; {kept}"
            ) from error
        if writes:
            write_sums(self._places.checkpoints / str(step))

    def close(self) -> None:
        self._manager.close()


def checkpoints(folder: str | Path) -> list[int]:
    """The steps of a run's checkpoints, from the first, damaged ones too; none where there is no run.

    Arguments:
        folder: the run's directory.
    """
    # A checkpoint gets its number as its name when it is whole.
    return sorted(int(path.name) for path in Places(folder).checkpoints.glob("[0-9]*") if path.name.isdecimal())


def checkpoint_files(folder: str | Path, *, step: int) -> list[Path]:
    """The files that say what the networks of a checkpoint are: the run's description, and those of the checkpoint.

    Arguments:
        folder: the run's directory.
        step: of the checkpoint.
    """
    places = Places(folder)
    held = (places.checkpoints / str(step)).rglob("*")
    return [places.config, *sorted(path for path in held if path.is_file())]


def latest(folder: str | Path) -> tuple[int | None, dict[int, str]]:
    """The step of the latest checkpoint that is whole, and what is wrong with those after it, which were damaged.

    Arguments:
        folder: the run's directory.
    """
    places, damaged = Places(folder), {}
    for step in reversed(checkpoints(folder)):
        damage = _damage(places.checkpoints / str(step))
        if not damage:
            return step, damaged
        damaged[step] = damage
    return None, damaged


def state(folder: str | Path, *, step: int | Literal["latest", "best"] = "latest") -> dict[str, Any]:
    """Everything that a step of the training changes, as nested dictionaries of arrays.

    Arguments:
        folder: the run's directory.
        step: of which checkpoint; "best" is the one with the lowest score. Of "latest" and "best" one that is damaged
            is passed over for the next, with a warning.

    Raises:
        InputError: no such checkpoint, a damaged one, or orbax is not installed.
    """
    places, there = Places(folder), checkpoints(folder)
    wanted = there[::-1] if step == "latest" else _by_score(places, there) if step == "best" else [step]
    if not wanted or wanted[0] not in there:
        listed = ", ".join(map(str, there)) or "none"
        raise InputError(f"{places.folder} has no checkpoint of step {step}; there are {listed}")
    passed = []
    for one in wanted:
        found, damage = _read(places.checkpoints / str(one))
        if not damage:
            if passed:
                warnings.warn(f"{'; '.join(passed)}; that of step {one} is taken", stacklevel=2)
            return found
        passed.append(f"the checkpoint of step {one} of {places.folder} is damaged: {damage}")
    raise InputError("; ".join(passed))


def set_aside(places: Places) -> dict[int, str]:
    """Moves damaged checkpoints after the latest whole one into a folder of their own; returns which, and why.

    Raises:
        InputError: none is whole, or they cannot be moved.
    """
    step, damaged = latest(places.folder)
    if damaged and step is None:
        reasons = "; ".join(f"step {step}: {damage}" for step, damage in damaged.items())
        raise InputError(
            f"every checkpoint of {places.folder} is damaged ({reasons}): put back a copy, or take another --workdir"
        )
    for step in damaged:
        try:
            places.damaged.mkdir(exist_ok=True)
            shutil.rmtree(places.damaged / str(step), ignore_errors=True)
            (places.checkpoints / str(step)).rename(places.damaged / str(step))
        except OSError as error:
            raise InputError(f"cannot move {step} from {places.checkpoints} to {places.damaged}: {error}") from error
    return damaged


def _by_score(places: Places, steps: list[int]) -> list[int]:
    """Steps from the lowest score; before them what has no score any more, to be told."""

    def score(step: int) -> float:
        try:
            return _score(_scores(places.checkpoints / str(step)))
        except (OSError, ValueError, KeyError, TypeError):
            return -math.inf

    return sorted(steps, key=score)


def _damage(checkpoint: Path) -> str:
    """What is wrong with a checkpoint; nothing if it is whole."""
    found = broken(checkpoint)
    if found is not None:
        return found
    # Before its sums were written the process was killed, or it is of an older version.
    try:
        return _read(checkpoint)[1]
    except MissingPackage:  # who reads it says so
        return ""


def _read(checkpoint: Path) -> tuple[dict[str, Any], str]:
    """The state in a checkpoint, or what is wrong with it."""
    damage = broken(checkpoint)
    if damage:
        return {}, damage
    ocp = orbax()
    try:
        _scores(checkpoint)
        # The name that orbax's manager gives to a state that is alone in its checkpoint.
        with ocp.StandardCheckpointer() as checkpointer:
            return checkpointer.restore(checkpoint / "default"), ""
    except Exception as error:  # what a damaged store can raise has no end
        return {}, _in_short(error)


def _in_short(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} {error.filename or ''}".rstrip()
    said = " ".join(str(error).split())
    return f"{type(error).__name__} {said if len(said) < 200 else said[:200] + '...'}"


def _scores(checkpoint: Path) -> dict[str, float]:
    return json.loads((checkpoint / "metrics" / "metrics").read_text())


def _score(metrics: Mapping[str, float]) -> float:
    return metrics["score"]


def orbax() -> ModuleType:
    """The package that writes and reads checkpoints.

    Raises:
        InputError: it is not installed.
    """
    try:
        import orbax.checkpoint as ocp
    except ImportError as error:
        raise missing_package("orbax-checkpoint", "train", "checkpoints") from error
    return ocp

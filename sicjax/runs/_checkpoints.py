"""Checkpoints: everything that a step changes, by orbax, each there whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from sicjax._errors import InputError, missing_package
from sicjax.runs._places import Places


class Checkpoints:
    """The checkpoints of a run, to write; the latest `keep` and the one of the lowest score stay."""

    def __init__(self, places: Places, keep: int) -> None:
        self._ocp = orbax()
        from orbax.checkpoint.checkpoint_managers import AnyPreservationPolicy, BestN, LatestN

        kept = [LatestN(keep), BestN(get_metric_fn=_score, reverse=True, n=1)]
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
        return self._manager.restore(self.latest, args=self._ocp.args.StandardRestore(abstract))

    def save(self, step: int, state: Any, score: Mapping[str, float]) -> None:
        self._manager.save(step, args=self._ocp.args.StandardSave(state), metrics=dict(score))
        self._manager.wait_until_finished()

    def close(self) -> None:
        self._manager.close()


def checkpoints(folder: str | Path) -> list[int]:
    """The steps of a run's checkpoints, from the first; none where there is no run.

    Arguments:
        folder: the run's directory.
    """
    # A checkpoint gets its number as its name when it is whole.
    return sorted(int(path.name) for path in Places(folder).checkpoints.glob("*") if path.name.isdigit())


def checkpoint_files(folder: str | Path, *, step: int) -> list[Path]:
    """The files that say what the networks of a checkpoint are: the run's description, and those of the checkpoint.

    Arguments:
        folder: the run's directory.
        step: of the checkpoint.
    """
    places = Places(folder)
    held = (places.checkpoints / str(step)).rglob("*")
    return [places.config, *sorted(path for path in held if path.is_file())]


def state(folder: str | Path, *, step: int | Literal["latest", "best"] = "latest") -> dict[str, Any]:
    """Everything that a step of the training changes, as nested dictionaries of arrays.

    Arguments:
        folder: the run's directory.
        step: of which checkpoint; "best" is the one with the lowest score.

    Raises:
        InputError: no such checkpoint, or orbax is not installed.
    """
    ocp, places, there = orbax(), Places(folder), checkpoints(folder)
    if step == "best":
        chosen = min(there, key=lambda k: _score(_scores(places.checkpoints / str(k))), default=None)
    else:
        chosen = max(there, default=None) if step == "latest" else step
    if chosen not in there:
        listed = ", ".join(map(str, there)) or "none"
        raise InputError(f"{places.folder} has no checkpoint of step {step}; there are {listed}")
    # The name that orbax's manager gives to a state that is alone in its checkpoint.
    with ocp.StandardCheckpointer() as checkpointer:
        return checkpointer.restore(places.checkpoints / str(chosen) / "default")


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

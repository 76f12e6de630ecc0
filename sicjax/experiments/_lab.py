"""Where a reproduction works: its folder, its preset, and the networks that it trained or finds trained."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from sicjax import runs, train
from sicjax._errors import InputError
from sicjax.experiments._preset import Preset
from sicjax.experiments._settling import saves, settled


class Stopped(Exception):
    """A signal ended a training run; its checkpoint is written, and the same command goes on from there."""


@dataclass(frozen=True)
class Lab:
    """A folder in which experiments share their training runs.

    Attributes:
        out: the folder: `runs`, `measured`, and one for each experiment with `result.json` and its figures.
        preset: how large everything is.
        weights: folder of public weights, each with its JSON sidecar; without it what needs them is left out.
        say: told in a sentence what is being done.
        progress: told the steps done, all steps and the latest metrics of the run that is training.
        devices: to train on, by default all.
    """

    out: Path
    preset: Preset
    weights: Path | None = None
    say: Callable[[str], Any] = lambda sentence: None
    progress: Callable[[int, int, dict[str, float]], Any] = lambda step, steps, metrics: None
    devices: list[jax.Device] | None = None

    def gan(self, seed: int, name: str = "gan", **changes: Any) -> Path:
        """The folder of a trained GAN: as in the preset, but for the changes, which the name stands for."""
        return self._trained(name, dataclasses.replace(self.preset.gan, seed=seed, **changes), train.gan)

    def vae(
        self,
        seed: int,
        channels: int | None = None,
        beta: float | None = None,
        name: str | None = None,
        **changes: Any,
    ) -> Path:
        """The folder of a trained VAE with so many channels in the decoder's last hidden layer; changes need a name."""
        channels = self.preset.channels[0] if channels is None else channels
        beta = self.preset.betas[0] if beta is None else beta
        config = self.preset.vae
        changes = {"seed": seed, "beta": beta, "decoder": (*config.decoder[:-1], channels), **changes}
        return self._trained(name or f"vae-{channels}-beta{beta:g}", dataclasses.replace(config, **changes), train.vae)

    def _trained(self, name: str, config: Any, start: Callable[..., train.Result]) -> Path:
        folder = self.out / "runs" / name / f"seed{config.seed}"
        # A run that others look at at steps of their own goes on to its last.
        tolerance = self.preset.settling if config.save_at == saves(config.steps) else 0.0
        enough = lambda step: tolerance > 0 and settled(folder, step, cap=config.steps, tolerance=tolerance)
        # If it is of another config, or its end is damaged, the training itself says so.
        saved = runs.checkpoints(folder)
        done = bool(saved) and (saved[-1] == config.steps or enough(saved[-1])) and not runs.latest(folder)[1]
        if done and not runs.changes(runs.describe(folder).config, config):
            return folder
        most = "at most " if tolerance else ""
        self.say(f"training {name}, seed {config.seed}: {most}{config.steps:,} steps in {folder}")
        result = start(config, str(folder), devices=self.devices, progress=self.progress, enough=enough)
        if not result.finished:
            raise Stopped(f"stopped at step {result.step} of {config.steps} of {name}, seed {config.seed}, and saved")
        if result.step < config.steps:
            self.say(f"settled at step {result.step:,}")
        return folder


def open_lab(out: Path, preset: Preset, **how: Any) -> Lab:
    """A lab in a folder, new or found.

    Raises:
        InputError: a folder that holds the results of another preset, of other images or of other steps.
    """
    file = out / "preset.json"
    now = _lasting(preset)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if file.exists():
            before = json.loads(file.read_text())
            different = [key for key in now if before.get(key) != now[key]]
            if different:
                raise InputError(
                    f"{out} holds results of another preset ({', '.join(different)}): give the same --preset, --data "
                    "and steps to go on with it, or another --out"
                )
        else:
            file.write_text(json.dumps(now, indent=1) + "\n")
    except (OSError, json.JSONDecodeError) as error:
        raise InputError(f"cannot use {out}: {error}") from error
    return Lab(out, preset, **how)


def _lasting(preset: Preset) -> dict[str, Any]:
    """What may not change in a folder; more seeds only add runs, and how often one looks changes no number."""
    found = dataclasses.asdict(preset)
    for name in ("seeds", "vae_seeds"):
        del found[name]
    for kind in ("gan", "vae"):
        found[kind] = runs.lasting(getattr(preset, kind))
    return json.loads(json.dumps(found))


def config_of(folder: Path) -> dict[str, Any]:
    """The config of a run, as its directory states it, without the places of this machine."""
    config = runs.describe(folder).config
    return {**config, "data": source_name(config["data"]), "data_dir": None}


def source_name(source: str) -> str:
    """A source of images without the folder in which it lies."""
    kind, colon, place = source.partition(":")
    return kind + colon + Path(place).name

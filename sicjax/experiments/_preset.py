"""How large each experiment is: everything that `tiny`, `cpu` and `paper` differ in."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from sicjax._errors import InputError
from sicjax.experiments._settling import looks, saves
from sicjax.train import PRESETS as TRAINING
from sicjax.train import GanConfig, VaeConfig


@dataclass(frozen=True)
class Preset:
    """What is trained, how often, and how many images are judged.

    Attributes:
        name: as it was chosen.
        gan: the GAN that the others differ from.
        vae: the VAE that the others differ from.
        seeds: one training run of each network for every one of them.
        channels: of the decoder's last hidden layer, the paper's first; half of the paper's 32 and 64 at half width.
        betas: of the VAEs, the paper's first.
        dropout: rate in the GANs with dropout.
        departure: weights of the penalty on the whole departure from 1.
        adaptation: weights of the penalty on adaptation alone.
        amounts: of images that VAEs are trained on to overfit more or less, from few to many.
        untrained: pairs of layers with random weights, for what each number is without any training.
        judged: images drawn from each network to judge it by.
        edited: images drawn with each set of filters removed.
        drawn: systems in the figure of causal and anticausal ratios.
        vae_seeds: those of the VAEs, where they are fewer.
        settling: a run ends before its last step once no level's spread moves by more than this share in its last
            quarter (`_settling.py`); 0 for never.
    """

    name: str
    gan: GanConfig
    vae: VaeConfig
    seeds: tuple[int, ...] = (0, 1, 2)
    channels: tuple[int, int] = (32, 64)
    betas: tuple[float, float] = (1.0, 0.1)
    dropout: float = 0.5
    departure: tuple[float, ...] = (1.0, 10.0)
    adaptation: tuple[float, ...] = (100.0, 1000.0)
    amounts: tuple[int, ...] = (200, 1000, 9500)
    untrained: int = 1000
    judged: int = 500
    edited: int = 256
    drawn: int = 4000
    vae_seeds: tuple[int, ...] = ()
    settling: float = 0.0

    def __post_init__(self) -> None:
        if not self.seeds or len(set(self.seeds)) != len(self.seeds) or min(self.seeds) < 0:
            raise InputError(f"--seeds must be at least 1, got {len(self.seeds)}")
        for name in ("untrained", "judged", "edited", "drawn"):
            if getattr(self, name) < 3:
                raise InputError(f"{name} must be at least 3, got {getattr(self, name)}")

    def changed(
        self,
        *,
        data: str | None = None,
        data_dir: str | None = None,
        seeds: int | None = None,
        gan_steps: int | None = None,
        vae_steps: int | None = None,
    ) -> Preset:
        """With other images, another number of seeds or other numbers of steps; what is None stays."""
        shared: dict[str, Any] = {} if data is None else {"data": data, "data_dir": data_dir, "images": 0}
        gan = dataclasses.replace(self.gan, **shared, steps=gan_steps or self.gan.steps)
        vae = dataclasses.replace(self.vae, **shared, steps=vae_steps or self.vae.steps)
        chosen = self.seeds if seeds is None else tuple(range(seeds))
        fewer = self.vae_seeds if seeds is None else chosen
        gan, vae = (_watched(each, bool(self.settling)) for each in (gan, vae))
        return dataclasses.replace(self, gan=gan, vae=vae, seeds=chosen, vae_seeds=fewer)

    @property
    def seeds_of_vaes(self) -> tuple[int, ...]:
        """One training run of each VAE for every one of them."""
        return self.vae_seeds or self.seeds


def _watched(config, settles: bool = False):
    """Looked at ten times on the way: enough for the curves of a training; or as often as the rule of settling asks."""
    if settles:
        every, at = looks(config.steps), saves(config.steps)
        ends = {"save_every": max(config.steps // 8, 1), "save_at": at, "keep": 1}
        return dataclasses.replace(config, log_every=every, sample_every=every, measure_every=every, **ends)
    every = max(config.steps // 10, 1)
    return dataclasses.replace(
        config, log_every=every, sample_every=every, measure_every=every, save_every=every * 5, keep=1
    )


def _training(name: str, settles: bool = False, **changes) -> dict:
    """The networks of `sicjax train --preset NAME`, for as long as this preset has time."""
    return {
        kind: _watched(dataclasses.replace(TRAINING[kind][name], **changes.get(kind, {})), settles)
        for kind in ("gan", "vae")
    }


# Presets whose networks have hardly begun to train: what comes of them is no result.
UNTRAINED = ("tiny",)

# `cpu` is the second replication: docs/replication/plan.md has its runs, their times and their reasons. `pilot` was the
# first: 18 GANs and 12 VAEs in two hours on two cores.
PRESETS: dict[str, Preset] = {
    "tiny": Preset(
        "tiny", **_training("tiny", settles=True), settling=0.03, seeds=(0, 1), channels=(8, 16),
        departure=(1.0,), adaptation=(100.0,),
        amounts=(20, 60, 180), untrained=100, judged=20, edited=8, drawn=500,
    ),
    "cpu": Preset(
        "cpu", **_training("cpu", settles=True), seeds=(0, 1, 2, 3, 4), vae_seeds=(0, 1, 2), channels=(16, 32),
        departure=(10.0,), adaptation=(1000.0,), settling=0.03,
    ),
    "pilot": Preset(
        "pilot",
        **_training(
            "cpu",
            gan={"size": 32, "steps": 2_000, "batch": 64, "validation": 500},
            vae={"size": 32, "steps": 1_500, "batch": 64, "validation": 500},
        ),
        channels=(16, 32),
    ),
    "paper": Preset(
        "paper", **_training("paper", gan={"validation": 2_000}, vae={"validation": 2_000}), judged=2_000,
    ),
}  # fmt: skip

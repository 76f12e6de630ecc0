"""How large each experiment is: everything that `tiny`, `cpu` and `paper` differ in."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sicjax._errors import InputError
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
        shared = {} if data is None else {"data": data, "data_dir": data_dir, "images": 0}
        gan = dataclasses.replace(self.gan, **shared, **({"steps": gan_steps} if gan_steps else {}))
        vae = dataclasses.replace(self.vae, **shared, **({"steps": vae_steps} if vae_steps else {}))
        chosen = self.seeds if seeds is None else tuple(range(seeds))
        return dataclasses.replace(self, gan=_watched(gan), vae=_watched(vae), seeds=chosen)


def _watched(config):
    """Looked at ten times on the way, and saved as often: enough for the curves of a training."""
    every = max(config.steps // 10, 1)
    return dataclasses.replace(
        config, log_every=every, sample_every=every, measure_every=every, save_every=every * 5, keep=1
    )


def _training(name: str, **changes) -> dict:
    """The networks of `sicjax train --preset NAME`, for as long as this preset has time."""
    return {
        kind: _watched(dataclasses.replace(TRAINING[kind][name], **changes.get(kind, {}))) for kind in ("gan", "vae")
    }


# Presets whose networks have hardly begun to train: what comes of them is no result.
UNTRAINED = ("tiny",)

# `cpu` trains 18 GANs and 12 VAEs. A core does about 320 images a second of the one and 180 of the other: GANs on one
# core and VAEs on another take two hours.
PRESETS: dict[str, Preset] = {
    "tiny": Preset(
        "tiny", **_training("tiny"), seeds=(0, 1), channels=(8, 16), departure=(1.0,), adaptation=(100.0,),
        amounts=(20, 60, 180), untrained=100, judged=20, edited=8, drawn=500,
    ),
    "cpu": Preset(
        "cpu", **_training("cpu", gan={"steps": 2_000}, vae={"steps": 1_500}), channels=(16, 32),
    ),
    "paper": Preset(
        "paper", **_training("paper", gan={"validation": 2_000}, vae={"validation": 2_000}), judged=2_000,
    ),
}  # fmt: skip

"""What a training run is made of: frozen dataclasses that check themselves, and presets."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from sicjax import runs
from sicjax._errors import InputError

# The fields by what they are about, for help.
GROUPS: dict[str, tuple[str, ...]] = {
    "images": ("data", "data_dir", "images", "size", "crop", "validation", "subset", "flip"),
    "networks": ("latent", "kernel", "generator", "discriminator", "encoder", "decoder", "dropout"),
    "training": (
        "steps", "batch", "learning_rate", "beta1", "beta2", "schedule", "clip", "beta", "ema", "dtype", "seed",
    ),
    "independence penalty": ("penalty", "penalty_kind", "penalty_layers"),
    "what is written": (
        "log_every", "sample_every", "measure_every", "save_every", "save_at", "keep", "tensorboard",
    ),
    "device": ("steps_together", "on_device"),
}  # fmt: skip


@dataclass(frozen=True)
class Config:
    """What the GAN and the VAE share.

    Attributes:
        data: images to train on: faces (drawn), celeb_a, folder:PATH or npz:PATH.
        data_dir: where celeb_a lies.
        images: how many of them, or drawn; 0 for all, or 20,000 drawn.
        size: side of the images in pixels.
        crop: side of the centred square cut from each before it is resized; 0 for the source's own.
        validation: images held out to score the networks, at most a tenth of all.
        subset: train on the first so many of those that are not held out; 0 for all of them.
        flip: mirror images at random.
        latent: number of latent variables.
        kernel: side of every kernel.
        steps: training steps.
        batch: images a step, over all devices.
        learning_rate: of Adam.
        beta1: of Adam.
        beta2: of Adam.
        schedule: of the learning rate; cosine ends at 0.
        clip: largest norm of a gradient; 0 for no limit.
        dropout: rate between the two finest layers of the generator or decoder.
        penalty: weight of the independence penalty, `sdr.penalty`; before the first step its gradient
            is compiled for about ten seconds a pair.
        penalty_kind: the whole departure from 1, or adaptation or coupling alone.
        penalty_layers: only pairs whose name contains one of these, such as "encoder"; without any those of the
            generator or decoder.
        dtype: of the computation; weights are float32.
        seed: of everything random.
        log_every: steps between lines of metrics.jsonl.
        sample_every: steps between pictures.
        measure_every: steps between measurements of every pair of layers.
        save_every: steps between checkpoints.
        save_at: further steps to save at, 0 for the first weights; these checkpoints stay.
        keep: latest checkpoints to keep, beside the best.
        steps_together: steps a dispatch; 0 for 1 on CPU and 10 elsewhere.
        on_device: keep all images on the device, or stream them; without it by whether they fit.
        tensorboard: write TensorBoard events too.
    """

    data: str = "faces"
    data_dir: str | None = None
    images: int = 0
    size: int = 64
    crop: int = 0
    validation: int = 500
    subset: int = 0
    flip: bool = True
    latent: int = 100
    kernel: int = 4
    steps: int = 20_000
    batch: int = 128
    learning_rate: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    schedule: Literal["constant", "cosine"] = "constant"
    clip: float = 0.0
    dropout: float = 0.0
    penalty: float = 0.0
    penalty_kind: Literal["departure", "adaptation", "coupling"] = "departure"
    penalty_layers: tuple[str, ...] = ()
    dtype: Literal["float32", "bfloat16"] = "float32"
    seed: int = 0
    log_every: int = field(default=50, metadata=runs.FREE)
    sample_every: int = field(default=500, metadata=runs.FREE)
    measure_every: int = field(default=500, metadata=runs.FREE)
    save_every: int = field(default=1000, metadata=runs.FREE)
    save_at: tuple[int, ...] = field(default=(), metadata=runs.FREE)
    keep: int = field(default=2, metadata=runs.FREE)
    steps_together: int = 0
    on_device: bool | None = field(default=None, metadata=runs.FREE)
    tensorboard: bool = field(default=False, metadata=runs.FREE)

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, list):  # as JSON has them; a config can be compared and hashed
                object.__setattr__(self, name, tuple(value))
        at_least = {
            1: "size latent kernel steps batch log_every sample_every measure_every save_every keep",
            0: "images crop validation subset clip penalty seed steps_together",
        }
        for low, names in at_least.items():
            for name in names.split():
                if not getattr(self, name) >= low:
                    raise InputError(f"{runs.flag(name)} must be at least {low}, got {getattr(self, name)}")
        if min(self.save_at, default=0) < 0:
            raise InputError(f"--save-at must be at least 0, got {min(self.save_at)}")
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"--learning-rate must be above 0, got {self.learning_rate}")
        for name in ("beta1", "beta2", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{runs.flag(name)} must be in [0, 1), got {getattr(self, name)}")
        for name in ("schedule", "penalty_kind", "dtype"):
            allowed = {"schedule": ("constant", "cosine"), "penalty_kind": ("departure", "adaptation", "coupling")}
            if getattr(self, name) not in allowed.get(name, ("float32", "bfloat16")):
                raise InputError(f"{runs.flag(name)} cannot be {getattr(self, name)!r}")
        if self.penalty_layers and not self.penalty:
            raise InputError("--penalty-layers needs a weight for the penalty: set --penalty")

    @property
    def free(self) -> tuple[str, ...]:
        """Fields that may change between the runs in one directory because of what the others say."""
        return ("steps",) if self.schedule == "constant" else ()

    def held_out(self, images: int) -> int:
        """How many of so many images are not trained on: the last ones."""
        return max(1, min(self.validation, images // 10))


@dataclass(frozen=True)
class GanConfig(Config):
    """The paper's GAN (a DCGAN).

    Attributes:
        generator: channels of the generator, from coarse to fine.
        discriminator: channels of the discriminator, from fine to coarse.
        ema: decay of the average of the generator's weights that the samples come from.
    """

    generator: tuple[int, ...] = (512, 256, 128, 64)
    discriminator: tuple[int, ...] = (64, 128, 256, 512)
    ema: float = 0.999

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.ema < 1:
            raise InputError(f"--ema must be in [0, 1), got {self.ema}")
        _check_layers(self, "generator", (2,) * len(self.generator))
        _check_layers(self, "discriminator", (2,) * len(self.discriminator))


@dataclass(frozen=True)
class VaeConfig(Config):
    """The paper's VAE.

    Attributes:
        encoder: channels of the encoder, from fine to coarse.
        decoder: channels of the decoder, from coarse to fine; its last convolution has stride 1.
        beta: weight of the KL term, times 0.005.
    """

    latent: int = 128
    kernel: int = 5
    batch: int = 64
    learning_rate: float = 1e-3
    encoder: tuple[int, ...] = (64, 128, 256, 512)
    decoder: tuple[int, ...] = (256, 256, 128, 32)
    beta: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.beta < math.inf:
            raise InputError(f"--beta must be at least 0, got {self.beta}")
        _check_layers(self, "encoder", (2,) * len(self.encoder))
        _check_layers(self, "decoder", (2,) * (len(self.decoder) - 1))


def _check_layers(config: Config, name: str, strides: tuple[int, ...]) -> None:
    channels = getattr(config, name)
    if not channels or min(channels) < 1:
        raise InputError(f"{runs.flag(name)} needs channels of at least 1, got {channels}")
    if config.size % math.prod(strides):
        raise InputError(
            f"--size must be a multiple of {math.prod(strides)} with {runs.flag(name)} {channels}, got {config.size}"
        )
    if config.kernel < 2 and strides:
        raise InputError(f"--kernel must be at least the stride 2, got {config.kernel}")


# `tiny` shows that everything runs, in seconds; `cpu` is sized for two cores; `paper` is the paper's, for a GPU.
PRESETS: dict[str, dict[str, Config]] = {
    "gan": {
        "tiny": GanConfig(
            images=200, size=16, latent=8, generator=(16, 8, 8), discriminator=(8, 8, 16), steps=20, batch=8,
            log_every=5, sample_every=10, measure_every=10, save_every=10,
        ),
        "cpu": GanConfig(
            generator=(256, 128, 64, 32), discriminator=(32, 64, 128, 256), steps=8_000, batch=16, validation=1_000,
        ),
        "paper": GanConfig(data="celeb_a"),
    },
    "vae": {
        "tiny": VaeConfig(
            images=200, size=16, latent=8, encoder=(8, 8, 16), decoder=(16, 8, 8), steps=20, batch=8,
            log_every=5, sample_every=10, measure_every=10, save_every=10,
        ),
        "cpu": VaeConfig(
            encoder=(32, 64, 128, 256), decoder=(128, 128, 64, 16), steps=4_000, batch=16, validation=1_000,
        ),
        "paper": VaeConfig(data="celeb_a", steps=60_000),
    },
}  # fmt: skip

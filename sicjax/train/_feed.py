"""Images on their way into a step: to the devices, all at once when they fit, else batch by batch; there, prepared."""

from __future__ import annotations

import os
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, UInt8

from sicjax import data
from sicjax.train._config import Config

# The images may take this share of what memory there is.
SHARE = 0.25


class Feed:
    """Gives the images of steps, as `(steps, batch)` numbers of images on the devices or as the images themselves.

    Attributes:
        pixels: `(n, size, size, 3)` on every device, or None when they are streamed.
    """

    def __init__(self, images: data.Images, count: int, config: Config, mesh: Mesh) -> None:
        self.images, self.count, self.config = images, count, config
        self.spread = NamedSharding(mesh, PartitionSpec(None, "data"))
        fits = images.pixels[:count].nbytes < SHARE * _memory() if config.on_device is None else config.on_device
        self.pixels: UInt8[Array, "n h w 3"] | None = None
        if fits:
            self.pixels = everywhere(np.asarray(images.pixels[:count]), mesh)
        self._stream: Iterator | None = None
        self._next = -1

    def steps(self, start: int, stop: int) -> Array:
        """What the steps from `start` before `stop` take, spread over the devices along the batch."""
        if self.pixels is None:
            return self._put(np.stack([self._streamed(step) for step in range(start, stop)]))
        places = [data.indices(step, self.count, self.config.batch, self.config.seed) for step in range(start, stop)]
        return self._put(np.stack(places).astype(np.int32))

    def _streamed(self, step: int) -> np.ndarray:
        if self._stream is None or step != self._next:
            self._stream = data.stream(
                self.images.first(self.count), self.config.batch, seed=self.config.seed, start=step
            )
        self._next = step + 1
        return next(self._stream)

    def _put(self, array: np.ndarray) -> Array:
        return jax.make_array_from_callback(array.shape, self.spread, lambda where: array[where])


def everywhere(array: np.ndarray, mesh: Mesh) -> Array:
    """A copy of an array on every device, of every process."""
    return jax.make_array_from_callback(array.shape, NamedSharding(mesh, PartitionSpec()), lambda where: array[where])


def prepared(images: UInt8[Array, "n h w 3"], key: Array, config: Config) -> Float[Array, "n h w 3"]:
    """Images in [-1, 1], half of them mirrored if the config says so."""
    x = images.astype(jnp.float32) / 127.5 - 1
    if not config.flip:
        return x
    mirrored = jax.random.bernoulli(key, shape=(len(x), 1, 1, 1))
    return jnp.where(mirrored, x[:, :, ::-1], x)


def spread(x: Array, mesh: Mesh | None) -> Array:
    """An array that each device of a mesh has its rows of."""
    return x if mesh is None else jax.lax.with_sharding_constraint(x, NamedSharding(mesh, PartitionSpec("data")))


def _memory() -> float:
    """Free bytes on the smallest device; CPU devices share the machine's."""
    device = jax.local_devices()[0]
    found = device.memory_stats() or {}
    if "bytes_limit" in found:
        return found["bytes_limit"] - found.get("bytes_in_use", 0)
    if "SC_AVPHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / jax.local_device_count()
    return 2**33 / jax.local_device_count()

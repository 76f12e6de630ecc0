"""The intermediate channels spread over the devices of a mesh."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec

from sicjax.sdr._cascade import Cascade


def spread_over(pair: Cascade, mesh: jax.sharding.Mesh) -> tuple[Cascade, int]:
    """The pair with its intermediate channels over all axes of the mesh, and how many pathways that added.

    Their number is filled up to a multiple of the devices with kernels that have no energy; these pathways are
    undefined, and the caller takes them off that count.
    """
    first, second = pair.aligned()
    i, m, o = pair.shape
    extra = -m % mesh.size
    spatial = [(0, 0)] * (first.ndim - 2)
    first = jnp.pad(first, [*spatial, (0, 0), (0, extra)])
    second = jnp.pad(second, [*spatial, (0, extra), (0, 0)])
    none = [None] * len(spatial)
    spread = Cascade.tree_unflatten(
        (pair.down, pair.up, pair.first_dilation, pair.second_dilation, 1, 1),
        (
            jax.device_put(first, NamedSharding(mesh, PartitionSpec(*none, None, mesh.axis_names))),
            jax.device_put(second, NamedSharding(mesh, PartitionSpec(*none, mesh.axis_names, None))),
        ),
    )
    return spread, i * extra * o

"""A convolution of a trace as a layer."""

from __future__ import annotations

import numpy as np

from sicjax.networks._flow import BATCH, CHANNEL, Flow
from sicjax.networks._jaxpr_walk import Known, Rule, Walk
from sicjax.networks._network import Layer


def _conv_general_dilated(walk: Walk, eqn, values, shapes):
    x, kernel = values
    p, numbers = eqn.params, eqn.params["dimension_numbers"]
    batch, feature, *space = numbers.lhs_spec
    reason = None
    if not isinstance(kernel, Known):
        reason = "its kernel depends on the input"
    elif p["batch_group_count"] != 1 or not space:
        reason = "it has batch groups or no spatial axis"
    elif x.sources and [x.axes[k] for k in space] != list(range(len(space))):
        reason = "its spatial axes are not those of the convolution before it"
    if reason is not None:
        path = getattr(kernel, "path", "") or "a convolution"
        walk.graph.skip(path, reason)
        return walk.graph.end([v for v in values if isinstance(v, Flow)], shapes[0], f"{path}: {reason}")
    order = (*numbers.rhs_spec[2:], numbers.rhs_spec[1], numbers.rhs_spec[0])
    up, down = tuple(p["lhs_dilation"]), tuple(p["window_strides"])
    transposed = max(up) > 1
    layer = Layer(
        kernel.path or f"convolution {len(walk.kernels)}",
        np.asarray(walk.kernel((kernel, order))),
        up if transposed else down,
        tuple(p["rhs_dilation"]),
        p["feature_group_count"],
        transposed,
    )
    axes = [0] * len(shapes[0])
    axes[numbers.out_spec[0]], axes[numbers.out_spec[1]] = BATCH, CHANNEL
    for k, axis in enumerate(numbers.out_spec[2:]):
        axes[axis] = k
    if x.sources and x.axes[feature] != CHANNEL:
        x = walk.graph.end([x], x.shape, f"{layer.path} reads channels from another axis")
    walk.kernels.append((kernel, order))
    return walk.graph.conv(x, layer, shapes[0], axes, up=up, down=down)


RULES: dict[str, Rule] = {"conv_general_dilated": _conv_general_dilated}

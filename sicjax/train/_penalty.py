"""The independence penalty on the pairs of layers that a config chooses."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from sicjax import sdr
from sicjax._errors import InputError
from sicjax.networks import Network
from sicjax.train._config import Config


class Penalty:
    """The independence penalty of the pairs that a config chooses, without a choice those of what generates."""

    def __init__(self, config: Config, nets: dict[str, Network]) -> None:
        self.config, self.nets = config, nets
        names = [f"{part}.{name}" for part, net in nets.items() for name in net.cascades]
        chosen = config.penalty_layers or ("generator.", "decoder.")
        unknown = [layer for layer in config.penalty_layers if not any(layer in name for name in names)]
        if unknown:
            raise InputError(
                f"--penalty-layers {', '.join(unknown)}: no pair is called so; there are {', '.join(names)}"
            )
        self.names = {name for name in names if config.penalty and any(layer in name for layer in chosen)}

    def __call__(self, part: str, params: Any) -> Float[Array, ""]:
        """Its value for one network, the mean over the chosen pairs of all; 0 where none is chosen there."""
        cascades = {f"{part}.{name}": cascade for name, cascade in self.nets[part].bind(params).items()}
        terms = [sdr.penalty(cascades[name], kind=self.config.penalty_kind) for name in cascades if name in self.names]
        return sum(terms, jnp.zeros(())) / max(len(self.names), 1)

    def added(self, part: str, params: Any, gradient: Any) -> tuple[Any, Array]:
        """A gradient with the penalty's, and the penalty."""
        value, slope = jax.value_and_grad(lambda params: self(part, params))(params)
        return jax.tree.map(lambda g, s: g + self.config.penalty * s, gradient, slope), value

"""Adam as the config says, and a step of it."""

from __future__ import annotations

from typing import Any

import optax

from sicjax.train._config import Config


def adam(config: Config) -> optax.GradientTransformation:
    rate = config.learning_rate
    schedule = optax.cosine_decay_schedule(rate, config.steps) if config.schedule == "cosine" else rate
    optimiser = optax.adam(schedule, b1=config.beta1, b2=config.beta2)
    return optax.chain(optax.clip_by_global_norm(config.clip), optimiser) if config.clip else optimiser


def update(optimiser: optax.GradientTransformation, gradient: Any, state: Any, params: Any) -> tuple[Any, Any]:
    """Parameters and the optimiser's state after one step along a gradient."""
    updates, state = optimiser.update(gradient, state, params)
    return optax.apply_updates(params, updates), state

"""Where the networks lie, and how they come back as modules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from sicjax import runs, weights

if TYPE_CHECKING:
    from flax import nnx

_FOLDER = Path(__file__).parent
NAMES = ("vae", "gan")
FILES: dict[str, Path] = {name: _FOLDER / f"{name}.safetensors" for name in NAMES}
PICTURES: dict[str, tuple[Path, ...]] = {
    name: tuple(_FOLDER / f"{name}-{kind}.png" for kind in (runs.SAMPLES, "training")) for name in NAMES
}


def load(name: str) -> dict[str, nnx.Module]:
    """The networks of a file by name: `encoder` and `decoder` of the VAE, `generator` and `discriminator` of the GAN.

    Arguments:
        name: which, of `FILES`.

    Raises:
        KeyError: another name.
        InputError: Flax is not installed.

    >>> import jax.numpy as jnp
    >>> load("vae")["decoder"](jnp.zeros((1, 32))).shape
    (1, 32, 32, 3)
    """
    file = FILES[name]
    import jax.numpy as jnp
    from flax import nnx

    from sicjax import models

    stated = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))["models"]
    arrays = weights.read(file).arrays
    found = {}
    for part, blueprint in stated.items():
        module = models.build(runs.Blueprint(**blueprint, params=(), stats=()), rngs=nnx.Rngs(0))
        state = nnx.state(module, nnx.Any(nnx.Param, nnx.BatchStat))
        flat = nnx.to_flat_state(state)
        for path, variable in flat:
            variable[...] = jnp.asarray(arrays[".".join((part, *map(str, path)))])
        nnx.update(module, state)
        found[part] = module
    return found

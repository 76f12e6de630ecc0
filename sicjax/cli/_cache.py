"""Compiled programs are kept on disk."""

from __future__ import annotations

import os
from pathlib import Path


def keep_compiled_programs() -> None:
    """Keeps what XLA compiles, so that the next command starts faster; a folder set for JAX itself comes first."""
    import jax

    if jax.config.jax_compilation_cache_dir is None:  # pyright: ignore[reportAttributeAccessIssue]
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sicjax" / "xla"
        jax.config.update("jax_compilation_cache_dir", str(cache))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)

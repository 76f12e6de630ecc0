"""Compiled programs are kept on disk."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from sicjax._foreign import printable


def keep_compiled_programs() -> None:
    """Keeps what XLA compiles, so that the next command starts faster; a folder set for JAX itself comes first.

    Where nothing can be kept that is said once, and everything else is done.
    """
    import jax

    if jax.config.jax_compilation_cache_dir is not None:  # pyrefly: ignore[missing-attribute]
        return
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sicjax" / "xla"
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache):
            pass
    except (OSError, RuntimeError) as error:  # the latter of a user without a home directory
        reason = error.strerror or error if isinstance(error, OSError) else error
        said = f"compiled programs are not kept ({reason}): set XDG_CACHE_HOME to a folder that can be written"
        print(f"sicjax: {printable(said)}", file=sys.stderr)
        return
    jax.config.update("jax_compilation_cache_dir", str(cache))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)

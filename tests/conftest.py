"""Settings that must stand before JAX starts, and where the shared data is."""

import os
from pathlib import Path

os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=4"

from jaxtyping import install_import_hook

install_import_hook("sicjax.sdr", "beartype.beartype")

import pytest
from hypothesis import settings

settings.register_profile("quick", max_examples=20, deadline=None, derandomize=True)
settings.load_profile("quick")


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory):
    """What XLA compiles is kept for the session: many tests run the same programs in new closures."""
    import jax

    jax.config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("compiled")))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


# Networks for the tests beside them, which skip where PyTorch is not installed.
collect_ignore = ["networks/in_torch.py", "networks/torch_modules.py"]

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def public_weights() -> Path:
    """The folder of public weights beside the checkout."""
    folder = SHARED / "weights"
    if not folder.is_dir():
        pytest.skip(f"the public weights are not here: {folder}")
    return folder

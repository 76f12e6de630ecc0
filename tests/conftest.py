"""Settings that must stand before JAX starts, and where the shared data is."""

import os
import sys
from importlib.metadata import version
from pathlib import Path

# Four devices, for what is spread over many; and compiling takes the time, so LLVM polishes nothing of what runs once.
# What is set already wins: `XLA_FLAGS=--xla_backend_optimization_level=3` tests the programs that a user runs.
ALREADY = os.environ.get("XLA_FLAGS", "")
FLAGS = {
    "--xla_force_host_platform_device_count": 4,
    "--xla_backend_optimization_level": 0,
    "--xla_cpu_parallel_codegen_split_count": 1,
}
# The older way of making loops compiles three times as fast; what XLA does not know any more ends the process.
OLD = tuple(map(int, version("jaxlib").split(".")[:2])) < (0, 11)
if OLD and "--xla_backend_optimization_level" not in ALREADY:
    FLAGS["--xla_cpu_use_fusion_emitters"] = "false"
os.environ["XLA_FLAGS"] = " ".join(
    [ALREADY, *(f"{flag}={value}" for flag, value in FLAGS.items() if flag not in ALREADY)]
)

# Else every command that a test starts compiles all modules of the package again, in a second or more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

import jaxtyping

jaxtyping.install_import_hook("sicjax", "typecheck.checked")

import numpy as np
import pytest
from hypothesis import settings
from safetensors.numpy import save_file

settings.register_profile("quick", max_examples=20, deadline=None, derandomize=True)
settings.load_profile("quick")


def pytest_xdist_auto_num_workers(config):
    """Files that are named are tested right here; workers, which take seconds to start, share whole folders."""
    return 0 if all(".py" in argument for argument in config.args) else None


# Files that take longest start first, so that no worker ends with one.
LONGEST = (
    "train/test_train.py",
    "sdr/test_statistics.py",
    "sdr/test_ratios.py",
    "networks/test_doors.py",
    "networks/test_trace_power.py",
)


def pytest_collection_modifyitems(items):
    """A file is given to one worker, which builds what its tests share once: these first, the others as they stand."""
    order = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory):
    """What XLA compiles is kept for the session: for every worker, and for the commands that tests start."""
    import jax

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled"
    kept = {"jax_compilation_cache_dir": str(folder), "jax_persistent_cache_min_compile_time_secs": 0.1}
    for name, value in kept.items():
        os.environ[name.upper()] = str(value)
        jax.config.update(name, value)


@pytest.fixture
def without_type_checks():
    """As a user runs it: the tests' type checks would speak first."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


# Networks for the tests beside them, which skip where PyTorch is not installed.
collect_ignore = ["networks/in_torch.py", "networks/torch_libraries.py", "networks/torch_modules.py"]
# Needs a package that the project does not.
collect_ignore += ["faults/fuzz.py"]

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def public_weights() -> Path:
    """The folder of public weights beside the checkout."""
    folder = SHARED / "weights"
    if not folder.is_dir():
        pytest.skip(f"the public weights are not here: {folder}")
    return folder


@pytest.fixture
def chain(tmp_path):
    """A file of three transposed convolutions, 5-4-6-3, in the layout of PyTorch, and its kernels in Flax's."""
    rng = np.random.default_rng(0)
    kernels = [rng.normal(size=(a, b, 4, 4)).astype(np.float32) for a, b in [(5, 4), (4, 6), (6, 3)]]
    file = tmp_path / "chain.safetensors"
    save_file({f"net.{3 * k}.weight": kernel for k, kernel in enumerate(kernels)}, file)
    return file, [np.moveaxis(kernel, (0, 1), (-2, -1)) for kernel in kernels]

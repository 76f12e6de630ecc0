"""What is installed, what is missing, and how to get it."""

from __future__ import annotations

import platform
from importlib import metadata

from sicjax import __version__

_REQUIRED = ("jax", "jaxlib", "numpy", "scipy", "jaxtyping", "safetensors", "rich")
_OPTIONAL = {
    "plot": ("matplotlib",),
    "train": ("flax", "optax", "orbax-checkpoint", "grain", "pillow", "tyro"),
    "tensorboard": ("tensorboardX",),
    "celeba": ("tensorflow-datasets",),
    "torch": ("torch",),
    "onnx": ("onnx",),
    "keras": ("h5py",),
}


def report() -> str:
    """Versions, devices, and each optional part with the command that installs it, one a line."""
    import jax

    lines = [f"sicjax {__version__}, Python {platform.python_version()}, {platform.platform()}"]
    lines += [f"  {package} {_version(package)}" for package in _REQUIRED]
    lines.append("devices")
    lines += [f"  {device.device_kind} ({device.platform}:{device.id})" for device in jax.devices()]
    lines.append("optional parts")
    for extra, packages in _OPTIONAL.items():
        missing = [package for package in packages if _version(package) is None]
        found = [f"{package} {_version(package)}" for package in packages if package not in missing]
        what = f"missing {', '.join(missing)}: pip install 'sicjax[{extra}]'" if missing else ", ".join(found)
        lines.append(f"  {extra}: {what}")
    return "\n".join(lines)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None

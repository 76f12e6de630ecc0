"""What is needed to repeat a page: the command, the versions, the files."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from sicjax import __version__
from sicjax._extras import REQUIRED, version


class About(NamedTuple):
    """How a page came to be.

    Attributes:
        command: as it can be given again; empty where it was a call in Python.
        versions: of what the numbers were computed with.
        device: that computed them; empty where several machines did.
    """

    command: str
    versions: dict[str, str]
    device: str


def about(arguments: Sequence[str] | None = None, *, device: bool = True) -> About:
    """How the page that is being made comes to be.

    Arguments:
        arguments: of `sicjax` on the command line.
        device: whether this process is the one that measured.
    """
    found = {"sicjax": __version__, "Python": platform.python_version()}
    found |= {package: version(package) or "?" for package in sorted({*REQUIRED, "jaxlib"})}
    return About("" if arguments is None else shlex.join(["sicjax", *arguments]), found, _device() if device else "")


def _device() -> str:
    import jax

    devices = jax.devices()
    return f"{len(devices)} x {devices[0].device_kind}, {platform.platform()}"

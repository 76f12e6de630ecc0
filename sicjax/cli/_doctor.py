"""`sicjax doctor`: what is installed, what is missing, and how to get it."""

from __future__ import annotations

import argparse
import platform

from sicjax import __version__
from sicjax._extras import EXTRAS, REQUIRED, missing, version


def add_to(commands: argparse._SubParsersAction) -> None:
    """Declares the command."""
    parser = commands.add_parser("doctor", help="versions, devices, optional parts and how to install them")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints versions, devices, and each optional part and format with the command that installs it, one a line."""
    import jax

    from sicjax.networks import FORMATS

    print(f"sicjax {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for package in sorted({*REQUIRED, "jaxlib"}):
        print(f"  {_named(package)}")
    print("devices")
    for device in jax.devices():
        print(f"  {device.device_kind} ({device.platform}:{device.id})")
    print("optional parts")
    for extra in EXTRAS:
        print(f"  {extra}: {_state(extra)}")
    print("files that can be measured")
    for format in FORMATS:
        absent = format.extra is not None and missing(format.extra)
        can = f"pip install 'sicjax[{format.extra}]'" if absent else "yes"
        print(f"  {' '.join((format.name, *format.endings))}: {can}")


def _state(extra: str) -> str:
    """What is there of an extra, or else what is not."""
    absent = missing(extra)
    if absent:
        return f"missing {', '.join(absent)}: pip install 'sicjax[{extra}]'"
    return ", ".join(map(_named, EXTRAS[extra]))


def _named(package: str) -> str:
    return f"{package} {version(package) or ''}".rstrip()

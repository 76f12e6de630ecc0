"""The help of `sicjax train gan` and `sicjax train vae`: every field of the config, with its value in each preset."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
import textwrap
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from sicjax import runs, train

# Where what a flag is for begins.
COLUMN = 26


def train_help(kind: str, width: int) -> str:
    """The flags in groups, each with what it is for and its value, or those of the presets where they differ."""
    presets = train.PRESETS[kind]
    said = _said(type(next(iter(presets.values()))))
    lines = []
    for group, names in train.GROUPS.items():
        lines += ["", f"{group}:"]
        lines += [line for name in names if name in said for line in _flag(name, said[name], presets, width)]
    return "\n".join(lines)


def declare(parser: argparse.ArgumentParser, kind: str) -> None:
    """Adds every field as a flag, for what has to know them, such as completion; tyro reads their values."""
    presets = train.PRESETS[kind]
    config = next(iter(presets.values()))
    parser.add_argument("--workdir", metavar="DIR", help="the run's directory")
    parser.add_argument("--preset", choices=tuple(presets), help="values of the other flags")
    for name, said in _said(type(config)).items():
        given = typing.get_type_hints(type(config))[name]
        choices = typing.get_args(given) if typing.get_origin(given) is Literal else None
        how: dict[str, Any] = {"action": argparse.BooleanOptionalAction} if given is bool else {"choices": choices}
        parser.add_argument(runs.flag(name), help=said.rstrip("."), **how)


def _said(config: type) -> dict[str, str]:
    """What the docstrings say of each field."""
    found: dict[str, str] = {}
    for each in reversed(config.__mro__[:-1]):
        # Python 3.13 takes the indentation off, older ones leave it.
        text = inspect.cleandoc(each.__doc__ or "").partition("Attributes:")[2]
        entries = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", text, re.MULTILINE)
        found |= {name: " ".join(words.split()) for name, words in entries}
    return {field.name: found[field.name] for field in dataclasses.fields(config)}


def _flag(name: str, said: str, presets: Mapping[str, train.Config], width: int) -> Iterator[str]:
    kind = typing.get_type_hints(type(next(iter(presets.values()))))[name]
    flag = runs.flag(name)
    head = f"  {flag}, --no-{flag[2:]}" if kind is bool else f"  {flag} {_metavar(kind)}"
    values = {preset: _shown(getattr(config, name)) for preset, config in presets.items()}
    same = len(set(values.values())) == 1
    value = next(iter(values.values())) if same else "; ".join(f"{preset} {value}" for preset, value in values.items())
    wrapped = textwrap.wrap(f"{said.rstrip('.')} ({value})", max(width - COLUMN, 30))
    if len(head) < COLUMN - 1:
        yield head.ljust(COLUMN) + wrapped.pop(0)
    else:
        yield head
    for line in wrapped:
        yield " " * COLUMN + line


def _metavar(kind: Any) -> str:
    if typing.get_origin(kind) is Literal:
        return "{" + ",".join(typing.get_args(kind)) + "}"
    if typing.get_origin(kind) is tuple:
        return f"{_metavar(typing.get_args(kind)[0])} ..."
    if type(None) in typing.get_args(kind):
        kind = next(each for each in typing.get_args(kind) if each is not type(None))
    return {int: "N", float: "X", str: "TEXT", bool: "{True,False}"}[kind]


def _shown(value: Any) -> str:
    """A value as it is given on the command line."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"
    if value is None:
        return "unset"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)

"""A draft of the JSON sidecar of a weights file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from sicjax import weights
from sicjax._errors import InputError
from sicjax.networks._formats import format_of
from sicjax.networks._only import check, prefixes
from sicjax.networks.chain import draft, strides_given

_ABOUT = (
    "a draft by sicjax sidecar: layers in the order of the file, none in a pair with one of another network; "
    "fill in every null, put layers in the order of the data, and leave out those that no pair should have"
)


def sidecar_draft(
    path: str | Path,
    *,
    stride: int | Sequence[int] | None = None,
    transposed: bool | None = None,
    transposed_in: str | Sequence[str] | None = None,
) -> str:
    """The text of a sidecar that states what a weights file and these arguments tell, with null for what they do not.

    Arguments:
        path: a weights file.
        stride: see `from_file`.
        transposed: see `from_file`.
        transposed_in: see `from_file`.

    Raises:
        InputError: a file that cannot be read, that states its layers itself, or that has no convolution.
    """
    path = Path(path)
    content = weights.look(path)
    if content.folder or format_of(content).graph:
        raise InputError(f"{path} states its layers itself: it needs no sidecar")
    tensors, turned = weights.read(path), prefixes(transposed_in, "transposed_in")
    check(path, tensors.arrays, turned, "--transposed-in")
    found = draft(path, tensors, stride=strides_given(stride), transposed=transposed, transposed_in=turned)
    parts = []
    for name, layers in found.items():
        lines = ",\n".join(f"    {json.dumps(layer)}" for layer in layers)
        parts.append(f"  {json.dumps(name)}: [\n{lines}\n  ]")
    return "{\n" + f' "about": {json.dumps(_ABOUT)},\n "networks": {{\n' + ",\n".join(parts) + "\n }\n}\n"

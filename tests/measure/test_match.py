"""Which layer is which, of names and shapes alone."""

import numpy as np
import pytest

from sicjax.measure._match import match
from sicjax.networks import Layer


def layers(*named):
    """Layers `name` or `name:outputs`."""
    split = [(name.partition(":")[0], int(name.partition(":")[2] or 4)) for name in named]
    return [Layer(path, np.zeros((3, 3, 2, outputs)), (1, 1), (1, 1), 1, False) for path, outputs in split]


@pytest.mark.parametrize(
    "before, after, names, moved, note",
    [
        ("a b c", "a b c", "a b c", "", ""),
        ("a b c", "a c", "a - c", "", ""),
        ("a c", "a b c", "a c", "", ""),
        ("a b c", "b c a", "a b c", "a", ""),
        ("a b c d", "d b c a", "a b c d", "a d", ""),
        ("net.0 net.3", "module.net.0 module.net.3", "module.net.0 module.net.3", "", "2 layers are matched"),
        ("a.0 a.3", "/b/0 /b/3", "/b/0 /b/3", "", "begin otherwise: a.0 is /b/0"),
        ("net.0 net.3", "module.net.0 module.net.3 module.head", "module.net.0 module.net.3", "", "begin otherwise"),
        ("conv:2 last:3", "encoder.conv:2 decoder.conv:2 last:3", "- last", "", ""),
        ("a:2 b:3 c:4", "x:2 y:3 z:4", "x y z", "", "3 layers are matched by their order"),
        ("a:2 b:3 c:4", "a:2 y:3 c:4", "a y c", "", "a layer is matched by their order"),
        ("a:2 b:3 c:4", "x:2 z:4 y:3", "- - -", "", ""),
        ("a:2 b:3", "x:2 y:3 z:4", "- -", "", ""),
    ],
)  # fmt: skip
def test_names_prefixes_and_order(before, after, names, moved, note):
    old = layers(*before.split())
    found = match(old, layers(*after.split()))
    assert [found.names.get(layer.path, "-") for layer in old] == names.split()
    assert found.moved == set(moved.split())
    assert note in " ".join(found.notes) and bool(note) == bool(found.notes)

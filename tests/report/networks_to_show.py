"""Networks for the tests of pages: small, with names that nobody should trust."""

import numpy as np

from sicjax import measure, sdr
from sicjax.networks import Layer, Network, Pair, Skipped

HOSTILE = "<script>window.ran = 1</script><img src=x onerror='window.ran = 1'>"
CHANNELS = (4, 8, 8, 4)


def network(names):
    """A chain of three convolutions, 4-8-8-4."""
    rng = np.random.default_rng(0)
    kernels = [rng.normal(size=(3, 3, *ends)).astype(np.float32) for ends in zip(CHANNELS, CHANNELS[1:], strict=False)]
    layers = [Layer(name, kernel, (1, 1), (1, 1), 1, False) for name, kernel in zip(names, kernels, strict=True)]
    pairs = [
        Pair(f"{a.path} to {b.path}", a, b, sdr.Cascade(a.kernel, b.kernel), "")
        for a, b in zip(layers, layers[1:], strict=False)
    ]
    return Network(tuple(layers), tuple(pairs), (Skipped(f"fc {HOSTILE}", "a dense layer ends a chain"),))


def measured(names=("conv1", "conv2", HOSTILE)):
    (found,) = measure.measure([network(names)])
    return found


def large(found, pairs, letters=30):
    """The same with so many pairs, each a little different, with names of so many letters."""
    rows, drawn, histograms = [], [], []
    layers = [found.network.layers[0]._replace(path=f"layer{k} {'x' * letters}") for k in range(pairs + 1)]
    for k in range(pairs):
        row, pair = found.rows[k % 2], found.network.pairs[k % 2]
        first, second = layers[k // 2], layers[k + 1]
        name = f"{first.path} to {second.path}"
        rows.append(
            row._replace(name=name, first=first.path, second=second.path, mean=1 + k / pairs, coupling=k / pairs)
        )
        drawn.append(pair._replace(name=name, first=first, second=second))
        histograms.append(found.histograms[k % 2])
    net = found.network._replace(layers=tuple(layers), pairs=tuple(drawn))
    return found._replace(network=net, rows=tuple(rows), histograms=tuple(histograms))

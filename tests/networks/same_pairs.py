"""Pairs of networks, to compare."""

import functools

import numpy as np

from sicjax import sdr


@functools.lru_cache(maxsize=4096)
def _ratios(first, second, settings):
    of = lambda kernel: np.frombuffer(kernel[0], np.float32).reshape(kernel[1])
    return sdr.reference.ratios(sdr.Cascade(of(first), of(second), **dict(settings)))


def ratios(pair):
    """By the definition, computed once for all doors that give the same cascade."""
    cascade = pair.cascade
    names = ("down", "up", "first_dilation", "second_dilation")
    held = [(np.asarray(k, np.float32).tobytes(), np.shape(k)) for k in (cascade.first, cascade.second)]
    return _ratios(*held, tuple((name, getattr(cascade, name)) for name in names))


def unit(kernel):
    """Up to the scale of each filter, which a batch normalisation may have taken, and which no ratio depends on."""
    kernel = np.asarray(kernel, np.float64)
    return kernel / np.sqrt((kernel**2).sum(tuple(range(kernel.ndim - 1)), keepdims=True))


def rows(net, kernels):
    """The pairs, in one order for all doors: layers go by the kernels that theirs are. With their ratios.

    Arguments:
        kernels: of the network, by name; None to take the names of the file.
    """
    units = {name: unit(kernel) for name, kernel in (kernels or {}).items() if kernel.ndim > 2}

    def name(layer):
        if kernels is None:
            return layer.path
        turned = np.flip(layer.kernel, range(layer.kernel.ndim - 2))
        same = lambda other: any(np.allclose(other, unit(k), atol=1e-5) for k in (layer.kernel, turned))
        (found,) = [path for path, other in units.items() if other.shape == layer.kernel.shape and same(other)]
        return found

    found = []
    for pair in net.pairs:
        c = pair.cascade
        settings = c.down, c.up, pair.first.dilation, pair.second.dilation
        found.append(((name(pair.first), name(pair.second), *settings), ratios(pair)))
    # What is one pair for each part of the channels comes in any order.
    return sorted(found, key=lambda row: (row[0], round(float(row[1].sum()), 4)))


def compare(net, expected, kernels, door):
    """Raises where a network has other pairs, other ratios, or a layer that is in no pair without a reason."""
    found = rows(net, kernels)
    assert [words for words, _ in found] == [words for words, _ in expected], door
    for (words, rho), (_, other) in zip(found, expected, strict=True):
        np.testing.assert_allclose(rho, other, atol=1e-6, err_msg=f"{words}, {door}")
    paired = {layer.path for pair in net.pairs for layer in (pair.first, pair.second)}
    reasons = dict(net.skipped)
    assert not [layer.path for layer in net.layers if layer.path not in paired and not reasons.get(layer.path)], door

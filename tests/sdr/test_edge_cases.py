import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import METHODS, kernels

import sicjax.sdr as sdr
from sicjax import networks

A, B = kernels((4, 4), (4, 4))


@pytest.mark.parametrize("method", METHODS)
def test_a_kernel_without_energy_is_nan_and_nothing_else_is(method):
    first, second = A.copy(), B.copy()
    first[..., 1, 2] = 0
    second[..., 3, 0] = 0
    pair = sdr.generative(first, second, stride=2)
    expected = sdr.reference.ratios(pair)
    assert np.isnan(expected).sum() == 2 + 3
    np.testing.assert_allclose(METHODS[method](pair), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "size1, size2, settings, structural",
    [
        ((1, 1), (5, 5), {}, True),
        ((2, 2), (2, 2), {"up": 2}, True),
        ((2, 2), (2, 2), {"down": 2}, True),
        ((2, 2), (3, 3), {"up": 2}, False),
        ((1, 3), (3, 1), {}, True),
        ((4, 4), (4, 4), {"up": 4}, True),
        ((3,), (3,), {"first_dilation": 2, "second_dilation": 3}, True),
    ],
)
def test_structural_pairs_are_flagged(size1, size2, settings, structural):
    pair = sdr.Cascade(*kernels(size1, size2), **settings)
    assert pair.structural == structural
    assert bool(np.all(np.abs(sdr.ratios(pair) - 1) == 0)) == structural
    if structural:
        assert sdr.moments(pair)[2:] == (1, 0) and np.isnan(sdr.decompose(pair).z)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_named(bad):
    broken = A.copy()
    broken[0, 0, 1, 1] = bad
    with pytest.raises(ValueError, match="the first kernel has 1 weights that are NaN or infinite"):
        sdr.generative(broken, B, stride=2)
    with pytest.raises(ValueError, match="the second kernel has 1 weights"):
        sdr.generative(B, jnp.asarray(broken[..., :2, :]), stride=2)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: sdr.Cascade(A, B[..., :3, :]), "gives 4 channels, second .* takes 3"),
        (lambda: sdr.Cascade(A, B[0]), "same number of spatial axes"),
        (lambda: sdr.Cascade(A[0, 0], B[0, 0]), "at least one"),
        (lambda: sdr.Cascade(A, B, up=0), "up must be a positive integer, got 0"),
        (lambda: sdr.Cascade(A, B, down=1.5), "down must be"),
        (lambda: sdr.Cascade(A, B, down=(1, 2, 3)), "one int for each of the 2 spatial axes"),
        (lambda: sdr.Cascade(A, B, second_groups=2), "takes 8 in 2 groups"),
        (lambda: sdr.Cascade(A, B, first_groups=3), "4 output channels, not a multiple of its 3 groups"),
        (lambda: sdr.Cascade(A * 1e60, B), "outside the range of float32"),
        (lambda: sdr.Cascade(A * 1e-60, B), "vanish in float32"),
        (lambda: sdr.Cascade(A * 1j, B), "real numbers"),
        (lambda: sdr.ratios(sdr.Cascade(A, B), method="wavelet"), "method must be"),
        (lambda: sdr.ratios(sdr.Cascade(A, B), out=jnp.zeros((1, 2, 3))), r"out must be \(3, 4, 2\)"),
        (lambda: sdr.penalty(sdr.Cascade(A, B), kind="entropy"), "kind must be"),
        (lambda: sdr.null(sdr.Cascade(A, B), draws=4), "draws need a key"),
        (lambda: sdr.null(sdr.Cascade(A, B), jax.random.key(0), draws=0), "at least 1"),
        (lambda: sdr.histogram(sdr.Cascade(A, B), edges=np.array([1.0, 1.0])), "increasing"),
        (lambda: sdr.histogram(sdr.Cascade(A, B), edges=np.array([1.0])), "at least two"),
    ],
)
def test_bad_input_is_one_line_that_says_what_is_wrong(make, message, without_type_checks):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("scale", [1e-37, 1e-40, 1e-42])
def test_kernels_that_xla_takes_for_zero_are_measured(scale):
    """As are single filters that are so small beside others of usual size."""
    expected, small = sdr.moments(sdr.generative(A, B, stride=2)), (A * scale).astype(np.float32)
    for kernel in (small, jnp.asarray(small), np.concatenate([small[..., :1, :], A[..., 1:, :]], -2)):
        found = sdr.moments(sdr.generative(kernel, B, stride=2))
        assert found.count == 24
        np.testing.assert_allclose(found[2:], expected[2:], atol=1e-5 if scale > 1e-41 else 3e-3)
    with pytest.raises(ValueError, match="1 filters of the first kernel vanish in float32 beside the others"):
        tiny = np.ones((2, 1, 1, 2), np.float32) * np.float32([1e-44, 1e30])
        sdr.Cascade(tiny, np.ones((2, 1, 2, 1), np.float32))


@pytest.mark.parametrize("name", ["moments", "decompose", "coupling", "null", "histogram", "ratios", "extremes"])
def test_a_pair_of_a_network_is_told_where_its_cascade_is(name, without_type_checks):
    pair = networks.from_function(
        lambda w, x: _conv(_conv(x, w), w), jnp.ones((3, 3, 2, 2)), jnp.ones((1, 8, 8, 2))
    ).pairs[0]
    call = {"extremes": lambda pair: sdr.extremes(pair, 2)}.get(name, getattr(sdr, name))
    call(pair.cascade)
    with pytest.raises(TypeError, match="expected a sicjax.sdr.Cascade, got Pair: give its cascade, pair.cascade"):
        call(pair)


def _conv(x, kernel):
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def test_kernels_as_pytorch_has_them_are_doubted():
    first, second = np.ones((64, 3, 4, 4)), np.ones((128, 64, 4, 4))
    with pytest.warns(UserWarning, match="look as PyTorch has them; expected"):
        sdr.extractive(first, second, stride=2)
    with pytest.warns(UserWarning, match="look as PyTorch has them; expected"):
        sdr.generative(second, first, stride=2)  # (in, out, k, k)
    sdr.generative(np.ones((1, 7, 4, 4)), np.ones((7, 1, 4, 4)), stride=2)


def test_a_pair_of_constants_inside_jit():
    assert jax.jit(lambda: sdr.moments(sdr.generative(A, jnp.asarray(B), stride=2)).count)() == 24


def test_counts_beyond_32_bits_do_not_overflow(without_type_checks):
    shape = jax.eval_shape(
        sdr.moments,
        jax.tree.unflatten(
            jax.tree.structure(sdr.generative(A, B, stride=2)),
            [jax.ShapeDtypeStruct((4, 4, 2048, 2048), "float32"), jax.ShapeDtypeStruct((4, 4, 2048, 1024), "float32")],
        ),
    )
    assert shape.count.dtype == jnp.float32


def test_importing_the_measure_brings_nothing_heavy():
    code = (
        "import sys, sicjax.sdr\n"
        "heavy = {'flax', 'optax', 'torch', 'matplotlib', 'tensorflow', 'onnx', 'scipy', 'rich', 'safetensors'}\n"
        "print(sorted(heavy & set(sys.modules)), sorted(m for m in sys.modules if m.startswith('sicjax.')\n"
        "      and not m.startswith('sicjax.sdr')))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed == "[] []\n"

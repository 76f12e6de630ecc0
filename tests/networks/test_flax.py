"""Flax modules, NNX and Linen: pairs in call order, and their moments inside a training step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sicjax.sdr as sdr
from sicjax import networks
from sicjax._errors import InputError

nnx = pytest.importorskip("flax.nnx")
linen = pytest.importorskip("flax.linen")
optax = pytest.importorskip("optax")

X = jnp.zeros((2, 16, 16, 3))


class Chain(nnx.Module):
    """conv10 is called before conv2."""

    def __init__(self, rngs):
        self.conv1 = nnx.Conv(3, 8, (3, 3), strides=2, rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.conv2 = nnx.Conv(6, 5, (3, 3), rngs=rngs)
        self.conv10 = nnx.Conv(8, 6, (3, 3), strides=2, rngs=rngs)
        self.drop = nnx.Dropout(0.5, rngs=rngs)
        self.dense = nnx.Linear(5, 1, rngs=rngs)

    def __call__(self, x):
        x = jax.nn.leaky_relu(self.norm(self.conv1(x)), 0.2)
        x = self.drop(jax.nn.gelu(self.conv10(x)))
        return self.dense(self.conv2(x).mean((1, 2)))


class Generator(linen.Module):
    @linen.compact
    def __call__(self, z, train: bool = True):
        x = linen.Dense(4 * 4 * 16)(z).reshape(-1, 4, 4, 16)
        for channels in (8, 6):
            x = linen.ConvTranspose(channels, (3, 3), strides=(2, 2))(x)
            x = linen.relu(linen.BatchNorm(use_running_average=not train)(x))
        x = linen.GroupNorm(num_groups=2)(x)
        return linen.tanh(linen.Conv(3, (3, 3), kernel_dilation=2)(x))


def test_nnx_modules_in_call_order():
    model = Chain(nnx.Rngs(0))
    net = networks.from_module(model, X)
    assert list(net.cascades) == ["conv1 to conv10", "conv10 to conv2"]
    assert [pair.cascade.direction for pair in net.pairs] == ["extractive", "extractive"]
    np.testing.assert_array_equal(net.cascades["conv10 to conv2"].first, model.conv10.kernel[...])
    assert "global pooling" in str(net.skipped) and net.name == "Chain"


def test_linen_modules_with_their_variables():
    model, z = Generator(), jnp.zeros((2, 7))
    variables = model.init(jax.random.key(0), z, train=False)
    net = networks.from_module(model, z, variables=variables, train=False)
    assert list(net.cascades) == ["ConvTranspose_0 to ConvTranspose_1", "ConvTranspose_1 to Conv_0"]
    assert net.name == "Generator"
    first, second = net.pairs
    assert first.cascade.up == (2, 2) and second.cascade.direction == "plain"
    assert second.cascade.second_dilation == (2, 2)
    kernel = variables["params"]["ConvTranspose_0"]["kernel"]
    np.testing.assert_array_equal(first.cascade.first, kernel)


def test_moments_inside_an_nnx_training_step():
    model = Chain(nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, optax.adam(1e-2), wrt=nnx.Param)
    net = networks.from_module(model, X)

    @nnx.jit
    def step(model, optimizer, x):
        gradients = nnx.grad(lambda model: (model(x) ** 2).mean())(model)
        optimizer.update(model, gradients)
        return {name: sdr.moments(pair) for name, pair in net.bind(model).items()}

    before = sdr.moments(net.cascades["conv1 to conv10"]).mean
    x = jax.random.normal(jax.random.key(1), X.shape)
    for _ in range(2):
        found = step(model, optimizer, x)
    expected = sdr.moments(networks.from_module(model, X).cascades["conv1 to conv10"])
    np.testing.assert_allclose(found["conv1 to conv10"], expected, rtol=1e-5)
    assert found["conv1 to conv10"].mean != before


def test_the_penalty_inside_a_linen_and_optax_step():
    model, z = Generator(), jax.random.normal(jax.random.key(1), (2, 7))
    variables = model.init(jax.random.key(0), z, train=False)
    net = networks.from_module(model, z, variables=variables, train=False)
    optimizer = optax.sgd(0.5)

    @jax.jit
    def step(variables, state):
        loss = lambda params: sum(sdr.penalty(pair) for pair in net.bind(variables | {"params": params}).values())
        value, gradients = jax.value_and_grad(loss)(variables["params"])
        updates, state = optimizer.update(gradients, state)
        return variables | {"params": optax.apply_updates(variables["params"], updates)}, state, value

    state, values = optimizer.init(variables["params"]), []
    for _ in range(20):
        variables, state, value = step(variables, state)
        values.append(float(value))
    assert values[-1] < 0.9 * values[0]


def test_bad_input():
    with pytest.raises(InputError, match="pass variables="):
        networks.from_module(Generator(), jnp.zeros((2, 7)))
    with pytest.raises(InputError, match="expected a Flax NNX or Linen module, got list"):
        networks.from_module([], X)
    with pytest.raises(InputError, match="only networks of functions and modules"):
        networks.Network((), (), ()).bind({})

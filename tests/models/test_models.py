"""The networks of the paper: shapes, what `sicjax.networks` sees, published weights."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from sicjax import models, networks, sdr, weights

PUBLIC = Path(__file__).parents[3] / "shared/data/weights/digiface_dcgan_g64.safetensors"
WIDTHS = {"channels": (16, 8, 8), "kernel": 4}


def test_the_default_networks_are_the_papers():
    shapes = lambda model: [conv.kernel.shape for conv in model.convs]
    build = lambda model: nnx.eval_shape(lambda: model(rngs=nnx.Rngs(0)))
    assert shapes(build(models.Generator)) == [(4, 4, 512, 256), (4, 4, 256, 128), (4, 4, 128, 64), (4, 4, 64, 3)]
    assert shapes(build(models.Discriminator)) == [(4, 4, 3, 64), (4, 4, 64, 128), (4, 4, 128, 256), (4, 4, 256, 512)]
    assert shapes(build(models.Encoder)) == [(5, 5, 3, 64), (5, 5, 64, 128), (5, 5, 128, 256), (5, 5, 256, 512)]
    assert shapes(build(models.Decoder)) == [(5, 5, 256, 256), (5, 5, 256, 128), (5, 5, 128, 32), (5, 5, 32, 3)]


@pytest.mark.parametrize("size", [32, 64, 128])
def test_every_size_gives_images_of_it(size):
    generator = nnx.eval_shape(lambda: models.Generator(size=size, rngs=nnx.Rngs(0)))
    images = nnx.eval_shape(lambda model, z: model(z), generator, jnp.zeros((2, 100)))
    assert images.shape == (2, size, size, 3)


def test_networks_sees_every_pair_with_its_direction():
    found = {
        model.__name__: [
            pair.cascade.direction
            for pair in networks.from_module(model(size=16, rngs=nnx.Rngs(0), **how), jnp.zeros(shape)).pairs
        ]
        for model, how, shape in (
            (models.Generator, dict(channels=(8, 4, 4), strides=(2, 2, 2)), (1, 100)),
            (models.Discriminator, dict(channels=(4, 4, 8), strides=(2, 2, 2)), (1, 16, 16, 3)),
            (models.Encoder, dict(channels=(4, 4, 8), strides=(2, 2, 2)), (1, 16, 16, 3)),
            (models.Decoder, dict(channels=(8, 4, 4), strides=(2, 2, 1)), (1, 128)),
        )
    }
    assert found == {
        "Generator": ["generative", "generative"],
        "Discriminator": ["extractive", "extractive"],
        "Encoder": ["extractive", "extractive"],
        "Decoder": ["generative", "plain"],
    }


def test_weights_stay_float32_and_the_computation_is_in_half_precision():
    model = models.Generator(size=16, channels=(8, 4, 4), strides=(2, 2, 2), dtype=jnp.bfloat16, rngs=nnx.Rngs(0))
    assert {leaf.dtype for leaf in jax.tree.leaves(nnx.state(model, nnx.Param))} == {jnp.dtype(jnp.float32)}
    z = jax.random.normal(jax.random.key(0), (4, 100))
    exact = models.Generator(size=16, channels=(8, 4, 4), strides=(2, 2, 2), rngs=nnx.Rngs(0))(z)
    assert model(z).dtype == jnp.float32
    assert 0 < float(jnp.abs(model(z) - exact).max()) < 0.01


def test_dropout_acts_in_training_alone_before_the_last_layer():
    model = models.Generator(size=16, channels=(8, 4, 4), strides=(2, 2, 2), dropout=0.5, rngs=nnx.Rngs(0))
    z = jax.random.normal(jax.random.key(0), (4, 100))
    assert (model(z) == model(z)).all()
    one, other = (model(z, train=True, key=jax.random.key(k)) for k in (1, 2))
    assert not (one == other).all()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (dict(channels=(8, 4)), "one stride for each layer"),
        (dict(size=20), "not a multiple"),
        (dict(kernel=1), "smaller than the stride"),
        (dict(dropout=1.0), r"in \[0, 1\)"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(how, words):
    with pytest.raises(ValueError, match=words):
        models.Generator(**how, rngs=nnx.Rngs(0))


@pytest.mark.skipif(not PUBLIC.exists(), reason="the public weights are not beside the project")
def test_published_weights_keep_their_layers_and_ratios():
    tensors = weights.read(PUBLIC).arrays
    net = networks.from_module(models.load_generator(tensors), jnp.zeros((1, 100)))
    means = [float(sdr.moments(pair).mean) for pair in net.cascades.values()]
    np.testing.assert_allclose(means, [1.0646, 1.1072, 1.1468], atol=5e-5)


@pytest.mark.torch
@pytest.mark.skipif(not PUBLIC.exists(), reason="the public weights are not beside the project")
def test_published_weights_give_the_images_of_the_original():
    torch = pytest.importorskip("torch")
    tensors = weights.read(PUBLIC).arrays
    channels, layers = (100, 512, 256, 128, 64, 3), []
    for k, (i, o) in enumerate(zip(channels, channels[1:], strict=False)):
        layers.append(torch.nn.ConvTranspose2d(i, o, 4, min(k + 1, 2), min(k, 1), bias=False))
        layers += [torch.nn.BatchNorm2d(o), torch.nn.ReLU()] if k < 4 else [torch.nn.Tanh()]
    original = torch.nn.Sequential(*layers).eval()
    state = {name.split("main.")[1]: torch.tensor(np.array(value)) for name, value in tensors.items()}
    original.load_state_dict(state, strict=False)
    z = np.random.default_rng(0).normal(size=(4, 100)).astype(np.float32)
    with torch.no_grad():
        expected = original(torch.tensor(z)[:, :, None, None]).numpy().transpose(0, 2, 3, 1)
    np.testing.assert_allclose(models.load_generator(tensors)(jnp.asarray(z)), expected, atol=1e-5)


def test_other_layouts_are_refused():
    with pytest.raises(ValueError, match="batch norm after each but the last"):
        models.load_generator({"conv.weight": np.zeros((3, 3, 4, 4))})

"""A step does what the papers say: against the same step written out with nothing shared and nothing quick."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from sicjax import models, networks, sdr, train
from sicjax.train._feed import prepared
from sicjax.train._optimiser import adam

# Kernels of 3: a penalty on larger ones takes many times as long to compile.
SMALL = dict(size=8, latent=4, kernel=3, batch=8, flip=False)
GAN = train.GanConfig(**SMALL, generator=(8, 4), discriminator=(4, 8), ema=0.9)
VAE = train.VaeConfig(**SMALL, encoder=(4, 8), decoder=(8, 4), beta=3.0)
IMAGES = jnp.asarray(np.random.default_rng(0).integers(0, 256, (8, 8, 8, 3)), jnp.uint8)
REAL = IMAGES / 127.5 - 1


def randomness(config, step, parts=3):
    """The keys of a step: of mirroring, of what is drawn, of dropout."""
    root = jax.random.fold_in(jax.random.key(config.seed), 2)
    return jax.random.split(jax.random.fold_in(root, step), parts)


def build(task, name, config):
    names = [name for name in task.models if name != "average"]
    key = jax.random.fold_in(jax.random.key(config.seed), names.index(name))
    return models.build(task.models[name], rngs=nnx.Rngs(key))


def close(found, expected):
    """Every weight, up to what Adam makes of rounding."""
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-6)


# One program each, as an operation at a time takes longer to compile than to run.
graded = lambda loss: nnx.jit(nnx.value_and_grad(loss))
updated = nnx.jit(lambda optimiser, model, gradient: optimiser.update(model, gradient))


def test_a_step_of_the_gan():
    """With the penalty; a step without is that of the VAE below."""
    config = dataclasses.replace(GAN, penalty=5.0)
    task = train.gan_task(config)
    generator, discriminator = (build(task, name, config) for name in ("generator", "discriminator"))
    average = nnx.state(build(task, "generator", config), nnx.Param)
    optimisers = [nnx.Optimizer(m, optax.adam(2e-4, 0.5, 0.999), wrt=nnx.Param) for m in (generator, discriminator)]
    state = task.init()
    draw = nnx.jit(lambda model, z: model(z, train=True))

    @graded
    def loss_of_discriminator(model, fake):
        real, drawn = jax.nn.sigmoid(model(REAL, train=True)), jax.nn.sigmoid(model(fake, train=True))
        return -jnp.log(real).mean() - jnp.log(1 - drawn).mean()

    @graded
    def loss_of_generator(model, z, judge):
        return -jnp.log(jax.nn.sigmoid(judge(model(z, train=True), train=True))).mean()

    net = networks.from_module(generator, jnp.zeros((1, 4)))
    shares = lambda model: sum(sdr.penalty(pair) for pair in net.bind(model).values()) / len(net.pairs)
    of_shares = nnx.jit(nnx.grad(shares))
    for step in range(2):
        state, metrics = jax.jit(task.step)(state, IMAGES)
        z = jax.random.normal(randomness(config, step)[1], (8, 4))
        before = nnx.clone(generator)
        value, gradient = loss_of_discriminator(discriminator, draw(nnx.clone(before), z))
        updated(optimisers[1], discriminator, gradient)
        other, gradient = loss_of_generator(generator, z, nnx.clone(discriminator))
        gradient = jax.tree.map(lambda g, s: g + config.penalty * s, gradient, of_shares(before))
        updated(optimisers[0], generator, gradient)
        decay = min(config.ema, (1 + step) / (10 + step))
        average = jax.tree.map(lambda a, b, d=decay: d * a + (1 - d) * b, average, nnx.state(generator, nnx.Param))
        assert float(metrics["discriminator_loss"]) == pytest.approx(float(value), abs=1e-5)
        assert float(metrics["generator_loss"]) == pytest.approx(float(other), abs=1e-5)
    close(state.generator, nnx.state(generator, nnx.Param))
    close(state.discriminator, nnx.state(discriminator, nnx.Param))
    close(state.average, average)


def test_a_step_of_the_vae():
    task = train.vae_task(VAE)
    both = nnx.Dict({name: build(task, name, VAE) for name in ("encoder", "decoder")})
    optimiser = nnx.Optimizer(both, optax.adam(1e-3, 0.5, 0.999), wrt=nnx.Param)
    state = task.init()

    @graded
    def loss(both, epsilon):
        mean, log_variance = both["encoder"](REAL, train=True)
        deviation = jnp.sqrt(jnp.exp(log_variance))
        drawn = both["decoder"](mean + deviation * epsilon, train=True)
        kl = -0.5 * (1 + log_variance - mean**2 - jnp.exp(log_variance)).sum(-1)
        return jnp.square(drawn - REAL).mean() + 3.0 * 0.005 * kl.mean()

    for step in range(2):
        state, metrics = jax.jit(task.step)(state, IMAGES)
        value, gradient = loss(both, jax.random.normal(randomness(VAE, step)[1], (8, 4)))
        updated(optimiser, both, gradient)
        assert float(metrics["loss"]) == pytest.approx(float(value), abs=1e-5)
    close(state.params, {name: nnx.state(both[name], nnx.Param) for name in ("encoder", "decoder")})
    close(state.stats, {name: nnx.state(both[name], nnx.BatchStat) for name in ("encoder", "decoder")})


def test_half_of_the_images_are_mirrored_and_which_changes_with_the_key():
    images = jnp.asarray(np.random.default_rng(0).integers(0, 256, (400, 2, 2, 3)), jnp.uint8)
    plain = images / 127.5 - 1
    config = dataclasses.replace(VAE, flip=True)
    seen = []
    for key in map(jax.random.key, (0, 1)):
        x = prepared(images, key, config)
        mirrored = (x == plain[:, :, ::-1]).all((1, 2, 3))
        assert ((x == plain).all((1, 2, 3)) | mirrored).all()
        assert 150 < int(mirrored.sum()) < 250
        seen.append(mirrored)
    assert (seen[0] != seen[1]).any()


def test_the_schedule_ends_at_zero_and_gradients_are_clipped():
    cosine = adam(dataclasses.replace(VAE, schedule="cosine", steps=10))
    weights, state, moves = jnp.ones(3), cosine.init(jnp.ones(3)), []
    for _ in range(11):
        updates, state = cosine.update(jnp.ones(3), state, weights)
        moves.append(float(jnp.abs(updates).max()))
    assert moves[0] == pytest.approx(1e-3, rel=1e-3) and moves[10] == pytest.approx(0, abs=1e-9)
    assert moves[5] == pytest.approx(0.5 * 1e-3 * (1 + math.cos(math.pi / 2)), rel=1e-3)

    clipped, free = adam(dataclasses.replace(VAE, clip=0.5)), adam(VAE)
    gradient = jnp.array([3.0, 4.0])
    after = [optimiser.update(gradient, optimiser.init(gradient), gradient)[1] for optimiser in (clipped, free)]
    norms = [float(jnp.linalg.norm(optax.tree_utils.tree_get(state, "mu"))) / 0.5 for state in after]
    assert norms == pytest.approx([0.5, 5.0], rel=1e-5)


def test_dropout_is_drawn_anew_every_step():
    config = dataclasses.replace(VAE, dropout=0.5, learning_rate=1e-12, beta=0.0)
    task = train.vae_task(config)
    state, errors = task.init(), []
    for _ in range(3):
        state, metrics = jax.jit(task.step)(state, IMAGES)
        errors.append(float(metrics["error"]))
    assert len(set(errors)) == 3

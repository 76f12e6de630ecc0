"""Distances and statistics of images against closed forms, invariances and independent computations."""

import importlib.util
import itertools
import sys
import types
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from sicjax import quality, weights
from sicjax._errors import InputError
from sicjax.experiments._scores import trained_file

RNG = np.random.default_rng(0)


def gaussians(d=6, n=400, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return scale * rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)


def rotation(d):
    return np.linalg.qr(RNG.normal(size=(d, d)))[0]


DISTANCES = {
    "frechet": quality.frechet_distance,
    "kernel": lambda a, b: quality.kernel_distance(a, b).distance,
    "sliced": lambda a, b: quality.sliced_wasserstein(a, b, projections=2000),
}


@pytest.mark.parametrize("name", DISTANCES)
def test_distances_are_symmetric_and_turn_and_reorder_with_the_samples(name):
    distance, tolerance = DISTANCES[name], 0.02 if name == "sliced" else 1e-9
    a, b = gaussians(seed=1), gaussians(seed=2, n=300)
    turn = rotation(6)
    expected = distance(a, b)
    assert expected > 0.1
    np.testing.assert_allclose(distance(b, a), expected, rtol=1e-9)
    np.testing.assert_allclose(distance(RNG.permutation(a), b), expected, rtol=1e-9)
    np.testing.assert_allclose(distance(a @ turn, b @ turn), expected, rtol=tolerance)
    np.testing.assert_allclose(distance(jnp.asarray(a).reshape(400, 2, 3), b.reshape(300, 2, 3)), expected, rtol=1e-4)
    np.testing.assert_allclose(quality_with_extractor(name, a, b), expected, rtol=1e-9)


def quality_with_extractor(name, a, b):
    """The distance of samples whose features are what the test measures, taken seven at a time."""
    extractor = {"features": lambda x: x / 3, "batch": 7}
    if name == "kernel":
        return quality.kernel_distance(3 * a, 3 * b, **extractor).distance
    if name == "sliced":
        return quality.sliced_wasserstein(3 * a, 3 * b, projections=2000, **extractor)
    return quality.frechet_distance(3 * a, 3 * b, **extractor)


def test_frechet_distance_of_commuting_and_of_single_axis_gaussians():
    turn = rotation(5)
    u, v = RNG.uniform(0, 3, 5), RNG.uniform(0, 3, 5)
    mean = RNG.normal(size=5)
    found = quality.frechet_distance_of_moments(mean, turn * u**2 @ turn.T, np.zeros(5), turn * v**2 @ turn.T)
    np.testing.assert_allclose(found, (mean**2).sum() + ((u - v) ** 2).sum(), rtol=1e-10)


def test_frechet_distance_against_the_root_of_the_product_itself():
    sqrtm = pytest.importorskip("scipy.linalg").sqrtm
    a, b = gaussians(seed=3), gaussians(seed=4)
    of_a, of_b = np.cov(a.T), np.cov(b.T)
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(of_a + of_b - 2 * sqrtm(of_a @ of_b).real)
    np.testing.assert_allclose(quality.frechet_distance(a, b), expected, rtol=1e-8)


def test_frechet_distance_with_fewer_samples_than_features():
    # One direction each, orthogonal: nothing is shared, and the roots of singular matrices must not be NaN.
    a, b = np.zeros((2, 50)), np.zeros((2, 50))
    a[0, 0], b[0, 1] = 2, 4
    mean = (a.mean(0) - b.mean(0)) @ (a.mean(0) - b.mean(0))
    np.testing.assert_allclose(quality.frechet_distance(a, b), mean + 2 + 8)
    assert quality.frechet_distance(gaussians(d=40, n=20), gaussians(d=40, n=20)) < 1e-6


def test_kernel_distance_against_every_pair_and_every_sample_left_out():
    x, y = gaussians(n=9, seed=5), gaussians(n=7, seed=6)
    k = lambda p, q: (p @ q / 6 + 1) ** 3

    def slow(x, y):
        own = lambda s: np.mean([k(p, q) for p, q in itertools.permutations(s, 2)])
        return own(x) + own(y) - 2 * np.mean([k(p, q) for p in x for q in y])

    found = quality.kernel_distance(x, y)
    np.testing.assert_allclose(found.distance, slow(x, y), rtol=1e-10)
    without = lambda s: [np.delete(s, i, axis=0) for i in range(len(s))]
    of_x, of_y = np.array([slow(s, y) for s in without(x)]), np.array([slow(x, s) for s in without(y)])
    np.testing.assert_allclose(found.standard_error, np.sqrt(8 * of_x.var() + 6 * of_y.var()), rtol=1e-10)


def test_kernel_distance_in_blocks(monkeypatch):
    x, y = gaussians(n=50), gaussians(n=33, seed=1)
    whole = quality.kernel_distance(x, y)
    monkeypatch.setattr("sicjax.quality._kernel.ROWS", 8)
    np.testing.assert_allclose(quality.kernel_distance(x, y), whole, rtol=1e-12)


def test_kernel_distance_is_unbiased_for_equal_distributions():
    rng = np.random.default_rng(7)
    found = np.array([quality.kernel_distance(*rng.normal(size=(2, 30, 4))) for _ in range(400)])
    distance, error = found.T
    assert abs(distance.mean()) < 3 * distance.std() / np.sqrt(400)
    assert 1 < np.sqrt((error**2).mean()) / distance.std() < 1.8


def test_the_kernel_distances_standard_error_is_its_spread_for_different_distributions():
    rng = np.random.default_rng(8)
    found = np.array(
        [quality.kernel_distance(rng.normal(size=(60, 4)), 1 + rng.normal(size=(80, 4))) for _ in range(300)]
    )
    distance, error = found.T
    # k = (x.y / 4 + 1)^3 of N(m, I) and N(0, I) by its mean over many pairs.
    x, y, z = rng.normal(size=(3, 400_000, 4))
    k = lambda p, q: ((p * q).sum(1) / 4 + 1) ** 3
    expected = (k(x, y) + k(x + 1, y + 1) - 2 * k(x, y + 1)).mean()
    np.testing.assert_allclose(distance.mean(), expected, rtol=0.04)
    assert 0.85 < np.sqrt((error**2).mean()) / distance.std() < 1.15


def test_sliced_wasserstein_of_a_scaling_and_of_a_shift():
    x = RNG.normal(size=(200, 5))
    x = np.concatenate([x, -x]) @ np.linalg.inv(np.linalg.cholesky(x.T @ x / 200)).T
    # Along every direction the variance is 1, so scaling by 3 moves the sorted values by 2 in root mean square.
    np.testing.assert_allclose(quality.sliced_wasserstein(x, 3 * x), 2, rtol=1e-6)
    shift = np.full(5, 0.7)
    np.testing.assert_allclose(quality.sliced_wasserstein(x, x + shift, projections=5_000), 0.7, rtol=0.02)
    mean_cosine = 3 / 8  # mean |u_1| on the unit sphere in five dimensions
    np.testing.assert_allclose(
        quality.sliced_wasserstein(x, x + [2, 0, 0, 0, 0], order=1, projections=5_000), 2 * mean_cosine, rtol=0.02
    )


@pytest.mark.parametrize("order", [1, 2])
def test_sliced_wasserstein_of_sets_of_different_sizes_is_exact(order):
    x, y = RNG.normal(size=(6, 1)), RNG.normal(size=(4, 1))
    expected = np.mean(np.abs(np.sort(np.repeat(x, 2)) - np.sort(np.repeat(y, 3))) ** order) ** (1 / order)
    np.testing.assert_allclose(quality.sliced_wasserstein(x, y, order=order), expected)
    np.testing.assert_allclose(quality.sliced_wasserstein(np.repeat(x, 3, axis=0), x), 0, atol=1e-12)


def test_patches_are_parts_of_their_images():
    images = np.arange(3 * 9 * 8 * 2.0).reshape(3, 9, 8, 2)[..., :1]
    found = quality.patches(images, size=4, per_image=400, seed=1).reshape(3, 400, 4, 4)
    for image, of_image in zip(images[..., 0], found, strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(image, (4, 4)).reshape(-1, 4, 4)
        corners = {window[0, 0]: window for window in windows}
        for patch in of_image:
            np.testing.assert_array_equal(patch, corners[patch[0, 0]])
        assert {patch[0, 0] for patch in of_image} >= {windows[0][0, 0], windows[-1][0, 0]}


def test_diversity_is_the_mean_over_pairs(monkeypatch):
    x = RNG.normal(size=(12, 2, 2, 3)) + 1e6
    pairs = [np.sqrt(np.mean((p - q) ** 2)) for p, q in itertools.combinations(x, 2)]
    np.testing.assert_allclose(quality.diversity(x), np.mean(pairs), rtol=1e-6)
    monkeypatch.setattr("sicjax.quality._diversity.ROWS", 5)
    np.testing.assert_allclose(quality.diversity(x), np.mean(pairs), rtol=1e-6)
    assert quality.diversity(np.ones((5, 3))) == 0
    uniform = RNG.uniform(-1, 1, size=(100, 5000))
    np.testing.assert_allclose(quality.diversity(uniform), np.sqrt(2 / 3), rtol=0.01)


def test_chroma_is_what_is_left_without_brightness():
    grey = RNG.uniform(-1, 1, size=(4, 8, 8, 1)).repeat(3, axis=3)
    tint = np.array([0.3, 0, -0.2])
    np.testing.assert_allclose(quality.chroma_variance(grey), 0, atol=1e-30)
    np.testing.assert_allclose(quality.chroma_variance(grey + tint), 0, atol=1e-30)
    assert (quality.chroma_variance(grey + tint, about="grey") > 0.01).all()
    colour = RNG.uniform(-1, 1, size=(4, 8, 8, 3))
    brighter = colour + RNG.normal(size=(4, 8, 8, 1))
    np.testing.assert_allclose(quality.chroma_variance(brighter), quality.chroma_variance(colour), rtol=1e-10)
    np.testing.assert_allclose(quality.chroma_variance(colour / 2), quality.chroma_variance(colour) / 4)
    extremes = np.array(list(itertools.product([-1, 1], repeat=3)), float).reshape(1, 1, 8, 3)
    assert 0.5 < quality.chroma_variance(extremes)[0] < 1.1


def test_edge_energy_of_a_ramp_a_wave_and_noise():
    ramp = np.broadcast_to(np.linspace(-1, 1, 9)[:, None, None], (1, 9, 5, 3))
    np.testing.assert_allclose(quality.edge_energy(ramp), [1 / 16])
    k = np.arange(64)
    wave = np.sin(2 * np.pi * k / 8)[:, None, None] * np.ones((1, 64, 64, 1))
    # A wave's difference has power 1/2 |1 - exp(i w)|^2, up to what the last difference misses.
    np.testing.assert_allclose(quality.edge_energy(wave), 2 * np.sin(np.pi / 8) ** 2, rtol=0.02)
    noise = RNG.normal(size=(3, 60, 60, 1))
    np.testing.assert_allclose(quality.edge_energy(noise), 4, rtol=0.1)
    np.testing.assert_allclose(quality.edge_energy(noise + 5), quality.edge_energy(noise))


@pytest.mark.parametrize("stride", [2, 4])
def test_checkerboards_show_at_their_stride_and_not_otherwise(stride):
    noise = RNG.normal(size=(60, 48, 64, 3))
    plain = quality.checkerboard_energy(noise, stride=stride)
    assert 0.7 < plain < 1.3
    np.testing.assert_allclose(quality.checkerboard_energy(3 * noise + 1, stride=stride), plain)
    across = np.arange(64) % stride == 0
    assert quality.checkerboard_energy(noise + across[:, None], stride=stride) > 10
    # A grating of another period, though stronger, is none.
    other = np.sin(2 * np.pi * np.arange(64) * 7 / 64)[:, None]
    assert quality.checkerboard_energy(noise + other, stride=stride) < 1.4


def test_a_transposed_convolution_leaves_a_checkerboard_unless_its_taps_overlap_evenly():
    expanded = np.zeros((40, 32, 32, 1))
    expanded[:, ::2, ::2] = 3 + RNG.normal(size=(40, 16, 16, 1))

    def convolved(taps):
        down = sum(t * np.roll(expanded, k, axis=1) for k, t in enumerate(taps))
        return sum(t * np.roll(down, k, axis=2) for k, t in enumerate(taps))

    assert quality.checkerboard_energy(convolved([1, 1, 1])) > 3
    assert quality.checkerboard_energy(convolved([0.5, 1, 0.5])) < 1


def test_random_features_are_fixed_and_see_what_differs():
    images = RNG.uniform(-1, 1, size=(64, 16, 16, 3))
    extract = quality.random_features(3, widths=(8, 16))
    found = np.asarray(extract(images))
    assert found.shape == (64, 24)
    np.testing.assert_array_equal(found, quality.random_features(3, widths=(8, 16))(images))
    assert not np.allclose(found, quality.random_features(4, widths=(8, 16))(images))
    kernel = np.random.default_rng(3).normal(size=(3, 3, 3, 8)) * np.sqrt(2 / 27)
    padded = np.pad(images[:1], ((0, 0), (0, 1), (0, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))[0, ::2, ::2]
    first = np.einsum("hwcyx,yxco->hwo", windows, kernel)
    np.testing.assert_allclose(found[0, :8], np.where(first > 0, first, 0.2 * first).mean((0, 1)), atol=1e-6)

    near, far = images[32:], images[32:] * [1, 1, 0.1] + [0, 0, 0.3]
    distance = lambda other: quality.frechet_distance(images[:32], other, features=extract, batch=10)
    assert distance(far) > 2 * distance(near)


@pytest.fixture(scope="module")
def reference_inception():
    """Torchvision's Inception V3, patched as FID needs it, with random weights and calibrated batch norms."""
    torch = pytest.importorskip("torch")
    found = importlib.util.find_spec("torchvision")
    if found is None:
        pytest.skip("torchvision is not installed")
    (root,) = map(Path, found.submodule_search_locations)
    with pytest.MonkeyPatch.context() as patch:
        # Without its compiled operators, which the network does not use and which must fit the build of torch.
        for name, folder in (("torchvision", root), ("torchvision.models", root / "models")):
            package = types.ModuleType(name)
            package.__path__ = [str(folder)]
            patch.setitem(sys.modules, name, package)
        from torchvision.models import inception

        pools = []

        def avg_pool2d(x, **settings):
            pools.append(settings)
            if len(pools) % 9 == 0:
                return torch.nn.functional.max_pool2d(x, **settings)
            return torch.nn.functional.avg_pool2d(x, **settings, count_include_pad=False)

        functional = types.SimpleNamespace(**vars(torch.nn.functional) | {"avg_pool2d": avg_pool2d})
        patch.setattr(inception, "F", functional)
        torch.manual_seed(0)
        net = inception.Inception3(1008, aux_logits=False, transform_input=False, init_weights=False)
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
                torch.nn.init.normal_(module.bias, 0, 0.3)
        images = torch.rand(2, 3, 40, 350) * 2 - 1
        resized = torch.nn.functional.interpolate(images, (299, 299), mode="bilinear", align_corners=False)
        with torch.no_grad():
            net(resized[..., :139, :139])
            arrays = {name: array.numpy().copy() for name, array in net.state_dict().items()}
            net.eval().fc = torch.nn.Identity()
            features = net(resized).numpy()
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    return arrays, images.permute(0, 2, 3, 1).numpy(), features


@pytest.mark.torch
def test_inception_is_torchvisions_as_patched_for_fid(reference_inception):
    arrays, images, expected = reference_inception
    found = quality.inception(arrays)(images)
    assert np.abs(expected[0] - expected[1]).mean() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert np.abs(found - expected).mean() < 1e-4


@pytest.mark.torch
def test_other_networks_are_not_taken_for_inception(reference_inception):
    arrays, _, _ = reference_inception
    with pytest.raises(InputError, match="2048 features and 1000 classes"):
        quality.inception(arrays | {"fc.weight": arrays["fc.weight"][:1000]})
    with pytest.raises(InputError, match="Mixed_7c.branch1x1 is missing"):
        quality.inception({name: a for name, a in arrays.items() if not name.startswith("Mixed_7c.branch1x1")})
    with pytest.raises(InputError, match="lacks its batch norm"):
        quality.inception({name: a for name, a in arrays.items() if "bn.running_var" not in name})
    wrong = arrays | {"Mixed_5b.branch1x1.conv.weight": arrays["Mixed_5b.branch1x1.conv.weight"][:, :7]}
    with pytest.raises(InputError, match="are not the weights of pt_inception"):
        quality.inception(wrong)


@pytest.mark.parametrize("side", [64, 96])
def test_efficientnet_has_the_features_of_its_pytorch_code(side):
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("efficientnet_lite_pytorch")
    file = trained_file()
    network = theirs.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(file)).eval()
    images = np.random.default_rng(0).uniform(-1, 1, (2, side, side, 3)).astype(np.float32)
    with torch.no_grad():
        expected = network.extract_features(torch.from_numpy(images.transpose(0, 3, 1, 2))).mean((2, 3)).numpy()
    found = quality.efficientnet(weights.read(file).arrays, side=side)(images)
    np.testing.assert_allclose(found, expected, atol=1e-4)


IMAGES = np.zeros((2, 32, 32, 3))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: quality.frechet_distance(np.ones((1, 3)), np.ones((5, 3))), "at least 2 samples, got shape"),
        (lambda: quality.frechet_distance(np.ones((5, 3)), np.ones((5, 4))), "3 and 4 features"),
        (lambda: quality.frechet_distance(np.ones((5, 3)), np.full((5, 3), np.nan)), "second set has values"),
        (lambda: quality.frechet_distance(IMAGES, IMAGES, features=lambda x: x.mean(0)), "must keep the axis"),
        (lambda: quality.frechet_distance_of_moments(*[np.ones(3)] * 4), "expected means"),
        (lambda: quality.kernel_distance(np.ones((2, 3)), np.ones((5, 3))), "at least 3 samples"),
        (lambda: quality.kernel_distance(np.ones((5, 3)), np.ones((5, 3)), degree=0), "degree must be"),
        (lambda: quality.sliced_wasserstein(np.ones((5, 3)), np.ones((5, 3)), order=3), "order must be 1 or 2"),
        (lambda: quality.sliced_wasserstein(np.ones((5, 3)), np.ones((5, 3)), projections=0), "projections must be"),
        (lambda: quality.patches(IMAGES, size=33), "33 x 33 do not fit in images of 32 x 32"),
        (lambda: quality.diversity(np.ones((1, 3))), "at least 2 samples"),
        (lambda: quality.chroma_variance(IMAGES[..., :1]), "with 3 channels"),
        (lambda: quality.chroma_variance(IMAGES, about="red"), "about must be"),
        (lambda: quality.edge_energy(IMAGES[0]), "images must be"),
        (lambda: quality.edge_energy(IMAGES.astype(np.uint8)), "divide by 127.5"),
        (lambda: quality.edge_energy(IMAGES[:, :1]), "at least 2 x 2 pixels"),
        (lambda: quality.edge_energy(IMAGES + np.inf), "NaN or infinite"),
        (lambda: quality.checkerboard_energy(IMAGES), "no power"),
        (lambda: quality.checkerboard_energy(IMAGES, stride=1), "stride must be"),
        (lambda: quality.checkerboard_energy(IMAGES, stride=3), "multiples of the stride 3 and at least 30"),
        (lambda: quality.checkerboard_energy(IMAGES, stride=4), "at least 40, got 32 x 32"),
        (lambda: quality.random_features(widths=()), "widths must be"),
        (lambda: quality.random_features()(IMAGES[..., :1]), "with 3 channels"),
    ],
)
def test_bad_input(call, message, without_type_checks):
    with pytest.raises(ValueError, match=message):
        call()

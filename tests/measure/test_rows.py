"""Files to rows: the public networks, and files made here."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from sicjax import sdr
from sicjax.measure import as_json, by_level, measure

# Design, measure.md: mean, std, 5 %, median, 95 %, marginal, adaptation, z.
DIGIFACE = {
    "main.0 to main.3": (13_107_200, 1.0387, 0.160, 0.81, 1.021, 1.32, 0.0292, 0.0095, 23.7),
    "main.3 to main.6": (16_777_216, 1.0646, 0.2110, 0.782, 1.034, 1.449, 0.0540, 0.0106, 11.9),
    "main.6 to main.9": (2_097_152, 1.1072, 0.2864, 0.706, 1.067, 1.638, 0.1034, 0.0038, 1.28),
    "main.9 to main.12": (24_576, 1.1468, 0.3443, 0.657, 1.101, 1.775, 0.1949, -0.0482, -3.34),
}
DIGITS = (0, 4, 3, 2, 3, 2, 4, 4, 1)
# The same page, as it is written there: coupling, its z, and adaptation's, of the first pairs of each network.
COUPLED = {
    "digiface_dcgan_g64": ("0.504 182 23.7", "0.328 59.3 11.9", "0.321 28.9 1.28", "0.387 17.3 -3.34"),
    "disvae_VAE_celeba": (
        "0.061 1.4 1.3", "0.186 4.1 1.0", "0.062 1.4 0.7", "0.000 0.0 0.5", "0.005 0.1 -0.9", "-0.002 0.0 -0.7"
    ),
    "udacity_fletcher_d32": ("-0.010 -0.2 0.3", "0.039 1.8 1.4", "0.171 15.3 7.5"),
    "udacity_fletcher_g32": ("- 103 26.9",),
}  # fmt: skip
# Those of the replication.
PAIRS = {
    "digiface_dcgan_g64": 4,
    "disvae_VAE_celeba": 6,
    "disvae_betaB_celeba": 6,
    "riemann_CelebA_final_vae": 6,
    "udacity_fletcher_d32": 3,
    "udacity_fletcher_g32": 4,
}


@pytest.mark.parametrize(
    "name, stride",
    [pytest.param("digiface_dcgan_g64.tar", 2, marks=pytest.mark.slow), ("digiface_dcgan_g64.safetensors", None)],
)
def test_the_public_generator_has_the_numbers_of_the_design(public_weights, name, stride):
    (found,) = measure([public_weights / name], stride=stride)
    assert [row.name for row in found.rows] == list(DIGIFACE)
    for row in found.rows:
        q = row.quantiles
        values = (row.pathways, row.mean, row.std, q["0.05"], q["0.5"], q["0.95"], row.marginal, row.adaptation, row.z)
        for value, expected, digits in zip(values, DIGIFACE[row.name], DIGITS, strict=True):
            assert abs(value - expected) <= 0.51 * 10.0**-digits
        assert row.undefined == 0 and row.direction == "generative" and row.stride == (2, 2)


@pytest.mark.slow
def test_every_public_network_in_one_go(public_weights):
    found = measure([public_weights / f"{name}.safetensors" for name in PAIRS])
    assert [len(result.rows) for result in found] == list(PAIRS.values())
    by_name = {row.name: row for result in found for row in result.rows}
    encoder = by_name["encoder.conv1 to encoder.conv2"]
    assert encoder.direction == "extractive" and not any(
        "conv" in layer and "the chain ends" not in reason for result in found for layer, reason in result.skipped
    )
    assert by_name["discriminator.0.0 to discriminator.1.0"].mean == pytest.approx(0.99, abs=0.005)
    assert by_name["generator_deconv.3.0 to generator_deconv.4.0"].mean == pytest.approx(1.14, abs=0.005)
    for name, result in zip(PAIRS, found, strict=True):
        for row, stated in zip(result.rows, COUPLED.get(name, ()), strict=False):
            for value, written in zip((row.coupling, row.coupling_z, row.z), stated.split(), strict=True):
                if written != "-":
                    digits = len(written.partition(".")[2])
                    assert abs(value - float(written)) <= 0.51 * 10.0**-digits, (name, row.name)


def test_a_row_is_what_the_measure_says_of_the_pair(chain):
    file, kernels = chain
    (found,) = measure([file], stride=2)
    for row, first, second in zip(found.rows, kernels, kernels[1:], strict=False):
        pair = sdr.generative(first, second, stride=2)
        rho = sdr.reference.ratios(pair)
        assert row.shape == rho.shape and row.pathways == rho.size and row.undefined == 0
        np.testing.assert_allclose([row.mean, row.std], [rho.mean(), rho.std()], atol=1e-6)
        below = [(rho <= value).mean() for value in row.quantiles.values()]
        np.testing.assert_allclose(below, [0.05, 0.25, 0.5, 0.75, 0.95], atol=1.01 / rho.size)
        np.testing.assert_allclose(row.near_one, np.mean((rho >= 0.9) & (rho <= 1.1)), atol=1e-6)
        np.testing.assert_allclose(row.marginal + row.adaptation, rho.mean() - 1, atol=1e-6)
        np.testing.assert_allclose([row.null_mean, row.null_std], sdr.null(pair)[2:], atol=1e-6)
        coupled = sdr.coupling(pair)[1:]
        np.testing.assert_allclose([row.coupling, row.coupling_z, row.coupling_p, row.energy], coupled, rtol=1e-3)


def test_dead_and_structural_pairs(tmp_path):
    rng = np.random.default_rng(0)
    kernels = {"c0.weight": rng.normal(size=(4, 3, 3, 3)), "c1.weight": rng.normal(size=(5, 4, 3, 3))}
    kernels |= {"c2.weight": rng.normal(size=(2, 5, 1, 1))}
    kernels["c0.weight"][2] = 0
    file = tmp_path / "dead.safetensors"
    save_file({name: kernel.astype(np.float32) for name, kernel in kernels.items()}, file)
    (result,) = measure([file], stride=1)
    dead, structural = result.rows
    ((_, levels),) = by_level([result])[result.file]
    assert [level.name for level in levels] == [dead.name]  # of the other there is nothing to draw
    assert (dead.pathways, dead.undefined, dead.structural) == (60, 15, False)
    assert (structural.structural, structural.mean, structural.std, structural.near_one) == (True, 1, 0, 1)
    assert set(structural.quantiles.values()) == {1}
    logs = [
        np.log((kernels[f"c{k}.weight"].astype(float) ** 2).sum(axes)) for k, axes in ((1, (1, 2, 3)), (2, (0, 2, 3)))
    ]
    assert structural.energy == pytest.approx(np.corrcoef(*logs)[0, 1], abs=1e-5) and np.isnan(structural.coupling)
    assert (dead.reading, structural.reading) == ("too few channels", "no shared lag")
    assert as_json(measure([file], stride=1)[0])["cascades"][1]["z"] is None


def test_channels_that_are_dead_are_none_to_read_by(tmp_path):
    rng = np.random.default_rng(0)
    kernels = {"c0.weight": rng.normal(size=(9, 3, 3, 3)), "c1.weight": rng.normal(size=(5, 9, 3, 3))}
    file = tmp_path / "nine.safetensors"
    for dead, words in ((1, "as random pairing"), (2, "too few channels")):
        kernels["c0.weight"][:dead] = 0
        save_file({name: kernel.astype(np.float32) for name, kernel in kernels.items()}, file)
        (row,) = measure([file], stride=1)[0].rows
        assert row.reading.split(",")[0] == words


def test_pairs_too_large_to_be_filled_up_are_measured_as_they_are(chain, monkeypatch):
    (together,) = measure([chain[0]], stride=2, transposed=True)
    # Between 4 lags of the first pair, 5 x 4 x 6, and of the second, 4 x 6 x 3.
    monkeypatch.setattr("sicjax.measure._compile.FILLED", 400)
    (alone,) = measure([chain[0]], stride=2, transposed=True)
    for one, other in zip(together.rows, alone.rows, strict=True):
        assert one.undefined == other.undefined == 0
        assert (one.mean, one.std, one.z) == pytest.approx((other.mean, other.std, other.z), rel=1e-5)

"""Live PyTorch modules: the pairs of their files, with other parameters too, and every part in the mode it was."""

import numpy as np
import pytest

from sicjax import networks, sdr
from sicjax._errors import InputError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]
X = torch.zeros(1, 3, 16, 16)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.norm = nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8)
        self.b = nn.utils.parametrizations.weight_norm(nn.ConvTranspose2d(8, 8, 4, 2, 1))
        self.drop, self.c = nn.Dropout(0.5), nn.Conv2d(8, 12, 3)
        self.shuffle, self.d = nn.PixelShuffle(2), nn.Conv2d(3, 2, 3)

    def forward(self, x):
        x = torch.relu(self.b(torch.relu(self.norm(self.a(x)))))
        return self.d(self.shuffle(self.c(self.drop(x))))


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(0)
    return Net()


@pytest.fixture(scope="module")
def net(module):
    return networks.from_torch(module, X)


def test_a_module_has_the_pairs_of_its_files(tmp_path, module, net):
    assert list(net.cascades) == ["a to b", "b to c", "c to d"] and not net.skipped
    program = torch.export.export(module.eval(), (X,))
    torch.export.save(program, tmp_path / "net.pt2")
    for other in (networks.from_file(tmp_path / "net.pt2"), networks.from_torch(program)):
        assert list(other.cascades) == list(net.cascades)
        for name, pair in net.cascades.items():
            np.testing.assert_allclose(sdr.reference.ratios(pair), sdr.reference.ratios(other.cascades[name]))


def test_every_part_keeps_its_mode(module):
    module.train()
    module.norm.eval()
    networks.from_torch(module, X)
    assert module.training and module.drop.training and not module.norm.training


def test_other_parameters_in_a_training_loop(module, net):
    other = Net()
    expected = networks.from_torch(other, X).cascades
    for given in (other, other.state_dict(), other.double().half()):
        found = net.bind(given)
        assert list(found) == list(expected)
        for name, pair in found.items():
            np.testing.assert_allclose(pair.first, expected[name].first, atol=2e-3)
            np.testing.assert_allclose(pair.second, expected[name].second, atol=2e-3)
    with pytest.raises(InputError, match="expected the module or a state_dict, got int"):
        net.bind(3)
    assert net.bind(torch.nn.DataParallel(torch.compile(module))).keys() == net.cascades.keys()
    with pytest.raises(InputError, match=r"lack a\.bias, a\.weight"):
        net.bind({})
    with pytest.raises(InputError, match=r"another shape .*\(4, 3, 3, 3\), not \(8, 3, 3, 3\)"):
        net.bind(module.state_dict() | {"a.weight": torch.zeros(4, 3, 3, 3)})


def test_reduced_precision_is_read_in_float32():
    chain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)).bfloat16()
    (pair,) = networks.from_torch(chain, X.bfloat16()).pairs
    assert pair.first.kernel.dtype == np.float32


def test_a_state_dict_asks_for_strides():
    chain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3))
    assert list(networks.from_torch(chain.state_dict(), stride=2).cascades) == ["0 to 2"]
    with pytest.raises(InputError, match="does not say its strides: pass stride=N"):
        networks.from_torch(chain.state_dict())


class Partial(nn.Module):
    """A convolution of half of the channels, written over them, as in FasterNet."""

    def __init__(self):
        super().__init__()
        self.a, self.p, self.c = nn.Conv2d(3, 8, 3), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(8, 4, 3)

    def forward(self, x):
        x = self.a(x)
        x[:, :4] = self.p(x[:, :4])
        return self.c(x)


def test_what_is_written_over_is_not_taken_for_what_was_there():
    net = networks.from_torch(Partial(), X)
    assert list(net.cascades) == ["a to p"] and "written over" in dict(net.skipped)["c"]


class Branching(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (torch.nn.Conv2d(4, 4, 3) for _ in range(3))

    def forward(self, x):
        x = self.a(x)
        if x.sum() > 0:
            return self.b(x)
        return self.c(x)


def test_a_module_that_branches_on_values_is_given_as_torchscript(capfd):
    """The error says so, in one line; the program that PyTorch prints beside it has hundreds."""
    module, x = Branching(), torch.zeros(1, 4, 9, 9)
    with pytest.raises(
        InputError, match=r"branches on values, give from_torch torch\.jit\.trace\(module, x\)"
    ) as caught:
        networks.from_torch(module, x)
    assert "\n" not in str(caught.value) and "def forward" not in capfd.readouterr().err
    assert caught.value.__suppress_context__
    one = networks.from_torch(torch.jit.trace(module.eval(), x))
    assert len(one.pairs) == 1 and one.name == "Branching"
    both = networks.from_torch(torch.jit.script(module))
    assert list(both.cascades) == ["a to b", "a to c"]
    np.testing.assert_array_equal(both.layers[0].kernel, module.a.weight.detach().permute(2, 3, 1, 0).numpy())


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: networks.from_torch(Net().to("meta"), X.to("meta")), "has no values that can be read"),
        (lambda: networks.from_torch(Net().state_dict(), stride=[0]), "a stride is a positive integer"),
        (lambda: networks.from_torch(Net()), "pass an example"),
        (lambda: networks.from_torch(Net(), X, stride=2), "leave out stride"),
        (lambda: networks.from_torch(Net(), tuple(X.shape)), "an example input is a tensor, .* not tuple"),
        (lambda: networks.from_torch(Net(), X.numpy()), "an example input is a tensor, .* not ndarray"),
        (
            lambda: networks.from_torch({f"{k}.weight": torch.ones(4, 4, 3, 3) for k in (0, 1)}, stride=2),
            "state dict does not say .*: pass transposed=True or False",
        ),
        (lambda: networks.from_torch(3), r"expected a torch\.nn\.Module.*builtins\.int"),
        (lambda: networks.from_torch(Net(), X[:, :2]), "cannot make a program of Net: .*3 channels"),
    ],
)
def test_what_cannot_be_read_says_so(call, said):
    with pytest.raises(InputError, match=said):
        call()

"""Networks taken over from PyTorch."""

import numpy as np
import pytest

import normalign as na

torch = pytest.importorskip("torch")
nn = torch.nn


def test_sequential():
    module = nn.Sequential(
        nn.Linear(4, 9), nn.GELU(approximate="tanh"), nn.Dropout(0.3), nn.Linear(9, 9, bias=False),
        nn.GELU(approximate="tanh"), nn.Linear(9, 2),
    ).eval()  # fmt: skip
    net = na.from_torch(module)
    x = torch.randn(20, 4)
    assert net.activation == "gelu_tanh" and net.dtype == np.float32
    np.testing.assert_allclose(net(x.numpy()), module(x).detach().numpy(), atol=1e-6)
    rows = x.clone().requires_grad_()
    module(rows)[:, 0].sum().backward()
    np.testing.assert_allclose(net.jacobian(x.numpy())[:, 0], rows.grad.numpy(), atol=1e-6)


class InForward(nn.Module):
    """A module whose activation only its forward knows, and whose layers are not in the order of their names."""

    def __init__(self):
        super().__init__()
        self.b = nn.Linear(3, 8).double()
        self.a = nn.Linear(8, 2).double()

    def forward(self, x):
        return self.a(torch.relu(self.b(x)))


def test_activation_in_forward():
    module = InForward()
    net = na.from_torch(module, activation="relu")
    assert net.dtype == np.float64 and net.widths == [3, 8, 2]
    x = torch.randn(5, 3).double()
    np.testing.assert_allclose(net(x.numpy()), module(x).detach().numpy(), atol=1e-12)
    with pytest.raises(na.InputError, match="outputs that differ"):
        na.from_torch(module, activation="tanh")
    with pytest.raises(na.InputError, match='activation="relu"'):
        na.from_torch(module)
    for said in (nn.ReLU(), torch.relu, nn.functional.relu, "nn.ReLU()"):
        assert na.from_torch(module, activation=said).activation == "relu"


def small_outputs():
    module = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    with torch.no_grad():
        module[2].weight *= 1e-3
        module[2].bias *= 1e-3
    return module


class Residual(InForward):
    def forward(self, x):
        hidden = torch.relu(self.b(x))
        return self.a(hidden + torch.tanh(hidden))


class Squeezed(InForward):
    def forward(self, x):
        return self.a(torch.relu(self.b(x))).reshape(2, -1).T.reshape(-1, 2).flatten()


@pytest.mark.parametrize(
    "module, activation",
    [
        (nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.ReLU(), nn.Linear(8, 2)), "tanh"),
        (small_outputs(), "tanh"),
        (nn.Sequential(nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 10)).bfloat16(), "tanh"),
        (Residual(), "relu"),
        (Squeezed(), "tanh"),
    ],
    ids=["with dropout, in training", "small outputs", "bfloat16", "a residual", "another shape"],
)
def test_what_the_module_does_not_compute_is_refused(module, activation):
    module.train()
    with pytest.raises(na.InputError, match="outputs that differ"):
        na.from_torch(module, activation=activation)
    assert module.training and all(part.training for part in module.modules())


class OfImages(InForward):
    def forward(self, x):
        n, channels, height, width = x.shape
        return super().forward(x.flatten(1))


class OfTwo(InForward):
    def forward(self, x):
        return self.a(torch.relu(self.b(x))), x


@pytest.mark.parametrize("module", [OfImages(), OfTwo()], ids=["images", "a tuple"])
def test_a_warning_says_where_nothing_was_compared(module):
    with pytest.warns(UserWarning, match="not compared"):
        assert na.from_torch(module, activation="relu").widths == [3, 8, 2]


def test_nothing_of_pytorchs_is_changed():
    module = InForward()
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    na.from_torch(module, activation="relu")
    assert torch.equal(torch.rand(3), expected)
    assert all(parameter.grad is None and parameter.requires_grad for parameter in module.parameters())


def test_tensors_that_require_gradients_say_so():
    net = na.Network.random([3, 4, 2])
    assert net(torch.ones(1, 3)).shape == (1, 2)
    with pytest.raises(na.InputError, match="Tensor, expected an array of numbers: .*detach"):
        net(torch.ones(1, 3, requires_grad=True))


def test_state_dict():
    module = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)).bfloat16()
    net = na.from_torch(module.state_dict(), activation="Tanh")
    assert net.dtype == np.float32
    assert np.array_equal(net.weights[0], module[0].weight.float().detach().numpy())


@pytest.mark.parametrize("layer", ["Conv2d(1, 1, 3)", "BatchNorm1d(8)", "LayerNorm(8)", "PReLU()"])
def test_other_layers_are_refused(layer):
    module = nn.Sequential(nn.Linear(3, 8), eval("nn." + layer), nn.ReLU(), nn.Linear(8, 2))
    with pytest.raises(na.InputError, match=layer.split("(")[0]):
        na.from_torch(module)


def test_two_activations_are_refused():
    module = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    with pytest.raises(na.InputError, match="ReLU.*Tanh"):
        na.from_torch(module)


def test_an_activation_at_the_end_is_refused():
    module = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2), nn.ReLU())
    with pytest.raises(na.InputError, match="outputs that differ"):
        na.from_torch(module)

"""Networks: how they are made, what they compute, and files."""

import pickle

import numpy as np
import pytest

import normalign as na
from conftest import points

ACTIVATIONS = {
    "relu": lambda t: np.maximum(t, 0),
    "leaky_relu": lambda t: np.where(t > 0, t, 0.01 * t),
    "abs": np.abs,
    "tanh": np.tanh,
    "sigmoid": lambda t: 1 / (1 + np.exp(-t)),
    "softplus": lambda t: np.log1p(np.exp(t)),
    "silu": lambda t: t / (1 + np.exp(-t)),
    "quadratic": np.square,
    "identity": lambda t: t,
}


def by_hand(net, x, activate):
    z = x
    for i, weight in enumerate(net.weights):
        z = z @ weight.T + (net.biases[i] if net.biases else 0)
        if i + 1 < len(net.weights):
            z = activate(z)
    return z


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("bias", [True, False])
def test_outputs_are_those_of_numpy(activation, bias):
    net = na.Network.random([5, 7, 6, 3], activation=activation, bias=bias, dtype="float64", seed=3)
    x = points(40, 5)
    np.testing.assert_allclose(net(x), by_hand(net, x, ACTIVATIONS[activation]), rtol=1e-12, atol=1e-12)


def test_jacobian_is_that_of_finite_differences():
    net = na.Network.random([4, 9, 3], activation="tanh", dtype="float64")
    x, step = points(6, 4), 1e-6
    jacobian = net.jacobian(x)
    assert jacobian.shape == (6, 3, 4)
    for j in range(4):
        shift = step * np.eye(4)[j]
        np.testing.assert_allclose(jacobian[:, :, j], (net(x + shift) - net(x - shift)) / (2 * step), atol=1e-8)


def test_labels_are_the_first_largest_output():
    net = na.Network([np.zeros((3, 2))], [[1.0, 2.0, 2.0]], activation="identity")
    assert net.labels(np.ones((2, 2))).tolist() == [1, 1]
    one = na.Network([np.array([[1.0, 0.0]])], activation="identity")
    assert one.labels(np.array([[0.5, 0], [0, 0], [-1, 0]])).tolist() == [1, 0, 0]


def test_precision_is_that_of_network_and_rows():
    single, double = (na.Network.random([3, 8, 2], dtype=dtype) for dtype in ("float32", np.float64))
    x = points(5, 3)
    assert single.dtype == np.float32 and double.dtype == np.float64
    assert single(x.astype(np.float32)).dtype == np.float32
    assert single.jacobian(x.astype(np.float32)).dtype == np.float32
    assert single(x).dtype == np.float64
    assert double(x.astype(np.float32)).dtype == np.float64
    assert single(np.ones((1, 3), dtype=int)).dtype == np.float32
    # In double a float32 network is computed from its numbers as they are stored.
    np.testing.assert_allclose(single(x), by_hand(single, x, ACTIVATIONS["relu"]), rtol=1e-12, atol=1e-12)


def test_a_network_owns_its_numbers():
    weights = [np.ones((2, 2)), np.ones((1, 2))]
    net = na.Network(weights)
    weights[0][:] = 100
    view = net.weights[0]
    assert view.tolist() == [[1, 1], [1, 1]]
    with pytest.raises(ValueError):
        view[0, 0] = 5
    del net
    assert view.sum() == 4  # the array keeps the network's memory alive


def test_layers_may_lack_a_bias():
    net = na.Network([np.ones((2, 2)), np.ones((1, 2))], [None, [3.0]])
    assert [b.tolist() for b in net.biases] == [[0, 0], [3]]
    assert na.Network([np.ones((2, 2))]).biases == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bias", [True, False])
def test_files_and_pickles_hold_the_network(tmp_path, dtype, bias):
    net = na.Network.random([3, 6, 2], activation="nn.LeakyReLU(0.2)", bias=bias, dtype=dtype)
    path = tmp_path / "a network.safetensors"
    net.save(path)
    x = points(4, 3)
    for other in (na.load(path), na.load(str(path)), pickle.loads(pickle.dumps(net))):
        assert other.dtype == net.dtype and other.slope == 0.2 and other.widths == net.widths
        assert len(other.biases) == len(net.biases)
        assert np.array_equal(other(x), net(x))


def test_random_networks_follow_the_seed():
    a, b, c = (na.Network.random([3, 5, 2], seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(a.weights[0], b.weights[0]) and not np.array_equal(a.weights[0], c.weights[0])
    assert np.abs(a.weights[0]).max() <= 1 / np.sqrt(3)


def test_a_network_prints_what_it_is():
    net = na.Network.random([3, 5, 2], activation="leaky_relu", bias=False)
    assert repr(net) == "Network(widths=[3, 5, 2], activation='leaky_relu', slope=0.01, without biases, float32)"

"""What is on a tape: values, networks and scopes."""

import gc

import numpy as np
import pytest

import normalign as na
from normalign import ops
from tapes import X


# ---- values ----------------------------------------------------------------------------------------------------------


def test_leaves(tape):
    for make, depends in ((tape.variable, True), (tape.constant, False)):
        var = make(X)
        assert var.shape == (3, 4) and var.depends == depends and var.dtype == tape.dtype and var.tape is tape
        np.testing.assert_array_equal(var.value, X.astype(tape.dtype))
    assert tape.full((2, 3), 1.5).value.tolist() == [[1.5] * 3] * 2
    assert tape.labels([2, 0, 1]).value.tolist() == [[2], [0], [1]]
    assert tape.full((1, 1), -2).item() == -2 and isinstance(tape.full((1, 1), 3).item(), float)
    assert tape.variable(np.zeros((0, 3))).value.shape == (0, 3)
    assert np.isnan(tape.constant([[np.nan, np.inf]]).value[0, 0])


def test_a_variable_is_a_copy():
    x = X.copy()
    var = na.Tape().variable(x)
    x[:] = 0
    np.testing.assert_array_equal(var.value, X)


LAYOUTS = [np.asfortranarray, lambda x: np.repeat(x, 2, axis=0)[::2], lambda x: x.astype(">f8")]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_is_read(layout):
    np.testing.assert_array_equal(na.Tape().variable(layout(X)).value, X)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda t: t.variable(X[0]), r"variable: found an array of shape \(4,\)"),
        (lambda t: t.constant(X[None]), r"constant: found an array of shape \(1, 3, 4\)"),
        (lambda t: t.variable("x"), "variable: found an array of dtype"),
        (lambda t: t.variable(X + 1j), "variable: found an array of dtype complex128"),
        (lambda t: t.labels([[1]]), r"labels: found an array of shape \(1, 1\)"),
        (lambda t: t.labels([-1]), "labels: found -1 in row 0"),
        (lambda t: t.labels([0.5]), "labels: found 0.5 in row 0"),
        (lambda t: t.full((-1, 2), 0), "an extent is -1"),
        (lambda t: t.full((2**40, 1), 0), "an extent is 1099511627776"),
        (lambda t: t.variable(X).item(), "item: the value is 3x4; it must be 1x1"),
        (lambda t: na.Tape("float16"), "dtype: found 'float16', expected float32 or float64"),
        (lambda t: na.Tape(float) and na.Tape(int), "dtype: found"),
    ],
)
def test_wrong_values_are_refused(wrong, message):
    with pytest.raises(na.InputError, match=message):
        wrong(na.Tape())


def test_more_memory_than_there_is():
    for extent in (2**31 - 1, 1518500250):  # times itself and 8 this is 2^64 and a little
        with pytest.raises(MemoryError):
            na.Tape().full((extent, extent), 0)


def test_tapes_do_not_mix(tape):
    a, b = tape.variable(X), na.Tape(tape.dtype).variable(X)
    for wrong in (lambda: a + b, lambda: ops.linear(a, b), lambda: na.grad(ops.sum(a), b), lambda: na.jvp(a, a, b)):
        with pytest.raises(na.InputError, match="live on different tapes"):
            wrong()
    other = na.Tape("float32" if tape.dtype == "float64" else "float64").variable(X)
    for wrong in (lambda: a + other, lambda: ops.mse(a, other), lambda: na.grad(ops.sum(a), other)):
        with pytest.raises(na.InputError, match="found a Var of a float.. tape and one of a float.. tape"):
            wrong()


def test_counts(tape):
    assert (tape.nodes, tape.buffers, tape.bytes) == (0, 0, 0)
    x = tape.variable(X)
    y = ops.exp(x)
    assert tape.nodes == 2 and tape.buffers == 2 and tape.bytes == tape.peak_bytes >= 2 * X.size * tape.dtype.itemsize
    del y
    tape.clear()
    assert (tape.nodes, tape.buffers, tape.bytes) == (0, 0, 0)
    with pytest.raises(AttributeError):
        tape.nodes = 3


def test_print():
    tape = na.Tape()
    x = tape.variable(X)
    y = ops.tanh(x * 2)
    assert str(tape).splitlines() == [
        "node  operation  shape      kept by",
        "0     variable   3x4        a Var",
        "1     affine(0)  3x4        nobody",
        "2     tanh(1)    3x4        a Var, a rule",
    ]
    assert repr(tape).startswith("Tape(float64, 3 nodes, ")
    assert repr(tape.constant([[1, -0.5]])) == "Var([[ 1. , -0.5]], shape=(1, 2), dtype=float64, depends=False)"
    assert repr(na.Tape("float32").variable([[2]])) == "Var([[2.]], shape=(1, 1), dtype=float32, depends=True)"
    assert len(repr(tape.full((1000, 1000), 1))) < 1000
    tape.clear()
    assert repr(y) == "Var(float64, forgotten: its tape was cleared)"


# ---- networks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
def test_a_network_on_a_tape_is_the_network(tape, bias):
    net = na.Network.random([4, 8, 3], bias=bias, seed=2, dtype=str(tape.dtype))
    on_tape = tape.network(net)
    np.testing.assert_array_equal(on_tape(tape.constant(X)).value, net(X.astype(tape.dtype)))
    np.testing.assert_array_equal(on_tape(X).value, net(X.astype(tape.dtype)))
    shapes = [(8, 4), (1, 8), (3, 8), (1, 3)]
    assert [p.shape for p in on_tape.parameters] == (shapes if bias else shapes[::2])
    assert all(p.depends for p in on_tape.parameters)
    np.testing.assert_array_equal(on_tape.parameters[0].value, net.weights[0])


def test_a_network_computes_in_the_tape_s_precision(tanh_net):
    tape = na.Tape("float32")
    assert tape.network(tanh_net)(X).value.dtype == np.float32
    small = na.Network.random([4, 8, 3], seed=2)
    found = na.Tape().network(small)(X).value
    np.testing.assert_array_equal(found, small(X))  # X is float64


def test_one_hot_rows_are_gathered():
    net, tape = na.Network.random([64, 8, 3], seed=2, dtype="float64"), na.Tape()
    x = np.eye(64)[[3, 9, 60]]
    found = tape.network(net)(x)
    assert "hot_linear" in str(tape)
    np.testing.assert_allclose(found.value, net(x), rtol=1e-13)


def test_misfits_of_networks(tanh_net):
    tape = na.Tape()
    on_tape = tape.network(tanh_net)
    with pytest.raises(na.InputError, match="x is 2x3 but the network takes 4 columns"):
        on_tape(np.zeros((2, 3)))
    with pytest.raises(na.InputError, match="different tapes"):
        on_tape(na.Tape().variable(X))
    with pytest.raises(na.InputError):
        on_tape(na.Tape("float32").variable(X))
    for wrong in (None, 3, X):
        with pytest.raises(TypeError, match="network: found "):
            tape.network(wrong)
    relu = tape.network(na.Network.random([4, 8, 3]))
    x = tape.variable(X)
    with pytest.raises(na.InputError):
        relu.offset(x, tape.constant(np.zeros((3, 3))))  # never called


def test_random_directions_are_grokaligns():
    v = na.random_directions(50, 3, seed=4, step=2)
    np.testing.assert_allclose((v**2).sum(axis=1), 1)
    np.testing.assert_array_equal(v, na.random_directions(50, 3, seed=4, step=2))
    assert not (v == na.random_directions(50, 3, seed=4, step=3)).any()
    assert na.random_directions(2, 3, dtype="float32").dtype == np.float32
    assert na.random_directions(0, 3).shape == (0, 3)
    for wrong in ((-1, 3), (2, 0)):
        with pytest.raises(na.InputError, match="random_directions: found"):
            na.random_directions(*wrong)


# ---- scopes ----------------------------------------------------------------------------------------------------------


def test_without_recording(tape):
    x = tape.variable(X)
    with tape.without_recording():
        y = ops.exp(x)
        assert tape.nodes == 1 and not y.depends
        with pytest.raises(na.InputError, match="recording is off"):
            na.grad(ops.sum(x), x, create_graph=True)
    assert ops.exp(x).depends
    with pytest.raises(ZeroDivisionError):
        with tape.without_recording():
            1 / 0
    assert ops.exp(x).depends
    tape.clear()
    np.testing.assert_allclose(y.value, np.exp(X), rtol=1e-6)


def test_scopes_end_in_any_order(tape):
    x = tape.variable(X)
    first, second = tape.without_recording(), tape.without_recording()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not ops.exp(x).depends
    second.__exit__(None, None, None)
    assert ops.exp(x).depends
    with pytest.raises(na.InputError, match="not entered"):
        second.__exit__(None, None, None)
    abandoned = tape.without_recording()
    abandoned.__enter__()
    del tape, abandoned, first, second
    gc.collect()
    assert not ops.exp(x).depends


def test_nan_check(tape):
    x = tape.variable([[0.0]])
    with tape.nan_check():
        with pytest.raises(na.RunError, match="log: found -inf at"):
            ops.log(x)
        assert ops.exp(x).item() == 1
    assert ops.log(x).item() == -np.inf

"""Nothing that a user does leaves a tape, a Var or a value dangling."""

import copy
import gc
import pickle
import sys
import threading

import numpy as np
import pytest

import normalign as na
from normalign import ops
from tapes import X, Y


def test_cleared_vars_say_so(tape):
    x = tape.variable(X)
    y, on_tape = ops.exp(x), tape.network(na.Network.random([4, 3], dtype=str(tape.dtype)))
    gradient = na.grad(ops.sum(y), x)
    tape.clear()
    uses = [
        lambda: y.value, lambda: y.shape, lambda: y.depends, lambda: y.item(), lambda: y + 1, lambda: 1 - y,
        lambda: y.T, lambda: -y, lambda: y**2, lambda: y @ X.T, lambda: ops.exp(y), lambda: na.grad(y, x),
        lambda: na.jvp(y, x, x), lambda: na.jacobian(y, x), lambda: na.hvp(y, [x], [x]), lambda: on_tape(X),
        lambda: on_tape.parameters[0].value, lambda: ops.concat_rows([y, y]), lambda: ops.detached(y),
        lambda: on_tape.offset(x, y),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(na.InputError, match="was recorded before its tape was cleared; record it anew"):
            use()
    np.testing.assert_allclose(gradient.value, np.exp(X), rtol=1e-6)
    assert (gradient + gradient).shape == (3, 4)


def test_values_outlive_everything(tape):
    """A value is a view; the memory must not be used again while it is there."""
    x = tape.variable(X)
    y = ops.exp(x)
    loss = ops.sum(y)
    arrays = [x.value, y.value, na.grad(loss, x).value, tape.full((3, 4), 7).value]
    before = [a.copy() for a in arrays]
    views = [a[1:, ::2] for a in arrays]
    tape.clear()
    for _ in range(20):
        tape.full((3, 4), -1)
        tape.clear()
    del x, y, loss, tape
    gc.collect()
    other = na.Tape()
    kept = [other.full((3, 4), -2) for _ in range(50)]
    for a, b in zip(arrays, before):
        np.testing.assert_array_equal(a, b)
    del arrays
    gc.collect()
    for a, b in zip(views, before):
        np.testing.assert_array_equal(a, b[1:, ::2])
    assert len(kept) == 50


def test_values_cannot_be_written_to(tape):
    value = tape.variable(X).value
    with pytest.raises(ValueError):
        value[0, 0] = 1
    with pytest.raises(ValueError):
        value += 1


def test_a_var_keeps_its_tape(tape):
    x = tape.variable(X)
    y = ops.exp(x)
    del tape
    gc.collect()
    np.testing.assert_allclose(na.grad(ops.sum(y), x).value, np.exp(X), rtol=1e-6)
    y.tape.clear()
    with pytest.raises(na.InputError):
        x.value


def test_a_network_may_go_first(tape):
    def parameters():
        return tape.network(na.Network.random([4, 50, 3], seed=3, dtype=str(tape.dtype))).parameters

    def overwrite():
        gc.collect()
        return [np.full((50, 4), 9, dtype=tape.dtype) for _ in range(100)]

    expected = na.Network.random([4, 50, 3], seed=3, dtype=str(tape.dtype)).weights[0]
    recorded, value = parameters()[0], parameters()[0].value
    with tape.without_recording():
        loose = parameters()[0]
        constant = ops.sum_to(ops.detached(loose), (50, 4))
    overwrite()
    for found in (recorded.value, value, loose.value, constant.value):
        np.testing.assert_array_equal(found, expected)
    doubled = loose * tape.variable(2 * np.ones((1, 1)))
    tape.clear()
    overwrite()
    for found in (value, loose.value, constant.value):
        np.testing.assert_array_equal(found, expected)
    assert not loose.depends and doubled.dtype == tape.dtype


def test_nodes_keep_a_network_that_was_put_on_without_recording(tape):
    with tape.without_recording():
        on_tape = tape.network(na.Network.random([4, 50, 3], activation="identity", dtype=str(tape.dtype)))
    tape.clear()
    x = tape.variable(X)
    f = on_tape(x)
    expected = na.Network.random([4, 50, 3], activation="identity", dtype=str(tape.dtype)).jacobian(X[:1])[0]
    del on_tape
    gc.collect()
    np.full((50, 4), 9, dtype=tape.dtype), np.full((3, 50), 9, dtype=tape.dtype)
    np.testing.assert_allclose(na.grad(f, x, seed=np.eye(3)).value, expected, rtol=1e-5)


def test_a_cleared_tape_lets_networks_go():
    tape, net = na.Tape(), na.Network.random([4, 3])
    before = sys.getrefcount(net)
    for _ in range(10):
        tape.network(net)
    assert sys.getrefcount(net) > before
    tape.clear()
    assert sys.getrefcount(net) == before


def test_vars_are_not_copied_or_pickled():
    x = na.Tape().variable(X)
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            attempt(x)
        with pytest.raises(TypeError):
            attempt(x.tape)


def test_threads_with_a_tape_each():
    found = [None] * 4

    def work(index):
        tape = na.Tape()
        for _ in range(300):
            tape.clear()
            x = tape.variable(X + index)
            found[index] = na.grad(ops.sum(ops.exp(x)), x).value

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    for index, value in enumerate(found):
        np.testing.assert_allclose(value, np.exp(X + index), rtol=1e-13)


def test_threads_that_share_a_tape_do_not_crash():
    tape = na.Tape()
    failures = []

    def work(index):
        random = np.random.default_rng(index)
        x = tape.variable(X)
        for _ in range(2000):
            try:
                choice = random.integers(6)
                if choice == 0:
                    tape.clear()
                elif choice == 1:
                    x = tape.variable(X)
                elif choice == 2:
                    x = ops.tanh(x) + X
                elif choice == 3:
                    na.grad(ops.sum(x * x), x, create_graph=True)
                elif choice == 4:
                    assert x.value.sum() < 1e9
                else:
                    str(tape)
            except na.InputError:
                x = tape.variable(X)
            except Exception as error:  # noqa: BLE001
                failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not failures


def resident_kilobytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_memory_stays_flat():
    """A step as a notebook takes it, over and over, some of them with errors."""
    tape = na.Tape()
    net = na.Network.random([4, 8, 3], seed=1, dtype="float64")
    operation = na.Operation("double", lambda x: 2 * x, pullback=lambda g, x: 2 * g, pushforward=lambda g, x: 2 * g)

    def step():
        tape.clear()
        on_tape = tape.network(net)
        x = tape.variable(X)
        loss = ops.cross_entropy(on_tape(operation(x)), Y) + na.Tape().full((1, 1), 1).value
        value = na.grad(loss, on_tape.parameters)[0].value
        with tape.without_recording():
            on_tape.parameters[0] + value
        try:
            on_tape(value)
        except na.InputError:
            repr(loss)
        return value

    for _ in range(1000):
        step()
    before = resident_kilobytes()
    for _ in range(9000):
        step()
    assert resident_kilobytes() - before < 2000
    assert tape.nodes < 30

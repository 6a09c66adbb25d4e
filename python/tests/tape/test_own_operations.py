"""Operations that are written in Python."""

import gc

import numpy as np
import pytest

import normalign as na
from normalign import ops
from tapes import Own, W, X


def sine(x, m=0):
    return SINE(x, m)


def times_slope(derivative, x, m):
    return derivative * sine(x, m + 1)


SINE = na.Operation("sine", lambda x, m: np.sin(x + m * np.pi / 2), pullback=times_slope, pushforward=times_slope)
PRODUCT = na.Operation(
    "product",
    lambda a, b: a @ b,
    pullback=[lambda g, a, b: g @ b.T, lambda g, a, b: a.T @ g],
    pushforward=[lambda t, a, b: t @ b, lambda t, a, b: a @ t],
)
SCALED = na.Operation("scaled", lambda x, mask, c: c * x * mask, pullback=[lambda g, x, mask, c: c * g * mask, None])


def test_own_operations(tape):
    x = tape.variable(X)
    tolerance = 1e-13 if tape.dtype == "float64" else 1e-5
    np.testing.assert_allclose(sine(x).value, np.sin(X), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(na.grad(ops.sum(sine(x, 1)), x).value, -np.sin(X), rtol=tolerance, atol=tolerance)
    assert "sine(0)" in str(tape) and repr(SINE) == "Operation('sine')" and SINE.name == "sine"
    product = PRODUCT(x, W.T)
    assert product.dtype == tape.dtype
    np.testing.assert_allclose(product.value, X @ W.T, rtol=tolerance, atol=tolerance)
    mask = tape.variable((X > 0).astype(float))
    gradients = na.grad(ops.sum(SCALED(x, mask, 2.5)), [x, mask])
    np.testing.assert_array_equal(gradients[0].value, 2.5 * (X > 0))
    np.testing.assert_array_equal(gradients[1].value, 0 * X)
    with pytest.raises(na.InputError, match="scaled: found no pushforward"):
        na.jvp(SCALED(x, mask, 1), x, X)


def test_own_operations_pass_gradcheck():
    assert na.gradcheck(sine, X, order=3)
    assert na.gradcheck(PRODUCT, [X, W.T], order=3)
    wrong = na.Operation("wrong", lambda x: x**2, pullback=lambda g, x: g * x, pushforward=lambda g, x: g * x)
    assert "order 1" in na.gradcheck(wrong, X).failure


@pytest.mark.parametrize(
    "value, rule, message",
    [
        (lambda x: None, None, "op: found None as its value"),
        (lambda x: x[0], None, r"op: found a value of shape \(4,\)"),
        (lambda x: "a", None, "op: found an array of dtype"),
        (lambda x: x, lambda g, x: g.value, "op: found that a rule of input 0 returns ndarray, expected a Var"),
        (lambda x: x, lambda g, x: na.Tape("float32").full((3, 4), 1), "op: found a Var of a float32 tape"),
        (lambda x: x, lambda g, x: g.tape.clear(), "clear: found a function of yours that runs on the tape"),
    ],
)
def test_wrong_own_operations_are_refused(value, rule, message):
    operation = na.Operation("op", value, pullback=rule or (lambda g, x: g))
    tape = na.Tape()
    x = tape.variable(X)
    with pytest.raises(na.InputError, match=message):
        na.grad(ops.sum(operation(x)), x)
    assert na.grad(ops.sum(x), x).value.sum() == X.size  # the tape is good afterwards


def test_exceptions_in_own_operations_come_out():
    def raises(*_):
        raise Own("mine")

    tape = na.Tape()
    x = tape.variable(X)
    with pytest.raises(Own):
        na.Operation("op", raises, pullback=raises)(x)
    with pytest.raises(Own):
        na.grad(ops.sum(na.Operation("op", lambda x: x, pullback=raises)(x)), x)
    with pytest.raises(RuntimeError, match="a rule of input 0 returns 1x1; it must be 3x4"):
        na.grad(ops.sum(na.Operation("op", lambda x: x, pullback=lambda g, x: ops.sum(g))(x)), x)
    with pytest.raises(TypeError):
        na.Operation("op", lambda: 1, pullback=raises)(x)


def test_rules_may_use_the_tape_and_nothing_dangles():
    tape = na.Tape()
    seen = []

    def rule(g, x):
        seen.append(g)
        inner = ops.exp(x)
        try:  # what is not recorded is not differentiated
            inner = na.grad(ops.sum(inner), x)
        except na.InputError:
            pass
        for attempt in (tape.clear, x.tape.clear):
            with pytest.raises(na.InputError):
                attempt()
        with g.tape.without_recording():
            ops.concat_rows([x] * 100)
        return g * inner

    operation = na.Operation("op", np.exp, pullback=rule)
    x = tape.variable(X)
    y = operation(x)
    del operation
    gc.collect()
    np.testing.assert_allclose(na.grad(ops.sum(y), x).value, np.exp(X), rtol=1e-13)
    with pytest.raises(na.InputError):  # the inner gradient was not recorded
        na.grad(ops.sum(na.grad(ops.sum(y), x, create_graph=True)), x)
    tape.clear()
    np.testing.assert_array_equal(seen[0].value, np.ones_like(X))


def test_a_tape_may_be_let_go_within_a_rule():
    held = {"tape": na.Tape()}

    def rule(g, x):
        held.clear()
        gc.collect()
        return g * 3

    operation = na.Operation("op", lambda x: 3 * x, pullback=rule)
    x = held["tape"].variable(X)
    assert na.grad(ops.sum(operation(x)), x).value.sum() == 3 * X.size


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"pullback": []}, "op: found 0 pullbacks, expected one for each of 1 to 3 inputs"),
        ({"pullback": [abs] * 4}, "op: found 4 pullbacks"),
        ({"pullback": abs, "pushforward": [abs, abs]}, "op: found 2 pushforwards, expected as many as pullbacks, 1"),
        ({"pullback": [abs, None], "pushforward": [abs, abs]}, "op: found one rule of input 1"),
    ],
)
def test_wrong_definitions_are_refused(arguments, message):
    with pytest.raises(na.InputError, match=message):
        na.Operation("op", abs, **arguments)


def test_wrong_calls_of_own_operations():
    x = na.Tape().variable(X)
    for wrong in ((), (x, 1, 2, 3), (X,)):
        with pytest.raises(na.InputError, match="sine: found"):
            SINE(*wrong)
    for wrong in ((None,), (x, "a"), (x, x)):
        with pytest.raises(TypeError):
            SINE(*wrong)

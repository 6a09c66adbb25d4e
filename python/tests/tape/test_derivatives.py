"""Derivatives and their checks, against NumPy, differences and PyTorch."""

import gc

import numpy as np
import pytest

import normalign as na
from normalign import ops
from tapes import Own, W, X, Y


def numbers(rows, columns, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns))


# ---- derivatives -----------------------------------------------------------------------------------------------------


def test_gradient_of_a_list_and_of_one(tape):
    x, w = tape.variable(X), tape.variable(W)
    loss = ops.sum(ops.square(x @ w.T))
    gradients = na.grad(loss, [x, w])
    assert isinstance(gradients, list) and not gradients[0].depends
    tolerance = 1e-13 if tape.dtype == "float64" else 1e-5
    np.testing.assert_allclose(gradients[0].value, 2 * X @ W.T @ W, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(na.grad(loss, (w,))[0].value, 2 * (X @ W.T).T @ X, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(na.grad(loss, w).value, gradients[1].value)
    assert na.grad(loss, []) == []


def test_seed_and_tangent_may_be_arrays(tape):
    x, w = tape.variable(X), tape.constant(W)
    f, v, t = x @ w.T, numbers(3, 2), numbers(3, 4, seed=1)
    tolerance = 1e-13 if tape.dtype == "float64" else 1e-5
    for seed in (v, tape.constant(v)):
        np.testing.assert_allclose(na.grad(f, x, seed=seed).value, v @ W, rtol=tolerance, atol=tolerance)
    for tangent in (t, tape.constant(t)):
        np.testing.assert_allclose(na.jvp(f, x, tangent).value, t @ W.T, rtol=tolerance, atol=tolerance)


def test_jacobian_is_that_of_the_network(tanh_net):
    tape = na.Tape()
    x = tape.variable(X)
    rows = na.jacobian(tape.network(tanh_net)(x), x)
    assert [row.shape for row in rows] == [(3, 4)] * 3
    np.testing.assert_allclose(np.stack([row.value for row in rows], axis=1), tanh_net.jacobian(X), rtol=1e-13)


def test_hessian_product(tanh_net):
    tape = na.Tape()
    directions = [numbers(*shape, seed=i) for i, shape in enumerate([(8, 4), (1, 8), (3, 8), (1, 3)])]

    def gradients(step):
        weights = [w + step * v for w, v in zip(tanh_net.weights, directions[::2])]
        biases = [b + step * v[0] for b, v in zip(tanh_net.biases, directions[1::2])]
        tape.clear()
        net = tape.network(na.Network(weights, biases, activation="tanh"))
        return [g.value for g in na.grad(ops.cross_entropy(net(X), Y), net.parameters)]

    above, below = gradients(1e-5), gradients(-1e-5)
    tape.clear()
    net = tape.network(tanh_net)
    loss = ops.cross_entropy(net(X), Y)
    products = na.hvp(loss, net.parameters, directions)
    for product, a, b in zip(products, above, below):
        np.testing.assert_allclose(product.value, (a - b) / 2e-5, atol=1e-9)
    first = na.hvp(loss, net.parameters[0], tape.constant(directions[0]))
    rest = [np.zeros(p.shape) for p in net.parameters[1:]]
    np.testing.assert_allclose(first.value, na.hvp(loss, net.parameters, [directions[0], *rest])[0].value, atol=1e-15)


def grokalign(tape, net, x, v):
    """GrokAlign's penalty, as a notebook writes it."""
    f = net(x)
    vJ = na.grad(f, x, seed=v, create_graph=True)
    norms = ops.sqrt(ops.clamp_min(f.shape[1] * ops.row_sum(ops.square(vJ)), 1e-8))
    return ops.mean(norms) + ops.mean(ops.row_square_sum(net.offset(x, f)))


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "abs"])
def test_penalty_in_a_notebook(activation):
    torch = pytest.importorskip("torch")
    theirs_of = {"relu": torch.relu, "tanh": torch.tanh, "gelu": torch.nn.functional.gelu, "abs": torch.abs}[activation]
    net = na.Network.random([4, 8, 3], activation=activation, seed=1, dtype="float64")
    v = na.random_directions(3, 3, seed=5)
    tape = na.Tape()
    on_tape = tape.network(net)
    penalty = grokalign(tape, on_tape, tape.variable(X), v)
    ours = na.grad(penalty, on_tape.parameters)

    weights = [torch.tensor(w.copy(), requires_grad=True) for w in net.weights]
    biases = [torch.tensor(b.copy(), requires_grad=True) for b in net.biases]
    x = torch.tensor(X, requires_grad=True)
    f = theirs_of(x @ weights[0].T + biases[0]) @ weights[1].T + biases[1]
    rows = [torch.autograd.grad(f[:, j].sum(), x, create_graph=True)[0] for j in range(3)]
    vJ = sum(torch.tensor(v[:, j : j + 1]) * rows[j] for j in range(3))
    b = torch.stack([f[:, j] - (rows[j] * x).sum(1) for j in range(3)], 1)
    theirs = (3 * (vJ**2).sum(1)).clamp_min(1e-8).sqrt().mean() + (b**2).sum(1).mean()
    assert penalty.item() == pytest.approx(theirs.item(), rel=1e-12)
    parameters = [weights[0], biases[0], weights[1], biases[1]]
    for g, h in zip(ours, torch.autograd.grad(theirs, parameters)):
        np.testing.assert_allclose(g.value, h.numpy().reshape(g.shape), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda t, x, y: na.grad(y, x), "grad: f is 3x4 and there is no seed"),
        (lambda t, x, y: na.grad(y, x, seed=W), "grad: seed is 2x4 but f is 3x4"),
        (lambda t, x, y: na.grad(y, x, seed=X[0]), r"seed: found an array of shape \(4,\)"),
        (lambda t, x, y: na.grad(ops.sum(y), t.constant(X)), "grad: x is a constant"),
        (lambda t, x, y: na.jvp(y, x, W), "jvp: tangent is 2x4 but x is 3x4"),
        (lambda t, x, y: na.jacobian(ops.sum(y), x), "jacobian: f is 1x1 but x is 3x4"),
        (lambda t, x, y: na.hvp(ops.sum(y), [x], []), "hvp: 1 inputs but 0 directions"),
        (lambda t, x, y: na.grad(ops.sum(na.grad(ops.sum(y), x)), x), "taken without create_graph"),
    ],
)
def test_wrong_derivatives_are_refused(wrong, message):
    tape = na.Tape()
    x = tape.variable(X)
    with pytest.raises(na.InputError, match=message):
        wrong(tape, x, ops.exp(x))


@pytest.mark.parametrize("wrt", [None, [None], 3, "x", X])
def test_derivatives_are_by_vars(wrt):
    x = na.Tape().variable([[1]])
    with pytest.raises(TypeError):
        na.grad(x, wrt)
    if not isinstance(wrt, np.ndarray):
        with pytest.raises((TypeError, na.InputError)):
            na.hvp(x, x, wrt)


# ---- gradcheck -------------------------------------------------------------------------------------------------------


def test_gradcheck_finds_what_is_wrong():
    report = na.gradcheck(lambda x: ops.detached(x) * x, X, order=1, name="wrong", seed=3)
    assert not report and not report.passed
    assert report.failure.startswith("wrong: order 1, input 0 (3x4), entry (0, 0)") and "seed 3" in report.failure
    assert repr(report).startswith("GradcheckReport(failed: wrong: order 1")
    refused = na.gradcheck(ops.relu, [[[0.0]]])
    assert "crosses a kink" in refused.failure
    assert na.gradcheck(lambda x: ops.exp(x) * 1.0, X, order=3, tolerance=[1e-6, 1e-6, 1e-6])
    assert not na.gradcheck(ops.exp, X, order=1, tolerance=1e-16)


def test_exceptions_of_the_function_come_out():
    def function(x):
        raise Own("mine")

    with pytest.raises(Own, match="mine") as caught:
        na.gradcheck(function, X)
    assert caught.traceback[-1].name == "function"
    with pytest.raises(KeyboardInterrupt):
        na.gradcheck(lambda x: (_ for _ in ()).throw(KeyboardInterrupt()), X)


@pytest.mark.parametrize(
    "function, message",
    [
        (lambda x: None, "found that the function returns NoneType, expected a Var"),
        (lambda x: x.value, "found that the function returns ndarray"),
        (lambda x: na.Tape().variable(X), "found that the function returns a Var of another tape"),
        (lambda x: na.Tape("float32").variable(X), "found that the function returns a Var of another tape"),
        (lambda x: x.tape.clear(), "clear: found a function of yours that runs on the tape"),
        (lambda x: x.tape.nan_check().__enter__(), "nan_check: found the tape of a gradcheck"),
    ],
)
def test_wrong_functions_are_refused(function, message):
    with pytest.raises(na.InputError, match=message):
        na.gradcheck(function, X)


def test_what_gradcheck_lends_is_safe_afterwards():
    leaked = []

    def function(x):
        scope = x.tape.without_recording()
        leaked.append((x, x.tape, x.value, scope, x.tape.network(na.Network.random([4, 2], dtype="float64"))))
        if len(leaked) % 2:
            with x.tape.without_recording():
                leaked.append((x * 2, x.tape, x.value, scope, leaked[-1][-1]))
        assert na.gradcheck(ops.exp, X[:1], order=1)
        return x * x.tape.constant(X)

    assert na.gradcheck(function, X, order=1)
    scope_left_open = []

    def leaves_open(x):
        scope_left_open.append(x.tape.without_recording())
        scope_left_open[-1].__enter__()
        return x

    na.gradcheck(leaves_open, X, order=1)
    for x, tape, value, scope, net in leaked:
        assert value.shape == (3, 4)
        uses = [tape.clear, lambda: tape.nodes, lambda: str(tape), lambda: repr(tape), lambda: tape.variable(X)]
        uses += [lambda: x + X, lambda: ops.exp(x), lambda: net(X), scope.__enter__, lambda: na.grad(x, x)]
        for use in uses:
            with pytest.raises(na.InputError):
                use()
        repr(x)
    for scope in scope_left_open:
        scope.__exit__(None, None, None)
    leaked.clear()
    scope_left_open.clear()
    gc.collect()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"order": 4}, "gradcheck: order is 4; it must be 1, 2 or 3"),
        ({"inputs": []}, "gradcheck: there are no inputs"),
        ({"inputs": [X[0]]}, r"inputs: found an array of shape \(4,\)"),
        ({"inputs": [X, None]}, "inputs: found "),
        ({"inputs": [[[np.nan]]]}, "inputs: found nan in row 0, column 0"),
    ],
)
def test_wrong_arguments_of_gradcheck(arguments, message):
    with pytest.raises(na.InputError, match=message):
        na.gradcheck(**{"function": ops.exp, "inputs": X, **arguments})

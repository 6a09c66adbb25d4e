"""Every operation of the C++ headers is bound, and is what NumPy, differences and PyTorch say."""

import re
from pathlib import Path

import numpy as np
import pytest

import normalign as na
from normalign import ops

SOURCE = Path(__file__).resolve().parents[3] / "src"
HEADERS = [*sorted((SOURCE / "autodiff").glob("ops_*.hpp")), SOURCE / "nn" / "losses.hpp"]

A = np.array([[0.5, -1.2, 2.0, 0.3], [-0.7, 1.1, -0.4, 1.6], [0.9, -2.1, 0.8, -0.6]])  # no value near a kink
B = np.array([[1.3, 0.2, -0.8, 0.9], [0.6, -1.5, 1.2, 0.4], [-0.3, 0.7, 2.2, -1.1]])
W = np.array([[0.4, -0.3, 1.0, 0.2], [-0.9, 0.8, 0.1, 0.5]])
BIAS = np.array([[0.3, -0.2]])
POSITIVE = np.abs(A) + 0.2
SHARES = 1 / (1 + np.exp(-B))
Y = np.array([2, 0, 3])
PICKS = np.array([[1, 3, 1], [0, 0, 2], [3, 1, 2]])
HOT = np.array([[2, 0], [1, 3], [0, 3]])
MULTI_HOT = np.array([[1.0, 0, 1, 0], [0, 1, 0, 1], [1, 0, 0, 1]])
G = np.array([[0.5, -1.0], [2.0, 0.7], [-0.3, 0.1]])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def normal_cdf(x):
    from math import erf

    return (1 + np.vectorize(erf)(x / np.sqrt(2))) / 2


def logsumexp(x):
    return np.log(np.exp(x).sum(axis=1, keepdims=True))


def cross_entropies(x):
    return logsumexp(x) - x[np.arange(3), Y][:, None]


def minus_label(x):
    return np.exp(x - logsumexp(x)) - np.eye(4)[Y]


def scattered(g, index, cols):
    result = np.zeros((len(g), cols))
    for i, row in enumerate(index):
        np.add.at(result[i], row, g[i])
    return result


# For each operation: how it is called, what NumPy says, and the inputs that derivatives are taken by.
CALLS = [
    (lambda x: ops.exp(x), np.exp, A),
    (lambda x: ops.log(x), np.log, POSITIVE),
    (lambda x: ops.sqrt(x), np.sqrt, POSITIVE),
    (lambda x: ops.square(x), np.square, A),
    (lambda x: ops.pow(x, 2.5), lambda x: x**2.5, POSITIVE),
    (lambda x: ops.pow(x, power=3), lambda x: x**3, A),
    (lambda x: ops.affine(x, -1.5, 0.25), lambda x: 0.25 - 1.5 * x, A),
    (lambda x: ops.abs(x), np.abs, A),
    (lambda x: ops.sign(x), np.sign, A),
    (lambda x: ops.relu(x), lambda x: np.maximum(x, 0), A),
    (lambda x: ops.leaky_relu(x), lambda x: np.where(x > 0, x, 0.01 * x), A),
    (lambda x: ops.leaky_relu(x, slope=0.2), lambda x: np.where(x > 0, x, 0.2 * x), A),
    (lambda x: ops.clamp_min(x, 0.4), lambda x: np.maximum(x, 0.4), A),
    (lambda x: ops.tanh(x), np.tanh, A),
    (lambda x: ops.sigmoid(x), sigmoid, A),
    (lambda x: ops.softplus(x), lambda x: np.log1p(np.exp(x)), A),
    (lambda x: ops.silu(x), lambda x: x * sigmoid(x), A),
    (lambda x: ops.normal_cdf(x), normal_cdf, A),
    (lambda x: ops.gelu(x), lambda x: x * normal_cdf(x), A),
    (
        lambda x: ops.gelu_tanh(x),
        lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
        A,
    ),
    (lambda g, y: ops.gate(g, y), lambda g, y: np.where(y > 0, g, 0), A, B),
    (lambda g, y: ops.gate(g, y, 0.1), lambda g, y: np.where(y > 0, g, 0.1 * g), A, B),
    (lambda g, y: ops.gate_from(g, y, 0.5), lambda g, y: np.where(y >= 0.5, g, 0), A, B),
    (lambda x: ops.sum(x), lambda x: x.sum().reshape(1, 1), A),
    (lambda x: ops.mean(x), lambda x: x.mean().reshape(1, 1), A),
    (lambda x: ops.row_sum(x), lambda x: x.sum(axis=1, keepdims=True), A),
    (lambda x: ops.row_square_sum(x), lambda x: (x**2).sum(axis=1, keepdims=True), A),
    (lambda x: ops.col_sum(x), lambda x: x.sum(axis=0, keepdims=True), A),
    (lambda x: ops.logsumexp(x), logsumexp, A),
    (lambda x: ops.softmax(x), lambda x: np.exp(x - logsumexp(x)), A),
    (lambda x: ops.log_softmax(x), lambda x: x - logsumexp(x), A),
    (lambda x: ops.broadcast_to(x, (3, 2)), lambda x: np.broadcast_to(x, (3, 2)), BIAS),
    (lambda x: ops.sum_to(x, (1, 4)), lambda x: x.sum(axis=0, keepdims=True), A),
    (lambda x: ops.cross_entropy_rows(x, Y), cross_entropies, A),
    (lambda x: ops.cross_entropy_rows(x, Y[:, None], gradient="accurate"), cross_entropies, A),
    (lambda x: ops.softmax_minus_label(x, Y), minus_label, A),
    (lambda x: ops.cross_entropy(x, Y), lambda x: cross_entropies(x).mean().reshape(1, 1), A),
    (lambda x: ops.cross_entropy(x, Y, 6, "accurate"), lambda x: cross_entropies(x).sum().reshape(1, 1) / 6, A),
    (lambda f: ops.mse(f, B), lambda f: ((f - B) ** 2).mean().reshape(1, 1), A),
    (lambda f: ops.mse(f, B, samples=12), lambda f: ((f - B) ** 2).mean().reshape(1, 1) / 4, A),
    (
        lambda f: ops.bce(f, SHARES),
        lambda f: -(SHARES * np.log(sigmoid(f)) + (1 - SHARES) * np.log(1 - sigmoid(f))).mean().reshape(1, 1),
        A,
    ),
    (lambda a, b: ops.matmul(a, b, transpose_b=True), lambda a, b: a @ b.T, A, W),
    (lambda a, b: ops.matmul(a, b, True), lambda a, b: a.T @ b, A, B),
    (lambda a, b: ops.matmul(a, b), lambda a, b: a @ b, W, A.T),
    (lambda c, a, b: ops.add_product(c, a, b, False, True), lambda c, a, b: c + a @ b.T, G, A, W),
    (lambda x, w, b: ops.linear(x, w, b), lambda x, w, b: x @ w.T + b, A, W, BIAS),
    (lambda x, w: ops.linear(x, w), lambda x, w: x @ w.T, A, W),
    (lambda x: ops.transpose(x), np.transpose, A),
    (lambda w: ops.hot_linear(MULTI_HOT, w, HOT), lambda w: MULTI_HOT @ w.T, W),
    (lambda w: ops.hot_sum(w, HOT), lambda w: MULTI_HOT @ w.T, W),
    (lambda g: ops.hot_outer(g, HOT, cols=4), lambda g: g.T @ MULTI_HOT, G),
    (lambda x: ops.slice_rows(x, 1, 2), lambda x: x[1:], A),
    (lambda x: ops.slice_cols(x, first=1, count=2), lambda x: x[:, 1:3], A),
    (lambda x: ops.pad_rows(x, before=2, after=1), lambda x: np.pad(x, ((2, 1), (0, 0))), A),
    (lambda x: ops.pad_cols(x, 0, 2), lambda x: np.pad(x, ((0, 0), (0, 2))), A),
    (lambda a, b: ops.concat_rows([a, b, a]), lambda a, b: np.vstack([a, b, a]), A, W),
    (lambda x: ops.gather_cols(x, PICKS), lambda x: np.take_along_axis(x, PICKS, axis=1), A),
    (lambda g: ops.scatter_add_cols(g, PICKS, 4), lambda g: scattered(g, PICKS, 4), B[:, :3]),
    # The operators: of Vars, numbers and arrays on either side.
    (lambda a, b: a + b, np.add, A, B),
    (lambda a, b: a - b, np.subtract, A, B[:1]),
    (lambda a, b: a * b, np.multiply, A, B[:, :1]),
    (lambda a, b: a / b, np.divide, A, POSITIVE),
    (lambda a, b: a @ b.T, lambda a, b: a @ b.T, A, W),
    (lambda x: (2 - 3 * (x + 1)) / 7 - 0.5, lambda x: (2 - 3 * (x + 1)) / 7 - 0.5, A),
    (lambda x: 2 / x + x**-1 + (-x), lambda x: 2 / x + x**-1 - x, POSITIVE),
    (lambda x: B + B * (x - B[:1]) / B - (B - x), lambda x: B + (x - B[:1]) - (B - x), A),
    (lambda x: B / x + x / B + B[:, :2].T @ x + x.T @ B @ np.ones((4, 4)) @ np.ones((4, 4)).sum(), None, POSITIVE),
    (lambda x: (np.float32(2) * x + np.int64(3)) * np.array(0.5) + True, lambda x: (2 * x + 3) / 2 + 1, A),
]
CALLS = [call for call in CALLS if call[1]]


def name_of(call):
    """The operation that is called, as the lambda's source has it."""
    names = [name for name in call[0].__code__.co_names if name in dir(ops)]
    return names[0] if names else "operators"


def declared():
    """The functions of Vars that the headers declare."""
    found = {"detached"}
    for header in HEADERS:
        found |= set(re.findall(r"^Var<T> (\w+)\(", header.read_text(), re.MULTILINE))
    return found - {"operator", "task_loss"}  # a loss by its kind: each has its function


def test_every_operation_is_bound_and_checked_here():
    bound = {name for name in dir(ops) if not name.startswith("_")}
    assert len(declared()) > 45
    assert bound == declared()
    assert {name_of(call) for call in CALLS} >= bound - {"detached"}
    assert all(getattr(ops, name).__doc__.count("\n") > 1 for name in bound)


@pytest.mark.parametrize("call", CALLS, ids=name_of)
def test_value_is_that_of_numpy(call):
    function, expected, *inputs = call
    for dtype, tolerance in (("float64", 1e-13), ("float32", 1e-5)):
        tape = na.Tape(dtype)
        value = function(*[tape.variable(x) for x in inputs]).value
        assert value.dtype == dtype
        np.testing.assert_allclose(value, expected(*inputs), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("call", CALLS, ids=name_of)
def test_derivatives_are_those_of_differences(call):
    report = na.gradcheck(call[0], list(call[2:]), order=2)
    assert report and report.passed and report.failure == ""
    assert report.error[0] < 1e-6 and report.forward_error[1] < 1e-6 and report.error[2] == 0


TORCH = {
    "exp": lambda t, x: t.exp(x),
    "sqrt": lambda t, x: t.sqrt(x),
    "abs": lambda t, x: t.abs(x),
    "relu": lambda t, x: t.relu(x),
    "leaky_relu": lambda t, x: t.nn.functional.leaky_relu(x),
    "tanh": lambda t, x: t.tanh(x),
    "sigmoid": lambda t, x: t.sigmoid(x),
    "softplus": lambda t, x: t.nn.functional.softplus(x),
    "silu": lambda t, x: t.nn.functional.silu(x),
    "gelu": lambda t, x: t.nn.functional.gelu(x),
    "gelu_tanh": lambda t, x: t.nn.functional.gelu(x, approximate="tanh"),
    "clamp_min": lambda t, x: t.clamp_min(x, 0.4),
    "logsumexp": lambda t, x: t.logsumexp(x, 1, keepdim=True),
    "log_softmax": lambda t, x: t.log_softmax(x, 1),
    "cross_entropy": lambda t, x: t.nn.functional.cross_entropy(x, t.tensor(Y)).reshape(1, 1),
    "mse": lambda t, x: t.nn.functional.mse_loss(x, t.tensor(B)).reshape(1, 1),
    "bce": lambda t, x: t.nn.functional.binary_cross_entropy_with_logits(x, t.tensor(SHARES)).reshape(1, 1),
    "linear": lambda t, x, w, b: t.nn.functional.linear(x, w, b[0]),
    "gather_cols": lambda t, x: t.gather(x, 1, t.tensor(PICKS)),
}


@pytest.mark.parametrize("name", TORCH)
def test_gradient_of_a_gradient_is_that_of_pytorch(name):
    torch = pytest.importorskip("torch")
    function, _, *inputs = next(call for call in CALLS if name_of(call) == name)
    theirs = [torch.tensor(x, requires_grad=True) for x in inputs]
    expected = TORCH[name](torch, *theirs)
    first = torch.autograd.grad((expected**2).sum(), theirs, create_graph=True)
    second = torch.autograd.grad(sum((g**2).sum() for g in first), theirs)

    tape = na.Tape()
    ours = [tape.variable(x) for x in inputs]
    found = function(*ours)
    np.testing.assert_allclose(found.value, expected.detach().numpy(), rtol=1e-12, atol=1e-14)
    gradient = na.grad(ops.sum(ops.square(found)), ours, create_graph=True)
    squares = [ops.sum(ops.square(g)) for g in gradient]
    for g, h, g_theirs, h_theirs in zip(gradient, na.grad(sum(squares[1:], squares[0]), ours), first, second):
        np.testing.assert_allclose(g.value, g_theirs.detach().numpy(), rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(h.value, h_theirs.numpy(), rtol=1e-10, atol=1e-11)


def test_conventions_at_kinks():
    tape = na.Tape()
    x = tape.variable([[0.0]])
    slopes = [(ops.relu(x), 0), (ops.abs(x), 0), (ops.leaky_relu(x, 0.3), 0.3), (ops.clamp_min(x, 0), 1)]
    for y, slope in slopes:
        assert na.grad(y, x).item() == slope


def test_detached_is_a_constant():
    tape = na.Tape()
    x = tape.variable(A)
    y = ops.detached(x)
    assert x.depends and not y.depends
    np.testing.assert_array_equal(na.grad(ops.sum(x * y), x).value, A)
    tape.clear()
    np.testing.assert_array_equal(y.value, A)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda x: ops.exp(A), "exp: found ndarray, expected a Var"),
        (lambda x: ops.concat_rows([A]), "concat_rows: found no Var"),
        (lambda x: ops.concat_rows([x, W[:, :2]]), "a.cols must equal b.cols"),
        (lambda x: ops.matmul(x, x), "matmul: "),
        (lambda x: ops.mse(x, B[:, :2]), "mse: f is 3x4 but targets are 3x2"),
        (lambda x: ops.mse(x, [[1, 2], [3]]), "mse: found list, expected an array of numbers"),
        (lambda x: ops.mse(x, B[0]), r"mse: found an array of shape \(4,\), expected one of two dimensions"),
        (lambda x: ops.mse(x, np.array([["a"]])), "mse: found an array of dtype <U1"),
        (lambda x: ops.cross_entropy(x, [0, 1, 4]), "label 4 in row 2; it must be a whole number from 0 to 3"),
        (lambda x: ops.cross_entropy(x, Y, gradient="exact"), "gradient: found 'exact', expected 'subtracted'"),
        (lambda x: ops.gather_cols(x, [[9], [0], [0]]), "gather_cols: "),
        (lambda x: ops.slice_rows(x, 2, 5), "slice_rows: "),
        (lambda x: ops.slice_rows(x, -1, 2), "slice_rows: "),
        (lambda x: ops.slice_cols(x, 2**40, 2**40), "slice_cols: "),
        (lambda x: ops.scatter_add_cols(x, np.zeros((3, 4)), -1), "an extent is -1"),
        (lambda x: ops.broadcast_to(x, (2, 4)), "broadcast_to: "),
        (lambda x: ops.broadcast_to(x, (-3, 4)), "broadcast_to: "),
        (lambda x: ops.leaky_relu(x, -1), "leaky_relu: slope is -1"),
        (lambda x: x + B[:2], "add: a is 3x4 but b is 2x4"),
        (lambda x: B[0] * x, r"multiply: found an array of shape \(4,\)"),
        (lambda x: x + np.ma.masked_array(A, A > 1), "add: found a masked array"),
        (lambda x: x * np.complex64(1), "multiply: found an array of dtype complex64"),
    ],
)
def test_misfits_are_refused(wrong, message):
    x = na.Tape().variable(A)
    with pytest.raises(na.InputError, match=message):
        wrong(x)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x + "a",
        lambda x: x * 1j,
        lambda x: x + None,
        lambda x: [1.0] - x,
        lambda x: x @ 2.0,
        lambda x: x**x,
        lambda x: 2**x,
        lambda x: x < 1,
        lambda x: np.exp(x),
        lambda x: np.asarray(x),
        lambda x: np.concatenate([x, x]),
        lambda x: float(x),
        lambda x: ops.clamp_min(x, x),
        lambda x: ops.exp(None),
        lambda x: ops.sum_to(x, 3),
        lambda x: x[0],
    ],
)
def test_what_has_no_meaning_is_a_type_error(wrong):
    x = na.Tape().variable(A)
    with pytest.raises(TypeError):
        wrong(x)

"""Kernel machines on arrays: against NumPy and the C++ programs, and what is refused."""

import copy
import json
import os
import pickle
import re
import subprocess
from pathlib import Path

import normalign as na
import numpy as np
import pytest

from conftest import assert_ends_by_ctrl_c

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = Path(os.environ.get("NORMALIGN_EXAMPLES", ROOT / "build" / "examples"))
PROGRAM = EXAMPLES.parent / "normalign"
needs_program = pytest.mark.skipif(not PROGRAM.exists(), reason="build/normalign is not built")


def table(n=60, d=5, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.integers(0, classes, n)


def machine_of(x, labels, **options):
    return na.fit_rfm(x, np.eye(labels.max() + 1, dtype=x.dtype)[labels], **options).machine


KERNELS = {
    "laplace": (lambda r, p: np.exp(-r), lambda r, p: np.exp(-r)),
    "gaussian": (lambda r, p: np.exp(-(r**2) / 2), lambda r, p: r * np.exp(-(r**2) / 2)),
    "generalised_laplace": (lambda r, p: np.exp(-(r**p)), lambda r, p: p * r ** (p - 1) * np.exp(-(r**p))),
}


def fitted_by_numpy(x, y, kernel, bandwidth, exponent, regularisation, updates, share, centres, power):
    """Metric and coefficients as the papers define them."""
    value, slope = KERNELS[kernel]
    n, d = x.shape
    metric = (1 - share) * np.cov(x.T) + share * np.eye(d)
    metric *= d / np.trace(metric)
    for update in range(updates + 1):
        apart = x[:, None] - x[None]
        r = np.sqrt(np.maximum(np.einsum("ijk,kl,ijl->ij", apart, metric, apart), 0))
        np.fill_diagonal(r, 0)
        a = np.linalg.solve(value(r / bandwidth, exponent) + regularisation * np.eye(n), y)
        if update == updates:
            return metric, a
        far = np.where(r > 1e-10, r, 1)
        weights = np.where(r > 1e-10, slope(far / bandwidth, exponent) / bandwidth / far, 0)
        jacobians = -np.einsum("pi,ic,pid->pcd", weights, a, apart @ metric)
        if centres:
            jacobians = jacobians - jacobians.mean(axis=0)
        metric = np.einsum("pcd,pce->de", jacobians, jacobians) / n
        values, vectors = np.linalg.eigh(metric)
        metric = (vectors * np.maximum(values, 0) ** power) @ vectors.T
        metric *= d / np.trace(metric)


@pytest.mark.parametrize(
    "kernel, exponent, initial, share, centres, power",
    [
        ("laplace", 1.0, "identity", 1, False, 1.0),
        ("laplace", 1.0, "covariance", 0, False, 1.0),
        ("gaussian", 1.0, 0.3, 0.3, False, 0.5),
        ("generalised_laplace", 1.5, "identity", 1, True, 1.0),
    ],
)
def test_fit_is_that_of_numpy(kernel, exponent, initial, share, centres, power):
    x, labels = table()
    y = np.eye(3)[labels]
    found = na.fit_rfm(
        x,
        y,
        kernel=kernel,
        bandwidth=4,
        exponent=exponent,
        regularisation=0.1,
        updates=3,
        initial=initial,
        agop_samples=0,
        centre_gradients=centres,
        power=power,
    )
    metric, a = fitted_by_numpy(x, y, kernel, 4, exponent, 0.1, 3, share, centres, power)
    np.testing.assert_allclose(found.machine.metric, metric, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(found.machine.coefficients, a, rtol=1e-7, atol=1e-8)
    assert found.updates == 3 and found.converged and found.scores.size == 0 and found.residuals.shape == (4,)


def test_jacobians_and_outer_products():
    x, labels = table()
    machine = machine_of(x, labels, regularisation=0.1)
    at = np.random.default_rng(5).normal(size=(7, 5))
    jacobian, step = machine.jacobian(at), 1e-6
    for j in range(5):
        moved = np.eye(5)[j] * step
        slope = (machine(at + moved) - machine(at - moved)) / (2 * step)
        np.testing.assert_allclose(jacobian[:, :, j], slope, atol=1e-8)
    expected = np.einsum("pcd,pce->de", jacobian, jacobian) / 7
    np.testing.assert_allclose(machine.agop(at), expected, rtol=1e-12)
    diagonal = np.diag(machine.agop(x))
    np.testing.assert_allclose(machine.importances(), diagonal / diagonal.sum(), rtol=1e-12)


def test_a_wide_table_in_coordinates_of_its_rows():
    rng = np.random.default_rng(0)
    x, y, at = rng.normal(size=(20, 50)), rng.normal(size=(20, 2)), rng.normal(size=(7, 50))
    span = na.fit_rfm(x, y, regularisation=0.1, validation=(at, at[:, :2])).machine
    inputs = na.fit_rfm(x, y, regularisation=0.1, validation=(at, at[:, :2]), coordinates="inputs").machine
    assert inputs.directions is None and span.directions.shape == (20, 50)
    assert span.inputs == 50 and span.metric.shape == (21, 21)
    np.testing.assert_allclose(span(at), inputs(at), atol=1e-12)
    np.testing.assert_allclose(span.jacobian(at), inputs.jacobian(at), atol=1e-12)
    np.testing.assert_allclose(span.agop(at), inputs.agop(at), atol=1e-12)
    np.testing.assert_allclose(span.metric_in_inputs(), inputs.metric, atol=1e-11)
    np.testing.assert_allclose(span.importances(), inputs.importances(), atol=1e-12)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(span))(at), span(at))


def test_validation_keeps_the_best():
    x, labels = table(n=90)
    y = np.eye(3)[labels]
    chosen = na.fit_rfm(x[:60], y[:60], regularisation=0.1, updates=5, validation=(x[60:], labels[60:]))
    each = [na.fit_rfm(x[:60], y[:60], regularisation=0.1, updates=t).machine for t in range(6)]
    scores = [100 * np.mean(machine(x[60:]).argmax(axis=1) == labels[60:]) for machine in each]
    np.testing.assert_allclose(chosen.scores, scores)
    assert len(set(scores)) > 1 and chosen.updates == np.argmax(scores)
    np.testing.assert_array_equal(chosen.machine.coefficients, each[chosen.updates].coefficients)
    numbers = na.fit_rfm(x[:60], x[:60, 0], updates=2, validation=(x[60:], x[60:, 0]))
    f = [na.fit_rfm(x[:60], x[:60, 0], updates=t).machine(x[60:])[:, 0] for t in range(3)]
    r2 = [100 * (1 - np.sum((x[60:, 0] - g) ** 2) / np.sum((x[60:, 0] - x[60:, 0].mean()) ** 2)) for g in f]
    np.testing.assert_allclose(numbers.scores, r2)


def test_precision_layout_and_threads():
    x, labels = table()
    y = np.eye(3)[labels]
    machine = na.fit_rfm(x, y, threads=1).machine
    wide = np.zeros((60, 10))
    wide[:, ::2] = x
    for same in (np.asfortranarray(x), wide[:, ::2], x.tolist()):
        again = na.fit_rfm(same, np.asfortranarray(y), threads=3).machine
        np.testing.assert_array_equal(again.coefficients, machine.coefficients)
        np.testing.assert_array_equal(again(same, threads=2), machine(x, threads=1))
    assert machine.dtype == np.float64
    small = na.fit_rfm(x.astype(np.float32), np.eye(3, dtype=int)[labels]).machine
    assert small.dtype == np.float32 and small(x).dtype == np.float32
    np.testing.assert_allclose(small(x), machine(x), atol=1e-3)
    assert na.fit_rfm(x.astype(np.float32), y).machine.dtype == np.float64


def test_copies_and_views(tmp_path):
    x, labels = table()
    for dtype in (np.float32, np.float64):
        machine = machine_of(x.astype(dtype), labels, kernel="generalised_laplace", exponent=0.7)
        machine.save(tmp_path / "m.safetensors")
        rebuilt = na.KernelMachine(
            machine.centres, machine.metric, machine.coefficients, kernel="generalised_laplace", exponent=0.7
        )
        loaded = na.load_machine(str(tmp_path / "m.safetensors"))
        for same in (pickle.loads(pickle.dumps(machine)), copy.deepcopy(machine), rebuilt, loaded):
            np.testing.assert_array_equal(same(x), machine(x))
            assert same.dtype == dtype and repr(same) == repr(machine) and same.exponent == 0.7
        centres = machine.centres
        with pytest.raises(ValueError, match="read-only"):
            centres[0, 0] = 1
        del machine, same, rebuilt, loaded
        np.testing.assert_array_equal(centres, x.astype(dtype))


# ---- against the programs --------------------------------------------------------------------------------------


def tabular(folder, arguments):
    common = ["--alpha", "1", "--no-standardise", "--save-model", "--out", "out", "--set", "updates=0"]
    common += ["--set", "regularisations=[0.1]", "--set", "attack_radii=[]"]
    subprocess.run([PROGRAM, "tabular", *arguments, *common], cwd=folder, check=True, capture_output=True)
    (model,) = (folder / "out").glob("*.safetensors")
    return na.load_machine(model)


@needs_program
def test_bits_of_the_command_tabular(tmp_path):
    x, labels = table()
    np.savez(tmp_path / "t.npz", X=x, y=labels)
    machine = machine_of(x, labels, regularisation=0.1, updates=0)
    np.testing.assert_array_equal(tabular(tmp_path, ["t.npz", "--label", "y"]).coefficients, machine.coefficients)


@needs_program
def test_commands_read_a_machine(tmp_path):
    x, labels = table()
    machine = machine_of(x, labels, regularisation=0.1)
    machine.save(tmp_path / "m.safetensors")
    at = np.random.default_rng(3).normal(size=(9, 5))
    np.save(tmp_path / "at.npy", at)

    def run(*arguments):
        subprocess.run([PROGRAM, *arguments], cwd=tmp_path, check=True, capture_output=True)

    run("predict", "m.safetensors", "at.npy", "-o", "p.csv")
    lines = [line.split(",") for line in (tmp_path / "p.csv").read_text().splitlines()]
    outputs = np.array([[float(cell) for cell in line[1:]] for line in lines[1:]])
    np.testing.assert_array_equal(outputs, machine(at))
    assert [int(line[0]) for line in lines[1:]] == machine(at).argmax(axis=1).tolist()
    run("importances", "m.safetensors", "--json", "i.json")
    found = json.loads((tmp_path / "i.json").read_text())
    np.testing.assert_array_equal([feature["share"] for feature in found["features"]], machine.importances())


@pytest.mark.skipif(not (EXAMPLES / "10_rfm").exists(), reason="the examples are not built")
def test_figures_of_the_example(tmp_path):
    # Four copies of a row for each class: every fold has one of each.
    rng = np.random.default_rng(2)
    x = rng.normal(size=(12, 5)).round(3)
    rows = [",".join([*map(str, row), f"c{i:02}"]) for i, row in enumerate(x) for _ in range(4)]
    (tmp_path / "t.csv").write_text("a,b,c,d,e,class\n" + "\n".join(rows) + "\n")
    printed = subprocess.run(
        [EXAMPLES / "10_rfm", tmp_path / "t.csv"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    for line, initial in zip(printed, ("identity", "covariance")):
        machine = machine_of(np.repeat(x, 3, axis=0), np.repeat(np.arange(12), 3), regularisation=0.1, initial=initial)
        _, s, v = np.linalg.svd(machine.jacobian(x))
        rank = np.mean(s.sum(axis=1) ** 2 / (s**2).sum(axis=1))
        alignment = np.mean(np.abs(np.einsum("id,id->i", v[:, 0], x)) / np.linalg.norm(x, axis=1))
        expected = [float(number) for number in re.findall(r"[\d.]+(?=[ ,%]|$)", line)]
        found = [100 * np.mean(machine(x).argmax(axis=1) == np.arange(12)), rank, alignment]
        np.testing.assert_allclose(found, expected, atol=6e-4)


# ---- what goes wrong -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, message",
    [
        ({"X": np.zeros(5)}, r"X: found an array of shape \(5,\)"),
        ({"X": np.full((60, 5), np.inf)}, "X: found inf in row 0, column 0"),
        ({"X": np.zeros((0, 5)), "y": np.zeros((0, 3))}, "X: found an array of shape .0, 5., expected a row"),
        ({"y": np.zeros((59, 3))}, "y: found 59 rows, expected 60, as many as X has"),
        ({"y": np.zeros((60, 0))}, "y: found an array of shape .60, 0."),
        ({"kernel": "cauchy"}, "cauchy"),
        ({"exponent": 0.5}, "exponent: found 0.5 with kernel 'laplace'"),
        ({"bandwidth": 0}, "bandwidth"),
        ({"regularisation": -1}, "regularisation"),
        ({"updates": -1}, "updates"),
        ({"initial": "random"}, "initial: found 'random', expected 'identity', 'covariance' or the identity's share"),
        ({"initial": 1.5}, "initial: found 1.5"),
        ({"power": 0}, "power"),
        ({"memory": 0}, "memory: found 0"),
        ({"coordinates": "span"}, "coordinates: found 'span' for X of shape .60, 5., expected it where there are more"),
        ({"coordinates": "rows"}, "coordinates: found 'rows'"),
        ({"threads": 0}, "threads"),
        ({"progress": 3}, "progress: found 3"),
        ({"validation": (np.zeros((3, 4)), [0, 1, 2])}, "validation: found 4 columns, expected 5 as in X"),
        ({"validation": (np.zeros((3, 5)), [0, 1])}, "validation: found 2 class numbers"),
        ({"validation": (np.zeros((3, 5)), [0, 1, 3])}, "validation: found class 3 in row 2, expected classes from 0 to 2"),
        ({"validation": (np.zeros((0, 5)), [])}, "validation: found an array of shape .0, 5."),
        ({"validation": (np.zeros((3, 5)), np.zeros((3, 2)))}, "2"),
    ],
)
def test_wrong_fits(options, message):
    x, labels = table()
    options = {"X": x, "y": np.eye(3)[labels], **options}
    with pytest.raises(na.InputError, match=message):
        na.fit_rfm(**options)


def test_wrong_machines(tmp_path):
    x, labels = table()
    machine = machine_of(x, labels)
    with pytest.raises(na.InputError, match="X: found 4 columns, expected 5, the inputs of the machine"):
        machine(x[:, :4])
    with pytest.raises(na.InputError, match="X: found nan in row 1, column 0"):
        machine.jacobian([[0.0] * 5, [np.nan] * 5])
    with pytest.raises(na.InputError, match="X: found an array of shape .0, 5."):
        machine.agop(np.zeros((0, 5)))
    with pytest.raises(na.InputError, match="metric is 4x4|metric"):
        na.KernelMachine(x, np.eye(4), np.zeros((60, 1)))
    with pytest.raises(na.InputError, match="slopes of 0 at all its centres"):
        na.KernelMachine(x, np.eye(5), np.zeros((60, 1))).importances()
    with pytest.raises(na.InputError, match="directions: found 2 rows, expected 4, one fewer"):
        na.KernelMachine(x, np.eye(5), np.zeros((60, 1)), directions=np.eye(2, 9))
    with pytest.raises(na.InputError, match="nowhere.safetensors"):
        na.load_machine(str(tmp_path / "nowhere.safetensors"))
    na.Network.random([2, 2]).save(str(tmp_path / "net.safetensors"))
    with pytest.raises(na.InputError, match="net.safetensors: .*kernel"):
        na.load_machine(str(tmp_path / "net.safetensors"))


def test_progress_and_its_exceptions():
    x, labels = table()
    told = []
    machine_of(x, labels, updates=2, progress=lambda done, all: told.append((done, all)))
    assert told == [(1, 3), (2, 3), (3, 3)]

    def fails(*_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        machine_of(x, labels, progress=fails)


def test_ctrl_c_ends_a_fit_between_updates():
    assert_ends_by_ctrl_c("""
x = np.random.default_rng(0).normal(size=(400, 10))
na.fit_rfm(x, x[:, 0], updates=10**6, progress=lambda done, all: done == 1 and print("going", flush=True))
""")


def test_ctrl_c_ends_a_solution():
    assert_ends_by_ctrl_c("""
x = np.random.default_rng(0).normal(size=(9000, 10))
print("going", flush=True)
na.fit_rfm(x, np.sign(x[:, 0] * x[:, 1]), updates=0, regularisation=1e-9, memory=0.01, bandwidth=100, threads=1)
""")

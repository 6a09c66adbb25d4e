"""Training on arrays: the bits of the C++ program, the callback, the ways to end it, and what it refuses."""

import copy
import json
import os
import pickle
import subprocess
from pathlib import Path

import normalign as na
import numpy as np
import pytest

from conftest import assert_ends_by_ctrl_c

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("NORMALIGN_EXAMPLES", ROOT / "build" / "examples")).parent / "normalign"
needs_program = pytest.mark.skipif(not PROGRAM.exists(), reason="build/normalign is not built")


def samples(n=120, d=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)).astype(np.float32)
    return x, (x[:, 0] * x[:, 1] > 0).astype(np.int64)


def log_of(folder, arguments):
    subprocess.run(
        [PROGRAM, "train", "table", *arguments, "--standardise", "false", "--quiet", "--out", folder / "out"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    (log,) = (folder / "out").glob("*.json")
    return json.loads(log.read_text())["metrics"]


def assert_same(history, metrics):
    names = {"epoch": "epoch", "train_acc": "train_accuracy", "test_acc": "test_accuracy"}
    names.update({"train_loss": "train_loss", "test_loss": "test_loss"})
    others = {"opt_time", "train_rmse", "test_rmse", "train_cross_entropy", "test_cross_entropy"}
    for name in metrics[-1].keys() - others:
        ours = history[names.get(name, name.replace("step_", ""))]
        theirs = [row.get(name, np.nan) for row in metrics]
        np.testing.assert_array_equal(ours, theirs, err_msg=name)


OURS = dict(beta2=0.99, weight_decay=0.01)  # the protocol's


@needs_program
@pytest.mark.parametrize(
    "arguments, options",
    [
        ([], {}),
        (["--batch-size", "0", "--optimizer", "sgd", "--set", "momentum=0.9"],
         {"batch_size": None, "optimizer": na.SGD(learning_rate=1e-3, weight_decay=0.01, momentum=0.9)}),
        (["--condition", "grokalign", "--lambda", "0.02", "--penalty-share", "0.7", "--projections", "2"],
         {"penalty": na.GrokAlign(weight=0.02, share=0.7, projections=2)}),
        (["--condition", "grokalign", "--exact", "--no-offset", "--loss", "mse"],
         {"penalty": na.GrokAlign(weight=1e-3, norm="exact", offset=False), "loss": "mse"}),
        (["--condition", "grokfast+orthograd", "--set", "gradient_clip=0.1"],
         {"filters": [na.GrokFast(), na.OrthoGrad()], "gradient_clip": 0.1}),
        (["--seed", "3", "--set", "precision=float64"], {"seed": 3}),
    ],
)  # fmt: skip
def test_bits_of_the_program(tmp_path, arguments, options):
    x, y = samples()
    np.savez(tmp_path / "a.npz", X=x[:80], y=y[:80])
    np.savez(tmp_path / "b.npz", X=x[80:], y=y[80:])
    common = ["a.npz", "--test-file", "b.npz", "--label", "y", "--widths", "16,16", "--epochs", "6"]
    common += ["--eval-every", "2"]
    metrics = log_of(tmp_path, common + arguments)
    dtype = "float64" if "precision=float64" in arguments else "float32"
    net = na.Network.random([4, 16, 16, 2], seed=options.get("seed", 0), dtype=dtype)
    options = {"batch_size": 32, "optimizer": na.AdamW(**OURS), **options}
    for threads in (1, 3):
        found = na.train(
            net, x[:80], y[:80], X_test=x[80:], y_test=y[80:], epochs=6, evaluate_every=2, threads=threads, **options
        )
        assert_same(found.history, metrics)


@needs_program
def test_bits_of_the_program_in_regression(tmp_path):
    x, _ = samples()
    y = np.column_stack([x[:, 0] + x[:, 1] ** 2, np.sin(x[:, 2])])
    np.savez(tmp_path / "a.npz", X=x[:80], y=y[:80])
    np.savez(tmp_path / "b.npz", X=x[80:], y=y[80:])
    metrics = log_of(
        tmp_path,
        ["a.npz", "--test-file", "b.npz", "--target", "y[0]", "--target", "y[1]", "--widths", "16", "--epochs", "3"],
    )
    net = na.Network.random([4, 16, 2])
    found = na.train(
        net, x[:80], y[:80], X_test=x[80:], y_test=y[80:], epochs=3, batch_size=32, optimizer=na.AdamW(**OURS)
    )
    assert_same(found.history, metrics)


def test_a_step_is_the_gradients():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    w, b = rng.normal(size=(1, 3)), rng.normal(size=1)
    found = na.train(na.Network([w], [b]), x, y, epochs=1, optimizer=na.SGD(learning_rate=0.05))
    residual = x @ w[0] + b - y
    np.testing.assert_allclose(found.network.weights[0], w - 0.05 * 2 / 30 * (residual @ x), rtol=1e-12)
    np.testing.assert_allclose(found.network.biases[0], b - 0.05 * 2 * residual.mean(), rtol=1e-12)
    np.testing.assert_allclose(found.history["train_loss"][0], np.mean(residual**2), rtol=1e-12)
    r2 = 1 - np.sum(residual**2) / np.sum((y - y.mean()) ** 2)
    np.testing.assert_allclose(found.history["train_accuracy"][0], 100 * r2)


def test_binary_cross_entropy_of_one_output_is_of_classes():
    x, y = samples()
    net = na.Network.random([4, 8, 1], dtype="float64")
    f = net(x)[:, 0]
    found = na.train(net, x, y, epochs=1, loss="bce")
    assert found.history["train_loss"][0] == pytest.approx(np.mean(np.logaddexp(0, f) - y * f), rel=1e-12)
    assert found.history["train_accuracy"][0] == pytest.approx(100 * np.mean((f > 0) == y))
    numbers = na.train(net, x, y.astype(float), epochs=1, loss="bce")
    assert numbers.history["train_loss"][0] == found.history["train_loss"][0]


def test_the_start_does_not_change_and_layouts_do_not_matter():
    x, y = samples()
    net = na.Network.random([4, 8, 2])
    before = [w.copy() for w in net.weights]
    first = na.train(net, x, y, epochs=2, batch_size=16)
    for w, old in zip(net.weights, before):
        np.testing.assert_array_equal(w, old)
    assert not np.array_equal(first.network.weights[0], before[0])
    wide = np.zeros((120, 8), np.float32)
    wide[:, ::2] = x
    for same in (np.asfortranarray(x), wide[:, ::2], x.astype(np.float64), x.tolist()):
        again = na.train(net, same, y.astype(np.uint8), epochs=2, batch_size=16)
        np.testing.assert_array_equal(again.network.weights[0], first.network.weights[0])
    assert first.network.dtype == np.float32


def test_history_and_callback():
    x, y = samples()
    seen = []

    def see(state):
        seen.append(state)
        return state.epoch == 6

    net = na.Network.random([4, 8, 2])
    found = na.train(net, x, y, epochs=10, evaluate_every=3, penalty=na.GrokAlign(weight=1e-3), callback=see)
    assert list(found.history) == ["epoch", "train_loss", "train_accuracy", "jacobian_norm", "offset_norm", "seconds"]
    assert found.history["epoch"].tolist() == [0, 3, 6] == [state.epoch for state in seen]
    assert np.isnan(found.history["jacobian_norm"]).tolist() == [True, False, False]
    assert seen[1].train_loss == found.history["train_loss"][1] and seen[1].test_loss is None
    assert seen[1].terms["offset_norm"] == found.history["offset_norm"][1]
    np.testing.assert_array_equal(seen[0].network.weights[1], net.weights[1])
    np.testing.assert_array_equal(seen[-1].network.weights[1], found.network.weights[1])
    # Right where the network says so.
    at = seen[1]
    assert at.train_accuracy == pytest.approx(100 * np.mean(at.network.labels(x) == y))
    whole = na.train(net, x, y, epochs=10, evaluate_every=3)
    assert whole.history["epoch"].tolist() == [0, 3, 6, 9, 10]
    assert "9" in repr(na.train(net, x, y, epochs=8)) and "epoch=6" in repr(seen[-1])


def test_progress_and_exceptions_of_the_caller():
    x, y = samples()
    net = na.Network.random([4, 8, 2])
    told = []
    na.train(net, x, y, epochs=3, progress=lambda done, all: told.append((done, all)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]

    def fails(*_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        na.train(net, x, y, epochs=3, callback=fails)
    with pytest.raises(KeyError, match="mine"):
        na.train(net, x, y, epochs=3, progress=fails)


def test_a_loss_that_is_not_finite_names_its_epoch():
    x, y = samples()
    net = na.Network.random([4, 8, 2], dtype="float64")
    with pytest.raises(na.RunError, match=r"epoch [1-9]\d*: the training loss is (nan|inf); it must be finite"):
        na.train(net, 1e3 * x, y.astype(float)[:, None] + [0, 1], epochs=50, optimizer=na.SGD(learning_rate=10))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"X": np.zeros((120, 3))}, r"X: found an array of shape \(120, 3\), expected 4 columns"),
        ({"X": np.full((120, 4), np.nan)}, "X: found nan in row 0"),
        ({"y": np.zeros(119, int)}, "y: found 119 class numbers, expected one for each of 120 rows"),
        ({"y": np.full(120, 2)}, "y: found class 2 in row 0, expected classes from 0 to 1"),
        ({"y": np.zeros((120, 1))}, r"y: found an array of shape \(120, 1\), expected \(120, 2\)"),
        ({"y": np.full(120, 0.5)}, "y: found 0.5 in row 0, expected a class number"),
        ({"y": ["a"] * 120}, "y: found"),
        ({"epochs": 0}, "epochs: found 0"),
        ({"batch_size": 0}, "batch_size: found 0"),
        ({"evaluate_every": 0}, "evaluate_every: found 0"),
        ({"threads": 0}, "threads"),
        ({"loss": "hinge"}, "loss: found 'hinge', expected 'cross_entropy', 'mse' or 'bce'"),
        ({"optimizer": "adam"}, "optimizer: found 'adam', expected an AdamW or an SGD"),
        ({"penalty": 0.1}, "penalty: found 0.1, expected a GrokAlign or None"),
        ({"filters": [na.SGD()]}, r"filters: found SGD\(.*\), expected objects of GrokFast or OrthoGrad"),
        ({"gradient_clip": -1.0}, "gradient_clip is -1"),
        ({"callback": 3}, "callback: found 3, expected a function"),
        ({"X_test": np.zeros((3, 4))}, "y_test: found none, expected one, as there is X_test"),
        ({"X_test": np.zeros((3, 4)), "y_test": [0, 1, 7]}, "y_test: found class 7"),
    ],
)
def test_wrong_calls(options, message):
    x, y = samples()
    options = {"X": x, "y": y, "epochs": 1, **options}
    with pytest.raises(na.InputError, match=message):
        na.train(na.Network.random([4, 8, 2]), **options)


def test_wrong_options():
    with pytest.raises(na.InputError, match="class numbers for a network of one output"):
        na.train(na.Network.random([4, 8, 1]), *samples(), epochs=1)
    with pytest.raises(na.InputError, match="norm: found 'both', expected 'projection' or 'exact'"):
        na.GrokAlign(weight=1, norm="both")
    with pytest.raises(TypeError, match="weight"):
        na.GrokAlign()
    with pytest.raises(na.InputError, match="share"):
        na.GrokAlign(weight=1, share=0)
    with pytest.raises(na.InputError, match="a beta is 1"):
        na.AdamW(beta1=1)
    with pytest.raises(na.InputError, match="a setting is -1"):
        na.SGD(learning_rate=-1)
    with pytest.raises(na.InputError, match="alpha"):
        na.GrokFast(alpha=2)


@pytest.mark.parametrize(
    "options",
    [na.AdamW(epsilon=1e-25), na.SGD(momentum=0.9), na.GrokAlign(weight=0.1, level=3), na.GrokFast(), na.OrthoGrad()],
)
def test_options_are_values(options):
    for same in (pickle.loads(pickle.dumps(options)), copy.deepcopy(options), eval(repr(options), vars(na))):
        assert same == options and hash(same) == hash(options)
    assert options != 3 and na.SGD() != na.SGD(momentum=0.1)
    with pytest.raises(AttributeError):
        options.weight = 1


LONG = """
x = np.random.default_rng(0).normal(size=(2000, 100)).astype("f")
def see(state):
    state.epoch or print("going", flush=True)
    {inside}
na.train(na.Network.random([100, 300, 300, 2]), x, (x[:, 0] > 0).astype(int), epochs=10**6, evaluate_every={every},
         batch_size=32, callback=see)
"""


@pytest.mark.parametrize("every, inside", [(10**6, "pass"), (1, "pass"), (10**6, "import time; time.sleep(60)")])
def test_ctrl_c_ends_a_training(every, inside):
    assert_ends_by_ctrl_c(LONG.format(every=every, inside=inside))

"""The estimators: scikit-learn's own checks, use in its pipelines and searches, and without it."""

import copy
import os
import pickle
import subprocess
import sys
import unittest
from pathlib import Path

import normalign as na
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data" / "uci"


def blobs(n=120, d=4, classes=3, seed=0):
    """Classes around centres of their own, of which the first two columns tell."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    x = rng.normal(size=(n, d))
    angle = 2 * np.pi * labels / classes
    x[:, 0] += 3 * np.cos(angle)
    x[:, 1] += 3 * np.sin(angle)
    return x, labels


def small_mlp(kind=None, **options):
    options = {"hidden": (32,), "learning_rate": 1e-2, "max_iter": 30, "batch_size": None, **options}
    return (kind or na.MLPClassifier)(**options)


CLASSIFIERS = [na.RFMClassifier(), small_mlp()]
REGRESSORS = [na.RFMRegressor(), small_mlp(na.MLPRegressor)]


def name(estimator):
    return type(estimator).__name__


@pytest.mark.parametrize(
    "estimator",
    [
        na.RFMClassifier(),
        na.RFMRegressor(),
        na.RFMClassifier(initial="covariance", standardise=True, validation_fraction=0.3),
        na.RFMRegressor(initial=0.5, standardise=True, validation_fraction=0.3),
        small_mlp(penalty=na.GrokAlign(weight=1e-3)),
        small_mlp(na.MLPRegressor, filters=[na.GrokFast()]),
    ],
    ids=lambda estimator: name(estimator),
)
def test_the_checks_of_scikit_learn(estimator):
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    ran = 0
    for checked, check in checks.check_estimator(estimator, generate_only=True):
        try:
            check(checked)
            ran += 1
        except unittest.SkipTest as skipped:
            # The check hands over data frames, and there is no pandas to make them.
            assert "pandas is not installed" in str(skipped)
    assert ran >= 40
    for tags in ("_xfail_checks", "no_validation", "non_deterministic", "poor_score"):
        assert not checks._safe_tags(estimator, key=tags), tags


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=name)
def test_classes(estimator):
    x, labels = blobs()
    names = np.array(["red", "green", "blue"])[labels]
    model = copy.deepcopy(estimator).fit(x, names)
    assert model.classes_.tolist() == ["blue", "green", "red"] and model.n_features_in_ == 4
    assert model.score(x, names) > 0.95
    outputs = model.decision_function(x)
    assert outputs.shape == (120, 3)
    np.testing.assert_array_equal(model.predict(x), model.classes_[outputs.argmax(axis=1)])
    probabilities = model.predict_proba(x)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), outputs.argmax(axis=1))
    factor = 3 if isinstance(model, na.RFMClassifier) else 1
    odds = np.exp(factor * (outputs[:, 0] - outputs[:, 1]))
    np.testing.assert_allclose(probabilities[:, 0] / probabilities[:, 1], odds, rtol=1e-5)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(x), probabilities)


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=name)
def test_two_classes(estimator):
    x, labels = blobs(classes=2)
    model = copy.deepcopy(estimator).fit(x, labels == 1)
    assert model.predict(x).dtype == bool
    outputs = model.decision_function(x)
    assert outputs.shape == (120,)
    np.testing.assert_array_equal(outputs > 0, model.predict(x))
    # Near one half a probability is the output itself.
    if isinstance(model, na.RFMClassifier):
        np.testing.assert_allclose(model.predict_proba(x)[:, 1], 1 / (1 + np.exp(-2 * outputs)), rtol=1e-12)


@pytest.mark.parametrize("estimator", REGRESSORS, ids=name)
def test_regression_in_the_targets_units(estimator):
    x, _ = blobs()
    y = 1000 + 50 * x[:, 0]
    model = copy.deepcopy(estimator).fit(x, y)
    assert model.predict(x).shape == (120,) and model.score(x, y) > 0.9
    in_other_units = copy.deepcopy(estimator).fit(x, y / 1000)
    np.testing.assert_allclose(1000 * in_other_units.predict(x), model.predict(x), rtol=1e-5)
    both = copy.deepcopy(estimator).fit(x, np.column_stack([y, x[:, 1]]))
    assert both.predict(x).shape == (120, 2) and both.score(x, np.column_stack([y, x[:, 1]])) > 0.9


def test_a_machine_is_what_fit_rfm_fits():
    x, labels = blobs()
    model = na.RFMClassifier(regularisation=0.1, bandwidth=3, n_updates=2, initial="covariance").fit(x, labels)
    found = na.fit_rfm(x, np.eye(3)[labels], regularisation=0.1, bandwidth=3, updates=2, initial="covariance")
    np.testing.assert_array_equal(model.decision_function(x), found.machine(x))
    np.testing.assert_array_equal(model.metric_, found.machine.metric)
    assert model.n_updates_ == 2
    y = x[:, 0] ** 2
    regressor = na.RFMRegressor(regularisation=0.1).fit(x, y)
    scaled = na.fit_rfm(x, (y - y.mean()) / y.std(ddof=1), regularisation=0.1).machine
    np.testing.assert_allclose(regressor.predict(x), scaled(x)[:, 0] * y.std(ddof=1) + y.mean(), rtol=1e-12)


def test_a_network_is_what_train_trains():
    x, labels = blobs()
    penalty = na.GrokAlign(weight=1e-2)
    model = na.MLPClassifier(hidden=[16], max_iter=5, penalty=penalty, random_state=3, batch_size=20).fit(x, labels)
    found = na.train(
        na.Network.random([4, 16, 3], seed=3),
        x,
        labels,
        epochs=5,
        batch_size=20,
        optimizer=na.AdamW(weight_decay=0.01),
        penalty=penalty,
        seed=3,
    )
    np.testing.assert_array_equal(model.network_.weights[0], found.network.weights[0])
    np.testing.assert_array_equal(model.history_["jacobian_norm"], found.history["jacobian_norm"])
    assert model.n_iter_ == 5 and model.network_.dtype == np.float32
    sgd = na.MLPClassifier(hidden=16, max_iter=5, optimizer="sgd", momentum=0.9, dtype="float64").fit(x, labels)
    assert sgd.network_.dtype == np.float64 and sgd.network_.widths == [4, 16, 3]


def test_importances_and_standardised_features():
    x, labels = blobs()
    model = na.RFMClassifier(regularisation=0.1).fit(x, labels)
    assert model.feature_importances_.sum() == pytest.approx(1)
    assert set(np.argsort(model.feature_importances_)[-2:]) == {0, 1}
    slopes = model.machine_.jacobian(x)
    shares = (slopes**2).sum(axis=(0, 1))
    np.testing.assert_allclose(model.feature_importances_, shares / shares.sum(), rtol=1e-10)
    units = np.array([1e3, 1, 1e-3, 5])
    scaled = na.RFMClassifier(regularisation=0.1, standardise=True)
    here = scaled.fit(x, labels).decision_function(x)
    np.testing.assert_allclose(scaled.fit(x * units, labels).decision_function(x * units), here, atol=1e-9)
    # Slopes of 0 have no shares: the number of updates does not change that.
    assert na.RFMClassifier(n_updates=0).fit(x, labels).feature_importances_.shape == (4,)


def test_validation_chooses_the_number_of_updates():
    x, labels = blobs(n=200)
    labels = (x[:, 2] * x[:, 3] > 0).astype(int) + 2 * (labels == 0)
    model = na.RFMClassifier(regularisation=0.1, n_updates=5, validation_fraction=0.25).fit(x, labels)
    assert model.n_updates_ == np.argmax(model.validation_scores_) and len(model.validation_scores_) == 6
    again = na.RFMClassifier(regularisation=0.1, n_updates=model.n_updates_).fit(x, labels)
    np.testing.assert_array_equal(model.decision_function(x), again.decision_function(x))
    # A quarter of each class is held out.
    from normalign.estimators import _parted

    held, kept = _parted(200, 0.25, labels, 0)
    assert len(held) == 50 and sorted([*held, *kept]) == list(range(200))
    for count, part in zip(np.bincount(labels), np.bincount(labels[held])):
        assert abs(part - count / 4) < 1


def test_random_states():
    x, labels = blobs()
    fits = {
        kind: small_mlp(random_state=state).fit(x, labels).network_.weights[0]
        for kind, state in {"0": 0, "again": np.int64(0), "1": 1, "legacy": np.random.RandomState(0),
                            "generator": np.random.default_rng(0), "none": None, "other": None}.items()
    }  # fmt: skip
    np.testing.assert_array_equal(fits["0"], fits["again"])
    for kind in ("1", "legacy", "generator", "none"):
        assert not np.array_equal(fits["0"], fits[kind])
    assert not np.array_equal(fits["none"], fits["other"])


@pytest.mark.parametrize(
    "estimator, message",
    [
        (na.RFMClassifier(initial="random"), "initial: found 'random'"),
        (na.RFMClassifier(validation_fraction=1.0), "validation_fraction: found 1.0"),
        (na.RFMClassifier(random_state=-1), "random_state: found -1"),
        (na.RFMClassifier(kernel="cauchy"), "cauchy"),
        (na.RFMClassifier(threads=0), "threads"),
        (small_mlp(optimizer="adam"), "optimizer: found 'adam', expected 'adamw' or 'sgd'"),
        (small_mlp(momentum=0.9), "momentum: found 0.9 with 'adamw'"),
        (small_mlp(max_iter=0), "epochs: found 0"),
        (small_mlp(penalty=0.1), "penalty: found 0.1"),
        (small_mlp(activation="swoosh"), "swoosh"),
        (small_mlp(dtype="float16"), "dtype: found 'float16'"),
    ],
    ids=repr,
)
def test_wrong_parameters(estimator, message):
    with pytest.raises(na.InputError, match=message):
        estimator.fit(*blobs())


def test_pipelines_and_searches():
    selection = pytest.importorskip("sklearn.model_selection")
    from sklearn.base import clone
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.feature_selection import SelectFromModel
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, labels = blobs()
    pipeline = make_pipeline(StandardScaler(), na.RFMClassifier())
    assert selection.cross_val_score(pipeline, x, labels, cv=3).mean() > 0.85
    grid = {"rfmclassifier__bandwidth": [3, 10], "rfmclassifier__regularisation": [1e-3, 1.0]}
    search = selection.GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(x, labels)
    assert search.best_score_ > 0.85 and set(search.best_params_) == set(grid)
    penalties = [None, na.GrokAlign(weight=1e-3), na.GrokAlign(weight=1e-2)]
    search = selection.GridSearchCV(small_mlp(), {"penalty": penalties}, cv=3).fit(x, labels)
    assert search.best_estimator_.penalty == search.best_params_["penalty"]
    assert "GrokAlign(weight=0.01" in repr(clone(small_mlp(penalty=penalties[2])))
    selected = SelectFromModel(na.RFMClassifier(), max_features=2, threshold=-np.inf).fit(x, labels)
    assert selected.get_support().tolist() == [True, True, False, False]
    assert CalibratedClassifierCV(na.RFMClassifier(), cv=3).fit(x, labels).score(x, labels) > 0.9


WITHOUT = """
import sys
sys.modules["sklearn"] = None
import numpy as np, normalign as na, pickle

rng = np.random.default_rng(0)
x = rng.normal(size=(90, 3))
y = np.where(x[:, 0] > 0, "up", "down")

def message_of(call):
    try:
        call()
    except na.InputError as error:
        return str(error)

for model in (na.RFMClassifier(bandwidth=5), na.MLPClassifier(hidden=(16,), max_iter=40, learning_rate=0.01)):
    assert all(base.__module__.startswith(("normalign", "builtins")) for base in type(model).__mro__)
    assert message_of(lambda: model.predict(x)).endswith("Classifier: found no fit, expected fit to be called first")
    assert model.fit(x, y) is model and model.score(x, y) > 0.95
    assert pickle.loads(pickle.dumps(model)).predict(x.tolist()).tolist() == model.predict(x).tolist()
    assert model.predict_proba(x).shape == (90, 2) and model.decision_function(x).shape == (90,)
    assert message_of(lambda: model.predict(x[:, :2])) == "X: found 2 features, expected 3 as in fit"
    assert message_of(lambda: model.fit(x, rng.normal(size=90))).startswith("y: found numbers that are not whole")
    assert message_of(lambda: model.fit(x[0], y)).startswith("X: found an array of shape (3,)")
    assert message_of(lambda: model.fit(x, y[:5])).startswith("y: found an array of shape (5,)")
    assert message_of(lambda: model.fit(x * np.nan, y)).startswith("X: found nan in row 0")
    assert message_of(lambda: model.fit([["a"]], ["b"])).startswith("X: found could not convert")
    assert message_of(lambda: model.fit(x, ["a"] * 90)) == "y: found one class, 'a', expected two classes or more"
    assert message_of(lambda: model.set_params(depth=3)).startswith("parameter: found 'depth', expected one of")

model = na.RFMClassifier(bandwidth=5)
assert repr(model) == "RFMClassifier(bandwidth=5)" and model.get_params()["kernel"] == "laplace"
assert model.set_params(kernel="gaussian").kernel == "gaussian"

for model in (na.RFMRegressor(), na.MLPRegressor(hidden=(16,), max_iter=100, learning_rate=0.01)):
    targets = np.column_stack([x[:, 0], x[:, 1]])
    assert model.fit(x, targets).predict(x).shape == (90, 2) and model.score(x, targets) > 0.9
    assert model.fit(x, x[:, 0]).predict(x).shape == (90,) and model.score(x, x[:, 0]) > 0.9

class Frame:
    columns = ["a", "b", "c"]
    def __array__(self, dtype=None):
        return x

assert na.RFMRegressor().fit(Frame(), x[:, 0]).feature_names_in_.tolist() == ["a", "b", "c"]
print("all of it")
"""


def test_without_scikit_learn():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    assert done.stdout == "all of it\n", done.stderr


def test_the_module_does_not_load_scikit_learn_by_itself():
    code = "import sys, normalign; assert 'sklearn' not in sys.modules; print('RFMClassifier' in dir(normalign))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ})
    assert done.stdout == "True\n", done.stderr
    with pytest.raises(AttributeError, match="no attribute 'SVC'"):
        na.SVC


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data are not here")
def test_vehicles():
    selection = pytest.importorskip("sklearn.model_selection")
    table = np.loadtxt(SHARED / "statlog-vehicle" / "statlog-vehicle_R.dat", skiprows=1)
    x, y = table[:, 1:-1], table[:, -1].astype(int)
    folds = selection.StratifiedKFold(4, shuffle=True, random_state=0)
    rfm = selection.cross_val_score(na.RFMClassifier(regularisation=1e-2), x, y, cv=folds).mean()
    rfam = selection.cross_val_score(na.RFMClassifier(regularisation=1e-2, initial="covariance"), x, y, cv=folds).mean()
    assert 0.82 < rfm < 0.87 and 0.73 < rfam < 0.79


def test_a_fitted_estimator_is_not_changed_by_its_parameters():
    x = np.random.default_rng(0).normal(3, 5, size=(60, 3))
    y = x[:, 0] > 3
    for fitted_with in (True, False):
        machine = na.RFMClassifier(standardise=fitted_with, validation_fraction=0.3).fit(x, y)
        expected = machine.decision_function(x)
        machine.set_params(standardise=not fitted_with)
        np.testing.assert_array_equal(machine.decision_function(x), expected)
        assert len(machine.validation_scores_) == 5
        assert machine.set_params(validation_fraction=0).fit(x, y).validation_scores_ is None

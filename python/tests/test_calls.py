"""How the module's functions look from Python: signatures, messages of wrong calls, pickles."""

import inspect
import pickle

import numpy as np
import pytest

import normalign as na
from conftest import points, run_python

X = points(6, 4)


def test_functions_have_signatures():
    parameters = inspect.signature(na.certificates).parameters
    assert list(parameters)[:3] == ["net", "X", "norm"]
    assert parameters["norm"].kind is inspect.Parameter.KEYWORD_ONLY and parameters["norm"].default == "l2"
    assert parameters["seconds"].default == float("inf")
    assert "Network" in inspect.signature(na.attack).parameters["net"].annotation
    for name in na.__all__:
        value = getattr(na, name)
        if inspect.isroutine(value) and name not in ("grad", "jvp"):
            assert inspect.signature(value) is not None, name
            assert not value.__doc__.startswith(name + "("), name


WRONG = {
    "an unknown argument": (lambda net: na.attack(net, X, eps=0.1), "attack: found the argument eps, expected net, X, y"),
    "a misspelt one": (lambda net: na.attack(net, X, radus=0.1), "did you mean radius"),
    "a missing one": (lambda net: na.attack(net, X), "attack: missing a required argument: 'radius'"),
    "too many": (lambda net: na.train(net, X, [0] * 6, 10), "train: too many positional arguments, expected train.net, X"),
    "another type": (lambda net: na.certificates(net, X, norm=2), "found net: Network, X: ndarray, norm: int; expected"),
    "no network": (lambda net: na.local_geometry(3, X), "local_geometry: found net: int, X: ndarray; expected net: Network"),
    "of a constructor": (lambda net: na.GrokAlign(0.1), r"GrokAlign: too many positional arguments, expected GrokAlign.\*, weight"),
    "of a method": (lambda net: na.slice(net, X[:3]).plot(cmap=1), "Slice.plot: found the argument cmap"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_calls_are_told_in_one_line(net, wrong):
    call, said = WRONG[wrong]
    with pytest.raises(TypeError, match=said) as caught:
        call(net)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_functions_are_pickled_by_name():
    for name in ("certificates", "slice", "train", "local_geometry", "from_torch"):
        assert pickle.loads(pickle.dumps(getattr(na, name))) is getattr(na, name)


def arrays_of(value):
    return {
        name: getattr(value, name)
        for name in dir(type(value))
        if not name.startswith("_") and isinstance(getattr(value, name), np.ndarray)
    }


def test_results_are_pickled(net):
    y = np.arange(6) % 3
    results = [
        na.local_geometry(net, X, y), na.local_geometry(net, X), na.certificates(net, X),
        na.attack(net, X, radius=0.3), na.attack(net, X, radius=[0.1, 0.3]),
    ]  # fmt: skip
    for result in results:
        again, expected = arrays_of(pickle.loads(pickle.dumps(result))), arrays_of(result)
        assert len(expected) > 1 and again.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_array_equal(again[name], values, err_msg=name)
    trained = na.train(net, X, y, epochs=2)
    again = pickle.loads(pickle.dumps(trained))
    np.testing.assert_array_equal(again.network(X), trained.network(X))
    np.testing.assert_array_equal(again.history["train_loss"], trained.history["train_loss"])


def test_only_true_ends_a_training(net):
    y = np.arange(6) % 3
    for answer in (None, False, 1, 0.5, "x", np.float64(1)):
        assert na.train(net, X, y, epochs=3, callback=lambda state: answer).history["epoch"][-1] == 3
    for answer in (True, np.bool_(True)):
        assert na.train(net, X, y, epochs=3, callback=lambda state: answer).history["epoch"].tolist() == [0]


def test_limits_on_openmp_count():
    code = """
import os, numpy as np, normalign as na
x = np.random.default_rng(0).normal(size=(4000, 300))
net = na.Network.random([300, 300, 10], dtype="float64")
net(x), na.local_geometry(net, x[:200])
print(len(os.listdir("/proc/self/task")))
"""
    assert run_python(code, OMP_NUM_THREADS="1").strip() == "1"


def test_planes_print_themselves():
    assert repr(na.Plane([0, 0], [1, 0], [0, 0.5])) == "Plane(origin=[0, 0], u=[1, 0], v=[0, 0.5])"
    assert "..." in repr(na.Plane.along_axes(np.zeros(20), 0, 1))

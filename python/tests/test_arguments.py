"""What arrays the functions take and what they refuse, and that no call leaves memory behind."""

import gc
import os
import threading

import numpy as np
import pytest

import normalign as na
from conftest import points

X = points(6, 4)


def calls(net, planar):
    """Each function of an array of rows (n, 4), and one of rows (n, 2)."""
    return {
        "predict": lambda x: net(x),
        "labels": lambda x: net.labels(x),
        "jacobian": lambda x: net.jacobian(x),
        "local_geometry": lambda x: na.local_geometry(net, x).normal_alignment,
        "local_complexity": lambda x: na.local_complexity(net, x, directions=2),
        "certificates": lambda x: na.certificates(net, x, parts=20).lower,
        "attack": lambda x: na.attack(net, x, radius=0.1, steps=3).points,
    }


NAMES = list(calls(None, None))


# ---- arrays of every form -------------------------------------------------------------------------------------------


def unaligned(x):
    memory = np.empty(x.nbytes + 1, dtype=np.uint8)[1:].view(x.dtype).reshape(x.shape)
    memory[:] = x
    return memory


def read_only(x):
    copy = x.copy()
    copy.flags.writeable = False
    return copy


FORMS = {
    "Fortran order": np.asfortranarray,
    "every second row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "every second column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "transposed twice": lambda x: x.T.copy().T,
    "read-only": read_only,
    "unaligned": unaligned,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "a list": lambda x: x.tolist(),
    "broadcast": lambda x: np.broadcast_to(x, (1, *x.shape))[0],
    "a matrix": np.asmatrix,
    "memory-mapped": None,
}


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of numpy.matrix
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_an_array_does_not_matter(net, planar, tmp_path, name, form):
    call = calls(net, planar)[name]
    if form == "memory-mapped":
        np.save(tmp_path / "x.npy", X)
        other = np.load(tmp_path / "x.npy", mmap_mode="r")
    else:
        other = FORMS[form](X)
    np.testing.assert_array_equal(call(other), call(X))


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.bool_, np.float16, np.float32])
def test_other_dtypes_are_the_same_numbers(net, dtype):
    whole = np.round(X).astype(dtype)
    np.testing.assert_array_equal(net(whole), net(whole.astype(np.float64)))


# ---- wrong calls ----------------------------------------------------------------------------------------------------


class NoArray:
    pass


WRONG_ROWS = {
    "one dimension": (X[0], r"shape \(4,\)"),
    "three dimensions": (X[None], r"shape \(1, 6, 4\)"),
    "no dimension": (3.0, r"shape \(\)"),
    "no row": (X[:0], r"shape \(0, 4\)"),
    "too few columns": (X[:, :3], "6x3| 3 columns"),
    "too many columns": (np.hstack([X, X]), "6x8| 8 columns"),
    "no column": (X[:, :0], r"shape \(6, 0\)"),
    "nan": (np.where(np.arange(24).reshape(6, 4) == 13, np.nan, X), "found nan in row 3, column 1"),
    "infinite": (np.where(np.arange(24).reshape(6, 4) == 5, -np.inf, X), "found -inf in row 1, column 1"),
    "infinite in float32": (np.full((2, 4), np.inf, dtype=np.float32), "found inf in row 0"),
    "complex": (X.astype(complex), "complex128"),
    "text": (np.full((6, 4), "a"), "<U1"),
    "objects": (np.full((6, 4), None), "object"),
    "dates": (np.zeros((6, 4), dtype="datetime64[s]"), "datetime64"),
    "long double": (X.astype(np.longdouble), "float128"),
    "a record": (np.zeros(6, dtype=[("a", float), ("b", float)]), "'a'"),
    "a mask": (np.ma.masked_greater(X, 0), "mask"),
    "a large whole number": (np.full((2, 4), 2**60), "whole number"),
    "ragged": ([[1.0, 2.0], [3.0]], "found list, expected an array of numbers: setting an array"),
    "no array": (NoArray(), "object"),
    "a text": ("rows", "<U4"),
    "a dictionary": ({"x": 1}, "object"),
}


@pytest.mark.filterwarnings("ignore::numpy.VisibleDeprecationWarning")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", WRONG_ROWS)
def test_wrong_rows_are_refused(net, planar, name, wrong):
    rows, said = WRONG_ROWS[wrong]
    with pytest.raises(na.InputError, match=said) as caught:
        calls(net, planar)[name](rows)
    assert "\n" not in str(caught.value)


WRONG_CALLS = {
    "Network without layers": lambda net: na.Network([]),
    "Network of a number": lambda net: na.Network(3),
    "Network of a row": lambda net: na.Network([np.ones(3)]),
    "Network with nan": lambda net: na.Network([np.full((2, 2), np.nan)]),
    "Network that does not chain": lambda net: na.Network([np.ones((3, 2)), np.ones((1, 4))]),
    "Network of other biases": lambda net: na.Network([np.ones((3, 2))], [np.ones(2)]),
    "Network of too many biases": lambda net: na.Network([np.ones((3, 2))], [np.ones(3), np.ones(3)]),
    "Network of no activation": lambda net: na.Network([np.ones((3, 2))], activation="rely"),
    "Network with a slope": lambda net: na.Network([np.ones((3, 2))], slope=0.1),
    "Network with a negative slope": lambda net: na.Network([np.ones((3, 2))], activation="leaky_relu", slope=-1),
    "Network with two slopes": lambda net: na.Network([np.ones((3, 2))], activation="LeakyReLU(0.2)", slope=0.1),
    "Network of empty layers": lambda net: na.Network([np.ones((0, 2))]),
    "random of one width": lambda net: na.Network.random([3]),
    "random of width 0": lambda net: na.Network.random([3, 0, 2]),
    "random of a negative width": lambda net: na.Network.random([3, -4, 2]),
    "random of halves": lambda net: na.Network.random([3, 2.5, 2]),
    "random in float16": lambda net: na.Network.random([3, 2], dtype="float16"),
    "random in nothing": lambda net: na.Network.random([3, 2], dtype="numbers"),
    "random of no scale": lambda net: na.Network.random([3, 2], scale=float("nan")),
    "random of a negative seed": lambda net: na.Network.random([3, 2], seed=-1),
    "load of no file": lambda net: na.load("no such file.safetensors"),
    "load of a folder": lambda net: na.load("/tmp"),
    "load of another file": lambda net: na.load(__file__),
    "load of a number": lambda net: na.load(3),
    "save to nowhere": lambda net: net.save("/no such folder/net.safetensors"),
    "no thread": lambda net: net(X, threads=0),
    "negative threads": lambda net: na.local_geometry(net, X, threads=-2),
    "half a thread": lambda net: net(X, threads=0.5),
    "threads by position": lambda net: net(X, 2),
    "an unknown argument": lambda net: net(X, thread=2),
    "no rows at all": lambda net: net(),
    "None as rows": lambda net: net(None),
    "too few labels": lambda net: na.local_geometry(net, X, [0, 1]),
    "a label that is none": lambda net: na.local_geometry(net, X, [0, 1, 2, 3, 0, 0]),
    "a negative label": lambda net: na.local_geometry(net, X, [0, 1, 2, -1, 0, 0]),
    "half a label": lambda net: na.local_geometry(net, X, [0, 1, 2, 0.5, 0, 0]),
    "labels in a table": lambda net: na.local_geometry(net, X, np.zeros((6, 1))),
    "text labels": lambda net: na.local_geometry(net, X, list("abcabc")),
    "nan labels": lambda net: na.local_geometry(net, X, [np.nan] * 6),
    "geometry of no network": lambda net: na.local_geometry(3, X),
    "complexity of no direction": lambda net: na.local_complexity(net, X, directions=0),
    "complexity of too many directions": lambda net: na.local_complexity(net, X, directions=5),
    "complexity of no radius": lambda net: na.local_complexity(net, X, directions=2, radius=0),
    "complexity of tanh": lambda net: na.local_complexity(na.Network.random([4, 3, 2], activation="tanh"), X),
    "slice without a plane": lambda net: na.slice(net),
    "slice of tanh": lambda net: na.slice(na.Network.random([2, 3, 2], activation="tanh")),
    "slice by two points": lambda net: na.slice(net, X[:2]),
    "slice by points on a line": lambda net: na.slice(net, [[0] * 4, [1] * 4, [2] * 4]),
    "slice by points of another space": lambda net: na.slice(net, points(3, 5)),
    "slice by a number": lambda net: na.slice(net, 3),
    "slice of no width": lambda net: na.slice(net, X[:3], half_width=0),
    "slice of a negative width": lambda net: na.slice(net, X[:3], half_width=-1),
    "slice of infinite width": lambda net: na.slice(net, X[:3], half_width=float("inf")),
    "slice in a clockwise window": lambda net: na.slice(net, X[:3], window=[[0, 0], [0, 1], [1, 0]]),
    "slice in a window of space": lambda net: na.slice(net, X[:3], window=points(3, 3)),
    "slice in a window of two corners": lambda net: na.slice(net, X[:3], window=[[0, 0], [0, 1]]),
    "slice of too many regions": lambda net: na.slice(net, X[:3], max_regions=3),
    "slice with strange progress": lambda net: na.slice(net, X[:3], progress=3),
    "slice on no thread": lambda net: na.slice(net, X[:3], threads=0),
    "plane of different lengths": lambda net: na.Plane([0, 0], [1, 0, 0], [0, 1]),
    "plane of a matrix": lambda net: na.Plane(np.zeros((3, 2)), [1, 0], [0, 1]),
    "plane of nan": lambda net: na.Plane([0, np.nan], [1, 0], [0, 1]),
    "axes that are the same": lambda net: na.Plane.along_axes([0, 0, 0], 1, 1),
    "axes beyond": lambda net: na.Plane.along_axes([0, 0, 0], 1, 3),
    "points off the plane": lambda net: na.Plane([0, 0], [1, 0], [0, 1]).points(X),
    "projection from another space": lambda net: na.Plane([0, 0], [1, 0], [0, 1]).project(X),
    "polygon beyond": lambda net: na.slice(net, X[:3]).polygon(10**6),
    "maps beyond": lambda net: na.slice(net, X[:3]).input_maps([10**6]),
    "maps of halves": lambda net: na.slice(net, X[:3]).input_maps([0.5]),
    "maps of a very large number": lambda net: na.slice(net, X[:3]).input_maps(np.array([2**64 - 1], dtype=np.uint64)),
    "maps by a mask": lambda net: na.slice(net, X[:3]).input_maps([True, False]),
    "regions in no box": lambda net: na.regions(net, 0),
    "regions in a negative box": lambda net: na.regions(net, -1.0),
    "regions in nan": lambda net: na.regions(net, float("nan")),
    "regions of tanh": lambda net: na.regions(na.Network.random([2, 3, 2], activation="tanh")),
    "no regions": lambda net: na.regions(net, max_regions=0),
    "too many regions": lambda net: na.regions(net, max_regions=5),
    "regions of too many inputs": lambda net: na.regions(na.Network.random([40, 50, 2]), 1.0),
    "diagram of no layer": lambda net: na.power_diagram(net, 7),
    "diagram of four inputs": lambda net: na.power_diagram(net),
    "diagram in no box": lambda net: na.power_diagram(na.Network.random([2, 3, 2]), half_width=0),
    "diagram of too many cells": lambda net: na.power_diagram(na.Network.random([2, 9, 2]), max_cells=2),
    "certificates in l1": lambda net: na.certificates(net, X, norm="l1"),
    "certificates of negative parts": lambda net: na.certificates(net, X, parts=-1),
    "certificates of negative seconds": lambda net: na.certificates(net, X, seconds=-1),
    "certificates of tanh": lambda net: na.certificates(na.Network.random([4, 3, 2], activation="tanh"), X),
    "certificates near other points": lambda net: na.certificates(net, X, adversarial=X[:2]),
    "certificates near the points": lambda net: na.certificates(net, X, adversarial=X),
    "attack without a radius": lambda net: na.attack(net, X),
    "attack within a negative radius": lambda net: na.attack(net, X, radius=-1),
    "attack within nan": lambda net: na.attack(net, X, radius=float("nan")),
    "attack within a matrix": lambda net: na.attack(net, X, radius=[[0.1, 0.2], [0.3, 0.4]]),
    "attack within text": lambda net: na.attack(net, X, radius="far"),
    "attack of no kind": lambda net: na.attack(net, X, radius=1, kind="fgsm"),
    "attack in l7": lambda net: na.attack(net, X, radius=1, norm="l7"),
    "attack of negative steps": lambda net: na.attack(net, X, radius=1, steps=-1),
    "attack of no start": lambda net: na.attack(net, X, radius=1, restarts=0),
    "attack of no target": lambda net: na.attack(net, X, radius=1, targets=0),
    "attack out of range": lambda net: na.attack(net, X, radius=1, clamp=(0, 0.1)),
    "attack on an empty range": lambda net: na.attack(net, X, radius=1, clamp=(1, 0)),
    "attack on half a range": lambda net: na.attack(net, X, radius=1, clamp=(1,)),
    "from_torch of a number": lambda net: na.from_torch(3),
    "from_torch of no layer": lambda net: na.from_torch({}),
    "from_torch of an odd layer": lambda net: na.from_torch({"a.weight": np.ones((2, 2, 2))}),
    "a network that is changed": lambda net: setattr(net, "weights", []),
}


@pytest.mark.parametrize("wrong", WRONG_CALLS)
def test_wrong_calls_end_in_one_exception(net, wrong):
    expected = AttributeError if wrong == "a network that is changed" else (na.InputError, na.RunError, TypeError)
    with pytest.raises(expected) as caught:
        WRONG_CALLS[wrong](net)
    message = str(caught.value)
    assert message and "unordered_map" not in message
    if isinstance(caught.value, (na.InputError, na.RunError)):
        assert "\n" not in message


def test_errors_are_pythons(net):
    assert issubclass(na.InputError, ValueError) and issubclass(na.RunError, RuntimeError)
    assert na.InputError.__module__ == "normalign"


# ---- memory and threads ---------------------------------------------------------------------------------------------


def resident_mebibytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def test_calls_leave_no_memory_behind(net, planar):
    x, fortran = np.tile(X, (50, 1)), np.asfortranarray(np.tile(X, (50, 1)))
    wrong = np.full((300, 4), np.nan)
    found = na.slice(planar)

    def some_calls():
        net(x, threads=1), net(fortran, threads=1), net.jacobian(x[:9], threads=1)
        na.local_geometry(net, x[:5], threads=1).mean()
        net.weights, found.vertices, found.codes, found.input_maps([1, 2])
        na.Network.random([4, 5, 2])(x, threads=1)
        for call in (lambda: net(wrong), lambda: net(x, threads=0), lambda: net(x, thread=0)):
            try:
                call()
            except (na.InputError, TypeError):
                pass

    for _ in range(100):
        some_calls()
    gc.collect()
    before = resident_mebibytes()
    for _ in range(1000):  # of ten calls and more
        some_calls()
    gc.collect()
    # One array of x left behind by each would be 9 MiB.
    assert resident_mebibytes() - before < 3


def test_threads_may_call_at_once(net, planar):
    x = points(400, 4)
    expected = net(x), na.local_geometry(net, x[:30]).normal_alignment, na.slice(planar).maps
    fresh = na.Network(net.weights, net.biases)  # what is derived from it is made by whichever thread comes first
    failures = []

    def work():
        try:
            for _ in range(10):
                assert np.array_equal(fresh(x), expected[0])
                assert np.array_equal(na.local_geometry(fresh, x[:30]).normal_alignment, expected[1])
                assert np.array_equal(na.slice(planar).maps, expected[2])
                assert na.certificates(fresh, x[:1], parts=30).lower[0] > 0
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures

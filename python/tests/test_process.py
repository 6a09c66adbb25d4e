"""Forked processes, Ctrl-C, and progress."""

import pytest

import normalign as na
from conftest import assert_ends_by_ctrl_c, points, run_python

FORKED = """
import multiprocessing, numpy as np, normalign as na
net = na.Network.random([300, 400, 400, 5], seed=1)
x = np.random.default_rng(0).normal(size=(900, 300)).astype(np.float32)
def work(i):
    return net(x).tobytes(), na.local_geometry(net, x[:40], threads=2).normal_alignment.tobytes()
if __name__ == "__main__":
    here = work(0)  # on threads, which a forked process does not have
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(all(there == here for there in pool.map(work, range(6))))
    print(work(0) == here)
"""


def test_forked_processes_compute():
    assert run_python(FORKED, timeout=100).split() == ["True", "True"]


RANDOM = "x = np.random.default_rng(0).normal(size=({}, {}))"
MACHINE = "m = na.KernelMachine(x, np.eye(300), np.ones((6000, 20)))"
LONG = {
    "certificates": (
        "net = na.Network.random([30, 200, 200, 10], scale=2); " + RANDOM.format(8, 30),
        "na.certificates(net, x, parts=10**9)",
    ),
    "slice": ("net = na.Network.random([2, 900, 900, 2], scale=4)", "na.slice(net, half_width=9, max_regions=10**9)"),
    "regions": ("net = na.Network.random([4, 60, 60, 3], scale=3)", "na.regions(net, 5.0, max_regions=10**9)"),
    "count_regions": ("net = na.Network.random([4, 60, 60, 3], scale=3)", "na.count_regions(net, 5.0, max_regions=10**9)"),
    "power_diagram": ("net = na.Network.random([3, 400, 2], scale=3)", "na.power_diagram(net, max_cells=10**9)"),
    "attack": (
        "net = na.Network.random([100, 500, 500, 10]); " + RANDOM.format(2000, 100),
        "na.attack(net, x, radius=1e-9, steps=10**5)",
    ),
    "local_geometry": (
        "net = na.Network.random([900, 900, 900, 10]); " + RANDOM.format(20000, 900),
        "na.local_geometry(net, x, jacobians=False)",
    ),
    "local_complexity": (
        "net = na.Network.random([900, 900, 900, 10]); " + RANDOM.format(20000, 900),
        "na.local_complexity(net, x)",
    ),
    "agop": (RANDOM.format(6000, 300) + "; " + MACHINE, "[m.agop(x) for _ in range(100)]"),
    "jacobian of a machine": (RANDOM.format(6000, 300) + "; " + MACHINE, "[m.jacobian(x[:4000]) for _ in range(100)]"),
    "importances": (RANDOM.format(6000, 300) + "; " + MACHINE, "[m.importances() for _ in range(100)]"),
}


@pytest.mark.parametrize("name", LONG)
def test_ctrl_c_ends_a_long_call(name):
    before, long = LONG[name]
    assert_ends_by_ctrl_c(f"{before}\nprint('going', flush=True)\n{long}")


def test_ctrl_c_on_one_thread():
    before, long = LONG["certificates"]
    assert_ends_by_ctrl_c(f"{before}\nprint('going', flush=True)\n{long}", OMP_NUM_THREADS="1")


def test_calls_go_on_after_ctrl_c():
    before, long = LONG["certificates"]
    code = f"""
import os, signal, threading
import numpy as np
import normalign as na
{before}
threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    {long}
except KeyboardInterrupt:
    print(na.certificates(net, x[:1], parts=5).lower.shape)
"""
    assert run_python(code).strip() == "(1,)"


def test_a_handler_that_is_set_during_a_call_stays():
    code = """
import os, signal
import numpy as np
import normalign as na
ignore = lambda done, all: signal.signal(signal.SIGINT, signal.SIG_IGN)
na.train(na.Network.random([4, 5, 2]), np.ones((4, 4)), [0, 1, 0, 1], epochs=2, progress=ignore)
os.kill(os.getpid(), signal.SIGINT)
print("ignored")
"""
    assert run_python(code).strip() == "ignored"


@pytest.mark.parametrize("call", ["net(x, threads=1)", "na.certificates(net, x, parts=10**9)"])
def test_a_process_ends_while_a_daemon_thread_computes(call):
    run_python(f"""
import threading, time
import numpy as np
import normalign as na
net = na.Network.random([30, 200, 200, 10], scale=2, dtype="float64")
x = np.random.default_rng(0).normal(size=(3000, 30))
def work():
    while True:
        {call}
threading.Thread(target=work, daemon=True).start()
time.sleep(0.5)
""")


def test_training_leaves_reference_counts_alone():
    """Beside a thread that makes and drops references to None all the time."""
    run_python("""
import sys, threading
import numpy as np
import normalign as na
over = False
def spin():
    while not over:
        for _ in range(10000):
            a = [None] * 8
            del a
sys.setswitchinterval(1e-6)
thread = threading.Thread(target=spin)
thread.start()
net = na.Network.random([2, 2], seed=1)
before = sys.getrefcount(None)
for _ in range(3):
    na.train(net, np.ones((2, 2), dtype=np.float32), [0, 1], epochs=30000, threads=1)
over = True
thread.join()
assert abs(sys.getrefcount(None) - before) < 1000, sys.getrefcount(None) - before
""")


def test_a_handler_of_the_users_own_is_called(planar):
    code = """
import signal, os, threading, numpy as np, normalign as na
signal.signal(signal.SIGINT, lambda number, frame: print("mine", flush=True))
threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    na.certificates(na.Network.random([30, 200, 200, 10], scale=2), np.ones((1, 30)), parts=10**9)
except na.RunError as error:
    print(error)
"""
    first, second = run_python(code).strip().split("\n")
    assert first == "mine" and "stopped" in second


# ---- progress -------------------------------------------------------------------------------------------------------


def test_progress_is_told(net, planar):
    told = []
    na.certificates(net, points(5, 4), progress=lambda done, all: told.append((done, all)))
    assert sorted(told) == [(i, 5) for i in range(1, 6)]
    layers = []
    na.slice(planar, progress=lambda done, all: layers.append((done, all)))
    assert layers[-1] == (2, 2)
    counts = []
    found = na.regions(planar, progress=lambda regions, all: counts.append(regions))
    assert counts[-1] == len(found)
    na.certificates(net, points(2, 4), progress=True)
    na.certificates(net, points(2, 4), progress=False)


def test_an_exception_in_progress_comes_out(net):
    class Mine(Exception):
        pass

    def progress(done, all):
        raise Mine(done)

    with pytest.raises(Mine, match="1"):
        na.certificates(net, points(50, 4), progress=progress)
    assert na.certificates(net, points(1, 4)).exact.all()

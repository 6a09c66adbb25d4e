"""What the tests share."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import normalign as na

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"


def points(rows, columns, seed=0):
    """Normal random numbers (rows, columns)."""
    return np.random.default_rng(seed).normal(size=(rows, columns))


def run_python(code, timeout=120, **environment):
    """What a fresh interpreter prints that runs this code, with these environment variables besides."""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout, env={**os.environ, **environment}
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def assert_ends_by_ctrl_c(code, after=0.5, **environment):
    """The code prints "going" before it computes for minutes, and ends by KeyboardInterrupt soon after SIGINT."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import numpy as np\nimport normalign as na\n" + code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        assert process.stdout.readline() == "going\n", process.stderr.read()
        time.sleep(after)
        assert process.poll() is None, "it ended before it was interrupted"
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    # A fifth of a second where the machine is idle.
    assert time.monotonic() - start < 15
    assert "KeyboardInterrupt" in errors.splitlines()[-1], errors


@pytest.fixture
def program():
    """The command line, which is made of the same sources."""
    path = os.environ.get("NORMALIGN_PROGRAM", "")
    if not Path(path).is_file():
        pytest.skip("NORMALIGN_PROGRAM names no program")
    return path


@pytest.fixture
def net():
    """A small ReLU network of four inputs and three classes, in float64."""
    return na.Network.random([4, 16, 16, 3], scale=2, seed=1, dtype="float64")


@pytest.fixture
def planar():
    """The same of two inputs."""
    return na.Network.random([2, 24, 24, 3], scale=3, seed=2, dtype="float64")


@pytest.fixture(params=["float64", "float32"])
def tape(request):
    """A tape of either precision."""
    return na.Tape(request.param)


@pytest.fixture
def tanh_net():
    """A smooth network of four inputs and three outputs."""
    return na.Network.random([4, 8, 3], activation="tanh", seed=1, dtype="float64")

"""The module and the command line give the same bits, whatever BLAS NumPy has loaded."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

import normalign as na
from conftest import points, run_python


def run(program, folder, *arguments):
    result = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture
def inspected(program, tmp_path, net):
    """What the program says of a network at some points, with network and points."""
    x, y = points(40, 4), np.arange(40) % 3
    net.save(tmp_path / "net.safetensors")
    np.savez(tmp_path / "data.npz", x=x, y=y)
    run(
        program, tmp_path, "inspect", "net.safetensors", "--data", "data.npz", "--certificates", "5",
        "--attack", "0.2", "--threads", "1", "--npz", "out.npz",
    )  # fmt: skip
    return np.load(tmp_path / "out.npz"), net, x, y


@pytest.mark.parametrize("threads", [1, 2, None])
def test_local_geometry(inspected, threads):
    theirs, net, x, y = inspected
    ours = na.local_geometry(net, x, y, threads=threads)
    # The program's table has products of the layers' weights, and outputs of all rows at once; its measures are of J by
    # passes backward, as the module's.
    np.testing.assert_allclose(ours.jacobian, theirs["jacobian"], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ours.output, theirs["outputs"], rtol=1e-12, atol=1e-14)
    for name in ours.mean():
        np.testing.assert_array_equal(getattr(ours, name), theirs[name], err_msg=name)


@pytest.mark.parametrize("threads", [1, 2])
def test_certificates_and_attacks(inspected, threads):
    theirs, net, x, y = inspected
    ours = na.certificates(net, x[:5], threads=threads)
    np.testing.assert_array_equal(ours.lower, theirs["certificate_lower"][:5])
    np.testing.assert_array_equal(ours.upper, theirs["certificate_upper"][:5])
    np.testing.assert_array_equal(ours.adversarial, theirs["certificate_adversarial"][:5])
    np.testing.assert_array_equal(ours.parts, theirs["certificate_parts"][:5])
    attacked = na.attack(net, x, y, radius=0.2, norm="l2", threads=threads)
    np.testing.assert_array_equal(attacked.is_fooled, theirs["fooled_within"] <= 0.2)


def test_slices(program, tmp_path, planar):
    planar.save(tmp_path / "net.safetensors")
    run(program, tmp_path, "slice", "net.safetensors", "--window", "2", "--npz", "out.npz")
    theirs, ours = np.load(tmp_path / "out.npz"), na.slice(planar, half_width=2)
    jacobian, offset = ours.input_maps()
    np.testing.assert_array_equal(ours.outputs, theirs["vertices/outputs"])
    np.testing.assert_array_equal(jacobian, theirs["regions/input_slope"])
    np.testing.assert_array_equal(offset, theirs["regions/input_offset"])


def test_regions(program, tmp_path, planar):
    planar.save(tmp_path / "net.safetensors")
    run(program, tmp_path, "regions", "net.safetensors", "--box", "2", "--json", "out.json")
    theirs, ours = json.loads((tmp_path / "out.json").read_text())["regions"], na.regions(planar, 2.0)
    assert len(theirs) == len(ours)
    np.testing.assert_array_equal(ours.volume, [region["volume"] for region in theirs])
    np.testing.assert_array_equal(ours.inside, [region["inside"] for region in theirs])


# ---- beside another BLAS --------------------------------------------------------------------------------------------

# Products, a decomposition and solutions by LAPACK, large enough to be computed by several threads.
DIGEST = """
import hashlib, numpy as np
import normalign as na
np.linalg.svd(np.random.default_rng(1).normal(size=(300, 300)) @ np.ones((300, 300)))
net = na.Network.random([400, 300, 300, 10], seed=4)
x = np.random.default_rng(0).normal(size=(600, 400)).astype(np.float32)
found = na.local_geometry(net, x[:20])
parts = [net(x), net(x[:30].astype(np.float64)), found.jacobian, found.normal_alignment, found.effective_rank]
print(hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest())
with open("/proc/self/maps") as maps:
    print(sorted({line.split()[-1] for line in maps if "blas" in line and "normalign" not in line}))
"""


def other_libraries():
    """The folders of Debian's builds of BLAS that are installed."""
    return sorted(path.parent for path in Path("/usr/lib").glob("*/*/libblas.so.3"))


def test_numpys_blas_does_not_matter():
    folders = other_libraries()
    if len(folders) < 2:
        pytest.skip("fewer than two builds of BLAS are installed")
    digests, loaded = set(), set()
    for folder in folders:
        digest, libraries = run_python(DIGEST, LD_LIBRARY_PATH=str(folder)).splitlines()
        digests.add(digest)
        loaded.add(libraries)
    assert len(loaded) == len(folders)  # NumPy did take another one each time
    assert len(digests) == 1


def test_kernels_are_chosen_without_a_restart():
    """OpenBLAS chooses again inside of the process, with the bits of a process that began with those kernels."""
    chosen = "import normalign._core as core; core._choose_blas_kernels('Haswell'); print(core.blas_description())"
    description, digest, _ = run_python(chosen + DIGEST).splitlines()
    assert "Haswell" in description
    assert digest == run_python(DIGEST, OPENBLAS_CORETYPE="Haswell").splitlines()[0]
    assert digest != run_python(DIGEST, OPENBLAS_CORETYPE="Prescott").splitlines()[0]


def test_slow_kernels_are_the_users_choice_alone():
    describe = "import normalign as na; print(na.blas_description())"
    assert "Prescott" in run_python(describe, OPENBLAS_CORETYPE="Prescott")
    assert "Prescott" not in run_python(describe, OPENBLAS_CORETYPE="")


def test_the_number_of_threads_does_not_matter():
    digests = {run_python(DIGEST, OMP_NUM_THREADS=str(threads)).splitlines()[0] for threads in (1, 2, 3)}
    assert len(digests) == 1

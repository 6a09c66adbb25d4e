"""pip installs the module into a fresh environment, without a network."""

import os
import subprocess
import sys

import pytest

from conftest import ROOT


def run(*command, folder, **environment):
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=1200, env={**os.environ, **environment}
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_pip_installs_the_module(tmp_path):
    pytest.importorskip("ensurepip", reason="there is no python3-venv")
    pytest.importorskip("setuptools")
    build = os.environ.get("NORMALIGN_BUILD", "")
    if not build:
        pytest.skip("NORMALIGN_BUILD names no folder of make's, and a build of its own takes minutes")
    run(sys.executable, "-m", "venv", "--system-site-packages", tmp_path / "an env", folder=tmp_path)
    python = tmp_path / "an env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-build-isolation", "--no-deps", "--no-index", ROOT, folder=ROOT, NORMALIGN_BUILD=build)
    said = run(
        python, "-c", "import normalign as na; print(na.__file__, na.__version__, na.Network.random([2, 3, 2]))",
        folder=tmp_path, PYTHONPATH="",
    )  # fmt: skip
    assert str(tmp_path) in said and (ROOT / "VERSION").read_text().strip() in said and "widths=[2, 3, 2]" in said
    package = python.parents[1] / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages" / "normalign"
    assert (package / "_core" / "__init__.pyi").exists() and (package / "py.typed").exists()

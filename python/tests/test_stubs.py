"""The stubs are those of the module as it is, and type checkers accept the package."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import normalign as na
from conftest import ROOT

PACKAGE = Path(na.__file__).parent


def run(*command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "MYPY_CACHE_DIR": os.devnull})


def tool(name):
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"there is no {name}")
    return path


def test_committed_stubs_are_those_of_the_module(tmp_path):
    made = run(sys.executable, ROOT / "scripts" / "python-stubs", tmp_path / "stubs", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    for stub in ("__init__.pyi", "ops.pyi"):
        committed = (ROOT / "python" / "normalign" / "_core" / stub).read_text()
        assert (tmp_path / "stubs" / stub).read_text() == committed, f"run scripts/python-stubs: {stub}"
        ast.parse(committed)


def names_in(stub):
    """Functions, classes, and what is in classes. stubgen 1.0 takes a property's docstring for its type: no syntax."""
    found, inside = set(), ""
    for line in stub.splitlines():
        if name := re.match(r"(?:class|def) (\w+)", line):
            inside = name[1]
            found.add(inside)
        elif name := re.match(r"    def (\w+)", line):
            found.add(f"{inside}.{name[1]}")
    return {name for name in found if "._" not in name and not name.startswith("_")}


def test_stubgen_finds_no_other_name(tmp_path):
    made = run(tool("stubgen"), "-p", "normalign._core", "-o", tmp_path, folder=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    for stub in ("__init__.pyi", "ops.pyi"):
        found = names_in((tmp_path / "normalign" / "_core" / stub).read_text())
        committed = names_in((ROOT / "python" / "normalign" / "_core" / stub).read_text())
        assert len(found) > 20 and found <= committed


def test_type_checkers_accept_the_package():
    checked = run(tool("mypy"), "--config-file", ROOT / "pyproject.toml", PACKAGE, folder=ROOT)
    assert checked.returncode == 0, checked.stdout


# Of pybind11: its metaclass, constructors that refuse, and slots that no caller asks for.
OF_PYBIND11 = r"""
normalign\._core\.\w+
normalign\._core\.\w+\.(__init__|__array_ufunc__|__getstate__|__setstate__|_printed)
"""


def test_stubs_fit_what_is_there(tmp_path):
    (tmp_path / "allowed").write_text(OF_PYBIND11)
    checked = run(
        tool("stubtest"), "normalign._core", "--mypy-config-file", ROOT / "pyproject.toml", "--allowlist",
        tmp_path / "allowed", "--ignore-unused-allowlist", folder=PACKAGE.parent,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr

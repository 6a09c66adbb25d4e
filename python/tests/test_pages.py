"""What README and docs show of Python is in the files that they name, and every public name says what it is."""

import ast
import inspect
import re

import pytest

import normalign as na
from conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "docs" / "python.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_on_a_page_is_an_excerpt(page):
    shown = re.findall(r"<!-- (\S+) -->\n```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert shown and len(shown) == page.read_text().count("```python")
    for name, code in shown:
        assert code in (ROOT / name).read_text(), name


def test_the_page_names_what_there_is():
    """Every function and class in docs/python.md exists."""
    words = re.findall(r"\bna\.(\w+)", "".join(page.read_text() for page in PAGES))
    assert len(set(words)) > 10
    for word in words:
        assert hasattr(na, word), word


@pytest.mark.parametrize("name", na.__all__)
def test_every_name_has_a_docstring(name):
    value = getattr(na, name)
    if not callable(value):
        return
    words = (value.__doc__ or "").strip()
    assert len(words.split()) > 4, name
    if inspect.isclass(value):
        for member, inner in vars(value).items():
            if not member.startswith("_") and (callable(inner) or isinstance(inner, property)):
                # What an option is stands where it is given.
                says = (inner.__doc__ or "").strip() or f"{member}:" in re.sub(", ", ":\n", value.__init__.__doc__)
                assert says, f"{name}.{member}"


def test_the_notebook_tells_its_story(monkeypatch, capsys, tmp_path):
    """Its cells run as a script; the network groks, and sooner under GrokAlign."""
    import json

    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    cells = json.loads((ROOT / "examples" / "python" / "grokking.ipynb").read_text())["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    names = {}
    exec(compile(ast.parse(code), "grokking.ipynb", "exec"), names)
    plain, aligned = names["plain"], names["aligned"]
    assert plain["train"][2] == 100 and plain["test"][2] < 65 and plain["test"].max() > 95
    assert 0 < names["first"](aligned, 95) < names["first"](plain, 95) / 4
    assert plain["alignment"].max() > 2.5 * plain["alignment"][2:8].mean()
    assert capsys.readouterr().out.count("of 20") == 3


def test_the_rings(tmp_path):
    import subprocess
    import sys

    script = ROOT / "examples" / "python" / "rings.py"
    said = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True)
    if "matplotlib" in said.stderr:
        pytest.skip("there is no matplotlib")
    assert said.returncode == 0, said.stderr
    right, regions, certified = said.stdout.splitlines()
    assert right == "100.0% right" and certified.startswith("100 of 100 exact")
    assert 700 < int(regions.split()[0]) < 1000
    assert (tmp_path / "rings.png").stat().st_size > 20000

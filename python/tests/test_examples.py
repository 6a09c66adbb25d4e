"""Every script in examples/python prints what its comments promise, and what the C++ example of its name prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "examples" / "python").glob("[0-9]*.py"))
PROGRAMS = os.environ.get("NORMALIGN_EXAMPLES", "")


def lines_of(text):
    """The lines without what blanks end them."""
    return [line.rstrip() for line in text.splitlines()]


def printed(*command, folder):
    """The lines that a program prints."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder)
    assert result.returncode == 0, result.stderr
    return lines_of(result.stdout)


def promised(script):
    """The lines that end in "# prints LINE" or "// prints LINE"."""
    return lines_of("\n".join(re.findall(r"(?:#|//) prints (.*)", script.read_text())))


def test_scripts_are_numbered_and_short():
    assert [int(script.name[:2]) for script in SCRIPTS] == list(range(1, len(SCRIPTS) + 1))
    assert len(SCRIPTS) >= 7
    for script in SCRIPTS:
        assert len(script.read_text().splitlines()) < 60, script
        assert script.read_text().startswith('"""'), script


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_prints_what_it_promises(script, tmp_path):
    assert promised(script)
    assert printed(sys.executable, str(script), folder=tmp_path) == promised(script)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_promises_what_the_c_plus_plus_example_does(script):
    assert promised(script) == promised(ROOT / "examples" / f"{script.stem}.cpp")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_prints_what_the_c_plus_plus_example_prints(script, tmp_path):
    program = Path(PROGRAMS) / script.stem
    if not PROGRAMS or not program.is_file():
        pytest.skip("NORMALIGN_EXAMPLES names no folder of built examples")
    assert printed(sys.executable, str(script), folder=tmp_path) == printed(str(program), folder=tmp_path)


def test_the_slice_is_drawn_where_a_file_is_named(tmp_path):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "slice.svg"
    printed(sys.executable, str(ROOT / "examples" / "python" / "07_slice.py"), str(picture), folder=tmp_path)
    assert "</svg>" in picture.read_text()

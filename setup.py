"""Builds the extension module by make, in a folder of its own; everything else stands in pyproject.toml."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# Make's own build may be for another interpreter, and with other settings.
FOLDER = os.environ.get("NORMALIGN_BUILD", "build/pip")


for left in Path("build").glob("lib.*"):  # of an earlier installation: files that are gone would be installed again
    shutil.rmtree(left)


class MakeModule(build_ext):
    def build_extension(self, extension: Extension) -> None:
        settings = os.environ.get("NORMALIGN_MAKE", "").split()  # such as PORTABLE=1
        subprocess.check_call(["make", "python-module", f"BUILD={FOLDER}", f"PYTHON={sys.executable}", *settings])
        target = Path(self.get_ext_fullpath(extension.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(FOLDER, "python", "normalign", target.name), target)


setup(ext_modules=[Extension("normalign._core", sources=[])], cmdclass={"build_ext": MakeModule})

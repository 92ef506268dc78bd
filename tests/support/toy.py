"""A copy of the toy assignment, and the command line run as a subprocess."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.project import ROOT, TOY


@pytest.fixture
def toy(tmp_path) -> Path:
    """A copy of the toy: ``assignment`` and ``solutions`` side by side."""
    shutil.copytree(TOY, tmp_path / "toy", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "toy"


def autograder(*arguments, cwd: Path, **environment) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "autograder", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )

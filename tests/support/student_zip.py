"""student.zip, unpacked in an empty folder, and the commands of its README."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.authoring import release
from autograder.core.loading import load_assignment
from support.project import ROOT

ASSIGNMENT = load_assignment(ROOT / "assignment")


@pytest.fixture(scope="session")
def student_zip(settings, references, once):
    def build(folder: Path) -> None:
        release.build_release(ASSIGNMENT, settings["solutions"], references, folder)

    return once("release", build) / release.ARCHIVE


@pytest.fixture
def unpacked_zip(student_zip, tmp_path):
    zipfile.ZipFile(student_zip).extractall(tmp_path)
    return tmp_path / "student"


def commands_of(readme):
    """The README's blocks of commands; the lines of a block run in one shell."""
    return [block.strip() for block in re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)]


def run(command, folder):
    """Run a command as a student types it: no PYTHONPATH, only this Python's tools and the system's."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {
        "PATH": path,
        "HOME": str(folder.parent),
        "LANG": "C.UTF-8",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    return subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, env=environment, timeout=3600)

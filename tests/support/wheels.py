"""A wheel of the engine, and environments in which it is installed."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from autograder.core.paths import PACKAGE
from support.project import EXAMPLE, ROOT

MADE = shutil.ignore_patterns("__pycache__", "build", "student", ".seed")  # what commands leave in an assignment
UNREACHABLE = "Failed to establish a new connection", "Temporary failure in name resolution"


@pytest.fixture(scope="session")
def wheel(once) -> Path:
    return next(once("wheel", build_wheel).glob("*.whl"))


def build_wheel(target: Path) -> None:
    source = target / "source"
    shutil.copytree(PACKAGE, source / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", target, source], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def environment(folder: Path, wheel: Path, *more: str) -> Path:
    """A new virtual environment with the wheel in it; returns its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    done = subprocess.run(
        # Python compiles what is imported; to compile all that is installed takes longer than to install it.
        [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-compile", *more, wheel],
        capture_output=True,
        text=True,
    )
    if done.returncode and any(sign in done.stderr for sign in UNREACHABLE):
        pytest.skip("NOT TRIED: no package index answers, so nothing can be installed here")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


@pytest.fixture(scope="session")
def installed(wheel, once) -> Path:
    """The wheel installed, with this environment's libraries on its path."""

    def install(folder: Path) -> None:
        environment(folder, wheel, "--no-deps")
        site = next((folder / "lib").glob("python*/site-packages"))
        (site / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
        (folder / "share").mkdir()
        (folder / "share" / "jupyter").symlink_to(Path(sysconfig.get_paths()["data"]) / "share" / "jupyter")

    return once("installed", install) / "bin"


@pytest.fixture(scope="session")
def example(installed, once, tmp_path_factory) -> Path:
    """A copy, for each process, of a folder that holds only the example, whose archive the installed engine has packed."""

    def pack(folder: Path) -> None:
        shutil.copytree(EXAMPLE, folder, ignore=MADE)
        done = run(installed, folder, "pack", "--strict")
        assert done.returncode == 0, done.stderr

    return shutil.copytree(once("packed", pack), tmp_path_factory.mktemp("example"), dirs_exist_ok=True)


@pytest.fixture(scope="session")
def example_archive(example) -> Path:
    return example / "build" / "autograder-101.zip"


def run(programs: Path, folder: Path, *arguments, program: str = "autograder", **environment) -> subprocess.CompletedProcess:
    """Run a command, the engine's or another ``program``, in this folder, with nothing of this checkout within reach."""
    keep = {name: os.environ[name] for name in ("AUTOGRADER_SEED", "HOME", "LANG") if name in os.environ}
    search = f"{programs}:/usr/bin:/bin"
    return subprocess.run(
        [shutil.which(program, path=search) or program, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PATH": search, **keep, **environment},
    )


def works(programs: Path, archive: Path, empty: Path) -> None:
    """Run --help, doctor, grade and batch from an empty folder."""
    helped = run(programs, empty, "--help")
    assert helped.returncode == 0 and "grade" in helped.stdout, helped.stderr
    checked = run(programs, empty, "doctor")
    assert "read a hidden file" in checked.stdout and checked.returncode == 0, checked.stdout + checked.stderr
    (empty / "class" / "ada").mkdir(parents=True)
    shutil.copy(EXAMPLE / "solutions" / "ngram.ipynb", empty / "class" / "ada")
    graded = run(programs, empty, "grade", "class/ada", "--archive", archive)
    assert graded.returncode == 0 and "total 16 of 16" in graded.stdout, graded.stderr
    assert json.loads((empty / "build" / "results.json").read_text())["score"] == 16
    batch = run(programs, empty, "batch", "class", "--archive", archive)
    assert batch.returncode == 0 and (empty / "build" / "class" / "gradebook.csv").exists(), batch.stderr
    assert sorted(p.name for p in empty.iterdir()) == ["build", "class"]

"""The engine as it is installed: a wheel, in an environment of its own, worked with from an empty folder."""

import email
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from autograder.core.digests import package_files
from autograder.core.paths import PACKAGE
from support.project import ROOT, TOY


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    shutil.copytree(PACKAGE, source / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", target, source], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return next(target.glob("*.whl"))


def environment(folder: Path, wheel: Path, *more: str) -> Path:
    """A new virtual environment with the wheel in it; returns its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "-q", *more, wheel], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / "bin"


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The wheel, with the libraries of this environment beside it."""
    programs = environment(tmp_path_factory.mktemp("installed") / "venv", wheel, "--no-deps")
    site = next((programs.parent / "lib").glob("python*/site-packages"))
    (site / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return programs


@pytest.fixture(scope="module")
def archive(installed, tmp_path_factory) -> Path:
    """The toy's archive, packed by the installed engine from a folder of the toy alone."""
    folder = tmp_path_factory.mktemp("toy")
    shutil.copytree(TOY, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    done = run(installed, folder, "pack")
    assert done.returncode == 0, done.stderr
    return folder / "build" / "autograder-101.zip"


def run(programs: Path, folder: Path, *arguments) -> subprocess.CompletedProcess:
    """The command as somebody types it in this folder, with nothing of this checkout in reach."""
    keep = {name: os.environ[name] for name in ("AUTOGRADER_SEED", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [programs / "autograder", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PATH": f"{programs}:/usr/bin:/bin", **keep},
    )


def works(programs: Path, archive: Path, empty: Path) -> None:
    """--help, doctor, grade and batch, from an empty folder."""
    helped = run(programs, empty, "--help")
    assert helped.returncode == 0 and "grade" in helped.stdout, helped.stderr
    checked = run(programs, empty, "doctor")
    assert "read a hidden file" in checked.stdout and checked.returncode == 0, checked.stdout + checked.stderr
    (empty / "class" / "ada").mkdir(parents=True)
    shutil.copy(TOY / "solutions" / "T1.py", empty / "class" / "ada")
    graded = run(programs, empty, "grade", "class/ada", "--archive", archive)
    assert graded.returncode == 0 and "total 5 of 5" in graded.stdout, graded.stderr
    assert json.loads((empty / "build" / "results.json").read_text())["score"] == 5
    batch = run(programs, empty, "batch", "class", "--archive", archive)
    assert batch.returncode == 0 and (empty / "build" / "class" / "gradebook.csv").exists(), batch.stderr
    assert sorted(p.name for p in empty.iterdir()) == ["build", "class"]


def test_the_installed_engine_works_from_an_empty_folder(installed, archive, tmp_path):
    works(installed, archive, tmp_path)


@pytest.mark.slow
def test_the_wheel_brings_all_it_needs_into_an_empty_environment(wheel, archive, tmp_path):
    programs = environment(tmp_path / "venv", wheel, "-c", str(ROOT / "constraints.txt"))
    (tmp_path / "empty").mkdir()
    works(programs, archive, tmp_path / "empty")
    listed = subprocess.run(
        [programs / "python", "-c", "import importlib.util as u; print(u.find_spec('torch'))"], capture_output=True, text=True
    )
    assert listed.stdout.strip() == "None", "the engine itself needs no torch"


def test_the_wheel_holds_the_engine_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    everything = package_files(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    assert names == {*everything, "autograder/__init__.py", "autograder/__main__.py"}


def test_the_wheel_says_what_it_is(wheel):
    archive = zipfile.ZipFile(wheel)
    metadata = email.message_from_bytes(archive.read(next(n for n in archive.namelist() if n.endswith("METADATA"))))
    assert metadata["Summary"] and metadata["License-Expression"] == "BSD-3-Clause" and metadata["Requires-Python"] == ">=3.10"
    assert metadata["Description-Content-Type"] == "text/markdown" and len(metadata.get_payload()) > 1000
    assert metadata.get_all("Project-URL") and len(metadata.get_all("Classifier")) > 5
    assert {"similarity", "cluster"} <= set(metadata.get_all("Provides-Extra"))
    needs = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert not any(line.startswith(("torch", "transformers", "scikit")) for line in needs)
    entry = archive.read(next(n for n in archive.namelist() if n.endswith("entry_points.txt"))).decode()
    assert "autograder = autograder.cli:main" in entry


def test_an_archive_is_the_same_bytes_whoever_packs_it(archive, tmp_path):
    shutil.copytree(TOY, tmp_path / "toy", ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "pack"],
        cwd=tmp_path / "toy",
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    ours, theirs = (zipfile.ZipFile(path) for path in (tmp_path / "toy" / "build" / "autograder-101.zip", archive))
    assert {n: ours.read(n) for n in ours.namelist()} == {n: theirs.read(n) for n in theirs.namelist()}

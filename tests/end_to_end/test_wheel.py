"""The installed engine: a wheel in a fresh environment, used from an empty folder."""

import email
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from autograder.core.digests import package_files
from autograder.core.paths import PACKAGE
from support.project import EXAMPLE, ROOT
from support.wheels import MADE, works

pytestmark = pytest.mark.slow


def test_the_installed_engine_works_from_an_empty_folder(installed, example_archive, tmp_path):
    works(installed, example_archive, tmp_path)


def test_the_wheel_holds_the_engine_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    everything = package_files(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    assert names == {*everything, "autograder/__init__.py", "autograder/__main__.py"}


def test_the_wheels_metadata_is_complete(wheel):
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


def test_an_archive_is_the_same_bytes_whether_the_wheel_or_the_checkout_packs_it(example_archive, tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "ours", ignore=MADE)
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "pack"],
        cwd=tmp_path / "ours",
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    ours, theirs = (zipfile.ZipFile(path) for path in (tmp_path / "ours" / "build" / "autograder-101.zip", example_archive))
    assert {n: ours.read(n) for n in ours.namelist()} == {n: theirs.read(n) for n in theirs.namelist()}

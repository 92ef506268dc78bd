"""The images that these tests share, and fixtures that grade in them."""

import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from autograder.core.errors import GraderError
from autograder.gradescope import image
from container.engines import CLONED, NAME, SEED, Image, build_clone, clone, daemon, prepared, print_figures, record
from container.layers import Secrets, secrets_of
from support.archives import build_archive
from support.project import ROOT, SCHEMA

# Run inside: grade, then print the container's peak memory, from control groups version 2 or 1.
PEAK = (
    "sh",
    "-c",
    (
        "/autograder/run_autograder; s=$?; for f in memory.peak memory/memory.max_usage_in_bytes; do "
        "[ -r /sys/fs/cgroup/$f ] && echo peak $(cat /sys/fs/cgroup/$f); done; exit $s"
    ),
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory, references, grader) -> Path:
    """An archive with the tests' references."""
    return build_archive(grader.assignment, references, "517", tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def built(tmp_path_factory, archive) -> Iterator[Image]:
    """The image from the archive."""
    try:
        engine = image.engine(("docker", "podman"))
    except GraderError as error:
        pytest.skip(f"NOT TRIED: {error}")
    made = prepared(NAME, engine, tmp_path_factory.mktemp("image"), {}, os.environ.get("ENGINE_BUILD", ""))
    with made.reached():
        made.seconds = image.build_image(archive, ROOT / "Dockerfile", NAME, made.base, os.environ.get("TORCH_INDEX"))
        print_figures(made)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def docker() -> Iterator[str | None]:
    with daemon() as flags:
        yield flags


@pytest.fixture(scope="module")
def cloned(tmp_path_factory, docker) -> Iterator[Image]:
    """The image that `docker build .` makes from a clone: baked and audited in a separate stage."""
    environment = {} if docker is None else {"ENGINE": "docker", "ENGINE_RUN": ""}
    flags = os.environ.get("ENGINE_BUILD", "") if docker is None else docker
    try:
        with Image("", "", environment).reached() as engine:
            made = prepared(CLONED, engine, tmp_path_factory.mktemp("image"), environment, flags)
    except GraderError as error:
        pytest.skip(f"NOT TRIED: {error}")
    made.context = clone(tmp_path_factory.mktemp("clone"))
    made.seconds = build_clone(made)
    with made.reached():
        print_figures(made)
    yield made
    made.remove()


@pytest.fixture
def graded_in(tmp_path):
    """``graded_in(made, name, files)`` -> (results.json, items without full points, Run); the format is checked."""

    def run(made: Image, name: str, files: dict | Path, flags: tuple[str, ...] = ()):
        folder = files if isinstance(files, Path) else tmp_path / "handed in"
        if isinstance(files, dict):
            folder.mkdir()
            for file, text in files.items():
                (folder / file).write_text(text)
        with image.container(folder) as (handed_in, results), made.reached():
            done = image.run_image(made.name, handed_in, results, flags, PEAK)
            assert done.results.exists(), done.stdout[-2000:]
            tree = json.loads(done.results.read_text())
        jsonschema.validate(tree, SCHEMA)
        peak = max(map(int, re.findall(r"^peak (\d+)$", done.stdout, re.MULTILINE)), default=0)
        record(name, seconds=done.seconds, peak_mib=peak / 2**20)
        print(
            f"\n{name}: score {tree['score']:g}, {done.seconds:.1f} s with the container's start, "
            f"graded in {tree['execution_time']:.1f} s, peak {peak >> 20} MiB"
        )
        assert done.exit == 0, done.stdout[-2000:]
        assert all(test["score"] in (0, test["max_score"]) for test in tree["tests"])
        return tree, {test["number"] for test in tree["tests"] if test["score"] < test["max_score"]}, done

    return run


@pytest.fixture
def graded(built, graded_in):
    """``graded_in`` with the image from the archive."""
    return lambda *arguments: graded_in(built, *arguments)


@pytest.fixture
def solutions(tmp_path) -> Path:
    from autograder.authoring.masters import export_scripts
    from autograder.core.loading import load_assignment

    export_scripts(load_assignment(ROOT / "assignment"), ROOT / "solutions", tmp_path / "solutions")
    return tmp_path / "solutions"


@pytest.fixture
def starter(tmp_path) -> Path:
    (tmp_path / "starter").mkdir()
    for notebook in (ROOT / "student").glob("*.ipynb"):
        shutil.copy(notebook, tmp_path / "starter")
    return tmp_path / "starter"


@pytest.fixture(scope="module")
def sought(grader, archive) -> tuple[Secrets, set[str]]:
    """(what no layer may hold, the names of the archive's members)."""
    with zipfile.ZipFile(archive) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    return secrets_of(grader.assignment, ROOT / "solutions", SEED, members.values()), set(members)

"""A class of the toy assignment: its workers import no torch, so many submissions are graded in seconds."""

import contextlib
import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from autograder.authoring.baking.freshness import fresh_references
from autograder.batch.grade_class import Batch, run_batch
from autograder.core.loading import load_assignment
from autograder.sandbox.process import adopt_orphans
from support.project import ROOT, TOY

RIGHT = (TOY / "solutions" / "T1.py").read_text()
WRONG = RIGHT.replace("a + b", "a - b")


@dataclass
class Course:
    """A copy of the toy assignment that a test may change, its references, and a folder for a class."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "toy"

    def hand_in(self, name: str, source: str | bytes | None, where: str = "class") -> Path:
        path = self.root / where / name
        path.mkdir(parents=True, exist_ok=True)
        if source is not None:
            (path / "T1.py").write_bytes(source if isinstance(source, bytes) else source.encode())
        return path

    def metadata(self, text: str) -> None:
        (self.root / "class" / "submission_metadata.yml").write_text(text)

    def run(self, source: str = "class", progress=lambda *_: None, output: str = "out", say=lambda _: None, **options):
        assignment = load_assignment(self.folder, call_seconds=3.0, statement_seconds=3.0)
        references = fresh_references(self.folder, self.folder / "solutions", self.root / "build")
        batch = Batch(
            assignment, references, self.root / source, self.root / output, assignment.courses[-1], **{"jobs": 2, **options}
        )
        return run_batch(batch, progress, say=say)

    def rows(self, name: str = "gradebook.csv") -> list[dict]:
        with open(self.root / "out" / name, newline="") as file:
            return list(csv.DictReader(file))

    def row(self, **wanted: str) -> dict:
        return next(row for row in self.rows() if all(row[key.replace("_", " ")] == value for key, value in wanted.items()))

    def bytes(self) -> dict[str, bytes]:
        """The contents of every output file."""
        out = self.root / "out"
        return {
            str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file() and "sqlite" not in p.name
        }


@pytest.fixture(scope="session")
def baked(tmp_path_factory):
    """The toy, baked once; each test copies it."""
    root = tmp_path_factory.mktemp("baked")
    shutil.copytree(TOY / "assignment", root / "toy")
    shutil.copytree(TOY / "solutions", root / "toy" / "solutions")
    rubric = root / "toy" / "rubric.toml"
    text = rubric.read_text().replace('["101"]', '["101", "102"]').replace("101 = [5, 0]", "101 = [5, 0]\n102 = [7, 0]")
    rubric.write_text(text.replace("points = 2", "points = { 101 = 2, 102 = 4 }"))
    fresh_references(root / "toy", root / "toy" / "solutions", root / "build")
    return root


@pytest.fixture
def course(baked, tmp_path):
    shutil.copytree(baked, tmp_path, dirs_exist_ok=True)
    return Course(tmp_path)


def command(course: Course, *more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "autograder",
        "--assignment",
        str(course.folder),
        "--solutions",
        str(course.folder / "solutions"),
        "--build",
        str(course.root / "build"),
        "batch",
        str(course.root / "class"),
        "--output",
        str(course.root / "out"),
        *more,
    ]


def kill_at_random(course: Course, times: int, seed: int) -> None:
    """Kill the process group of a run at random moments, three times in a row on one store, then let it finish."""
    for index in range(24):
        course.hand_in(f"submission_{index}", [RIGHT, WRONG][index % 2] + f"\n# {index}")
    started = time.monotonic()
    subprocess.run(command(course, "--quiet"), cwd=ROOT, check=True, capture_output=True)
    whole, wanted, rng = time.monotonic() - started, course.bytes(), random.Random(seed)
    adopt_orphans()
    before = set(psutil.Process().children(recursive=True))
    for number in range(times):
        if number % 3 == 0:
            shutil.rmtree(course.root / "out", ignore_errors=True)
        process = subprocess.Popen(
            command(course, "--quiet"), cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0.05, 1.1) * whole)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(set(psutil.Process().children(recursive=True)) - before, timeout=600)
        assert not alive, f"left behind: {[p.cmdline() for p in alive]}"
        if number % 3 == 2 or number == times - 1:
            done = subprocess.run(command(course, "--quiet"), cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            assert course.bytes() == wanted

"""One warm grader for all tests: it takes a dict of file names and contents, and returns what Gradescope gets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from filelock import FileLock

from autograder.authoring.baking.freshness import fresh_references
from autograder.core.loading import load_assignment
from autograder.core.references import read_references
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.judging.output import plain_output
from autograder.judging.results import ResultsFile
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from support.project import DATA, ROOT

ASSIGNMENT = ROOT / "assignment"


@dataclass
class Graded:
    """results.json as a tree, with shortcuts for assertions."""

    tree: dict

    @property
    def scores(self) -> dict[str, float]:
        return {test["number"]: test["score"] for test in self.tree["tests"]}

    @property
    def lost(self) -> set[str]:
        """Ids of all items without full points."""
        return {t["number"] for t in self.tree["tests"] if t["score"] < t["max_score"]}

    @property
    def earned(self) -> set[str]:
        return {t["number"] for t in self.tree["tests"] if t["score"]}

    def output(self, id: str) -> str:
        """What is shown, as plain text."""
        return next(plain_output(t) for t in self.tree["tests"] if t["number"] == id)

    def verdict(self, id: str) -> str:
        return next(t["extra_data"]["verdict"] for t in self.tree["tests"] if t["number"] == id)


@pytest.fixture(scope="session")
def settings() -> dict:
    """Where references are baked for the tests, from their own seed: they are kept, and every run of tests shares them."""
    return {"folder": ASSIGNMENT, "solutions": ROOT / "solutions", "build": ROOT / "build" / "tests"}


@pytest.fixture(scope="session")
def references(settings) -> Path:
    settings["build"].mkdir(parents=True, exist_ok=True)
    with FileLock(settings["build"] / "lock"):
        return fresh_references(**settings)


@pytest.fixture(scope="session")
def grader(references):
    assignment = load_assignment(ASSIGNMENT, statement_seconds=600.0, call_seconds=600.0, total_seconds=3600.0)
    with ZygoteClient(assignment.preload) as zygote:
        yield Grader(assignment, read_references(references), zygote)


@pytest.fixture
def only_judging(grader):
    """Scores alone, for tests of hundreds of submissions."""
    with grader.only_judging():
        yield


@pytest.fixture
def submit(grader, tmp_path):
    """``submit({"A2S1.py": text, …})`` or ``submit(path)`` -> Graded.

    ``seconds``: the limit of each statement and call, for submissions that hang; nothing else should come near a limit.
    """

    def run(files: dict | Path, course: str = "517", seconds: float | None = None) -> Graded:
        judge = grader
        if seconds:
            limits = replace(grader.assignment.limits, statement_seconds=seconds, call_seconds=seconds, probe_seconds=seconds)
            judge = replace(grader, assignment=replace(grader.assignment, limits=limits))
        path = files
        if isinstance(files, dict):
            path = tmp_path / "submission"
            for name, content in files.items():
                target = path / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        results, last = ResultsFile(tmp_path / "results.json", grader.assignment, course), {}

        def report(verdicts, notes):
            last["tree"] = results.write(verdicts, notes)

        grade(judge, path, report)
        return Graded(last["tree"])

    return run


@pytest.fixture(scope="session")
def s1() -> str:
    """Section 1 as a short, right script; tests append to it or replace a line."""
    return (DATA / "right_s1.py").read_text()


@pytest.fixture(scope="session")
def s2() -> str:
    """Section 2.1 as a short, right script."""
    return (DATA / "right_s2.py").read_text()

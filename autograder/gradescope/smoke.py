"""Test a freshly installed grader: the doctor's probes, then a tiny submission that comes with the assignment."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.references import read_references
from autograder.core.strict import refuse_unknown
from autograder.core.text import clean, reason
from autograder.gradescope.archive import read_unpacked
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.judging.output import plain_output
from autograder.judging.run import require_isolation, run_grading
from autograder.sandbox.judge_side.zygote_client import ZygoteClient

FOLDER, EXPECTED = "smoke", "expected.json"


def smoke(assignment: Assignment, references: Path, course: str, log: Callable[[str], None]) -> str:
    """Grade the assignment's ``smoke/`` like any submission; returns a one-line summary.

    Raises GraderError if it cannot be graded, if student code could reach hidden references, or if a verdict differs from
    ``expected.json`` (item -> verdict).
    """
    folder = assignment.folder / FOLDER
    if not folder.exists():
        return _without_submission(assignment, references, log)
    expected, started = _expected(assignment), time.monotonic()
    with tempfile.TemporaryDirectory() as output:
        tree = run_grading(assignment, references, folder, course, Path(output) / "results.json", log)
    graded = {test["number"]: (test["extra_data"]["verdict"], plain_output(test)) for test in tree["tests"]}
    _compare(expected, graded, "the grader does not work here")
    return f"smoke test: {len(expected)} of {len(expected)} items as expected, {time.monotonic() - started:.1f} s"


def rehearsed(assignment: Assignment, references: Path) -> str:
    """The same before an archive is built, with the cage of this machine, whatever it is like; '' without ``smoke/``.

    Raises GraderError if a verdict differs from ``expected.json``, so that no image fails for that.
    """
    folder = assignment.folder / FOLDER
    if not folder.exists():
        return ""
    expected = _expected(assignment)
    with ZygoteClient(assignment.preload) as zygote:
        grader = Grader(assignment, read_references(references), zygote)
        with grader.only_judging():
            verdicts = grade(grader, folder, lambda *_: None)
    graded = {verdict.question.id: (verdict.status, verdict.reason) for verdict in verdicts}
    _compare(expected, graded, f"not built, {FOLDER}/ is not graded as {FOLDER}/{EXPECTED} says")
    return f"smoke test: {len(expected)} of {len(expected)} items as expected"


def _expected(assignment: Assignment) -> dict[str, str]:
    """Item -> verdict, as the assignment says it. Raises GraderError."""
    try:
        expected = json.loads((assignment.folder / FOLDER / EXPECTED).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GraderError(f"{FOLDER}/{EXPECTED} cannot be read: {clean(reason(error), 160)}") from None
    if not isinstance(expected, dict):
        raise GraderError(f"{FOLDER}/{EXPECTED} should be a JSON object: item -> verdict")
    return expected


def _compare(expected: dict[str, str], graded: dict[str, tuple[str, str]], problem: str) -> None:
    """Raise GraderError, which begins with ``problem``, unless all items are as expected; ``graded``: verdict, reason."""
    refuse_unknown(expected, graded, f"{FOLDER}/{EXPECTED}", "item")
    for item, verdict in expected.items():
        actual, why = graded[item]
        if actual != verdict:
            told = f": {clean(why.splitlines()[0], 200)}" if why.strip() else ""
            raise GraderError(f"{problem}: {item} of the smoke test came out {actual!r}, not {verdict!r}{told}")


def _without_submission(assignment: Assignment, references: Path, log: Callable[[str], None]) -> str:
    """Probe the cage only; raises GraderError if student code could reach hidden references."""
    with ZygoteClient(assignment.preload) as zygote:
        require_isolation(Grader(assignment, read_references(references), zygote), references.parent, log)
    return f"smoke test: the cage holds; nothing was graded, since the assignment has no {FOLDER}/"


def smoke_archive(source: Path, log: Callable[[str], None]) -> str:
    """The same for the archive unpacked in ``source``."""
    archive = read_unpacked(source)
    return smoke(load_assignment(archive.assignment), archive.references, archive.course, log)

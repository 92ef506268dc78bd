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
from autograder.core.strict import refuse_unknown
from autograder.core.text import reason
from autograder.gradescope.archive import read_unpacked
from autograder.judging.output import plain_output
from autograder.judging.run import run_grading

FOLDER, EXPECTED = "smoke", "expected.json"


def smoke(assignment: Assignment, references: Path, course: str, log: Callable[[str], None]) -> str:
    """Grade the assignment's ``smoke/`` like any submission; returns a one-line summary.

    Raises GraderError if it cannot be graded, if student code could reach hidden references, or if a verdict differs from
    ``expected.json`` (item -> verdict).
    """
    folder = assignment.folder / FOLDER
    if not folder.exists():
        raise GraderError(f"{assignment.folder} has no {FOLDER}/ to test the grader with")
    try:
        expected = json.loads((folder / EXPECTED).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GraderError(f"{FOLDER}/{EXPECTED} cannot be read: {reason(error)}") from None
    if not isinstance(expected, dict):
        raise GraderError(f"{FOLDER}/{EXPECTED} should be a JSON object: item -> verdict")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as output:
        tree = run_grading(assignment, references, folder, course, Path(output) / "results.json", log)
    graded = {test["number"]: (test["extra_data"]["verdict"], plain_output(test)) for test in tree["tests"]}
    refuse_unknown(expected, graded, f"{FOLDER}/{EXPECTED}", "item")
    for item, verdict in expected.items():
        actual, output_text = graded[item]
        if actual != verdict:
            raise GraderError(
                f"the grader does not work here: {item} of the smoke test came out {actual!r}, "
                f"not {verdict!r}: {output_text.splitlines()[0]}"
            )
    return f"smoke test: {len(expected)} of {len(expected)} items as expected, {time.monotonic() - started:.1f} s"


def smoke_archive(source: Path, log: Callable[[str], None]) -> str:
    """The same for the archive unpacked in ``source``."""
    archive = read_unpacked(source)
    return smoke(load_assignment(archive.assignment), archive.references, archive.course, log)

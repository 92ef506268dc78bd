"""Whether a freshly installed grader can grade: the doctor's probes, then a tiny submission that comes with the assignment."""

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
from autograder.judging.run import run_grading

FOLDER, EXPECTED = "smoke", "expected.json"


def smoke(assignment: Assignment, references: Path, course: str, log: Callable[[str], None]) -> str:
    """Grade ``smoke/`` of the assignment as any submission; returns one line that sums up.

    Raises GraderError where it cannot be graded, hidden references would be within reach, or a verdict is not the one of
    ``expected.json`` (item -> verdict).
    """
    folder = assignment.folder / FOLDER
    if not folder.exists():
        raise GraderError(f"{assignment.folder} has no {FOLDER}/ to try the grader on")
    try:
        expected = json.loads((folder / EXPECTED).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GraderError(f"{FOLDER}/{EXPECTED} cannot be read: {reason(error)}") from None
    if not isinstance(expected, dict):
        raise GraderError(f"{FOLDER}/{EXPECTED} should be an object: item -> verdict")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        tree = run_grading(assignment, references, folder, course, Path(place) / "results.json", log)
    found = {test["number"]: (test["extra_data"]["verdict"], test["output"]) for test in tree["tests"]}
    refuse_unknown(expected, found, f"{FOLDER}/{EXPECTED}", "item")
    for item, verdict in expected.items():
        if found[item][0] != verdict:
            raise GraderError(
                f"the grader does not work here: {item} of the smoke test came out {found[item][0]!r}, "
                f"not {verdict!r}: {found[item][1].splitlines()[0]}"
            )
    return f"smoke test: {len(expected)} of {len(expected)} items as expected, {time.monotonic() - started:.1f} s"


def smoke_archive(source: Path, log: Callable[[str], None]) -> str:
    """The same with the archive that lies unpacked in ``source``."""
    archive = read_unpacked(source)
    return smoke(load_assignment(archive.assignment), archive.references, archive.course, log)

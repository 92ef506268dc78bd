"""Gradescope's container: its folders, its metadata, its time limit. One call grades the submission in a container.

The metadata is untrusted and nothing in it changes a score: it serves to warn staff, and to tell students
what moved since their last upload.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.resubmission import read_resubmission
from autograder.core.text import clean
from autograder.gradescope.archive import read_unpacked
from autograder.judging.run import run_grading
from autograder.judging.uploads import Again, uploads_of

METADATA = "submission_metadata.json"
METADATA_BYTES = 16 << 20  # with the results of earlier uploads
TIMEOUT, TIMEOUT_SECONDS = "AUTOGRADER_TIMEOUT", 600.0
# Subtracted from Gradescope's time limit, for warming up and for what follows the last item; the least that is left.
RESERVE_SECONDS, LEAST_SECONDS = 60.0, 10.0


def grade_container(root: Path, log: Callable[[str], None]) -> None:
    """Grade ``root/submission`` into ``root/results/results.json``; ``log`` receives lines for instructors.

    Raises GraderError, after writing results.json if possible, when nothing could be graded.
    """
    close_to_others(root)
    archive = read_unpacked(root / "source")
    seconds = allowed_seconds(os.environ.get(TIMEOUT, ""), log)
    assignment = load_assignment(archive.assignment, default_seconds=seconds, at_most=seconds)
    metadata = read_metadata(root / METADATA)
    for line in warnings(assignment, archive.course, metadata):
        log(line)
    again = Again(read_resubmission(archive.assignment), uploads_of(metadata), archive.course)
    target = root / "results" / "results.json"
    if not (root / "submission").is_dir():
        from autograder.judging.results import ResultsFile

        message = "nothing was submitted: the folder `submission` is missing; please submit again, or tell the staff"
        ResultsFile(target, assignment, archive.course).refuse(message)
        raise GraderError(message)
    run_grading(assignment, archive.references, root / "submission", archive.course, target, log, again.amend)


def close_to_others(root: Path) -> None:
    """Close Gradescope's folders to every other user; a folder mounted read-only stays as it is."""
    for name in ("source", "submission", "results", METADATA):
        path = root / name
        try:
            if path.exists():
                path.chmod(path.stat().st_mode & 0o700)
        except OSError:
            pass


def allowed_seconds(text: str, log: Callable[[str], None]) -> float:
    """Seconds for grading within Gradescope's time limit ``text`` ("" or not a number: ten minutes, see TIMEOUT_SECONDS)."""
    try:
        seconds = float(text) if text else TIMEOUT_SECONDS
        if not 0 < seconds < math.inf:
            raise ValueError
    except ValueError:
        log(f"warning: {TIMEOUT} should be a number of seconds, not {clean(text)!r}; {TIMEOUT_SECONDS:g} is assumed")
        seconds = TIMEOUT_SECONDS
    return max(LEAST_SECONDS, seconds - RESERVE_SECONDS)


def read_metadata(path: Path) -> dict[str, Any]:
    """Gradescope's description of the submission and of earlier ones; {} if it is missing, too large or not a JSON object."""
    try:
        with path.open("rb") as file:
            metadata = json.loads(file.read(METADATA_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return metadata if isinstance(metadata, dict) else {}


def warnings(assignment: Assignment, course: str, metadata: dict[str, Any]) -> list[str]:
    """A warning for staff if the assignment's points on Gradescope are not those of this archive; else []."""
    described = metadata.get("assignment")
    text = described.get("total_points") if isinstance(described, dict) else None
    try:
        worth = float(text) if isinstance(text, (str, int, float)) else math.nan
    except (ValueError, OverflowError):
        worth = math.nan
    here = assignment.max_points(course)[0]
    if math.isnan(worth) or math.isclose(worth, here):
        return []
    others = [c for c in assignment.courses if math.isclose(worth, assignment.max_points(c)[0])]
    hint = (
        f"those are the points of {others[0]}: is this the archive of another course?"
        if others
        else "students would see a wrong total"
    )
    points = f"the assignment on Gradescope is worth {worth:g} points, this archive (course {course}) grades {here:g}"
    return [f"warning: {points}; {hint}"]

"""One course's archive, without an audit."""

from pathlib import Path

from autograder.core.assignment import Assignment
from autograder.gradescope.archive import members_of, write_archive


def build_archive(assignment: Assignment, references: Path, course: str, build: Path) -> Path:
    return write_archive(members_of(assignment, references, course), course, build)

"""The folders a command works on: the assignment, its solutions, and the build folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.core.errors import GraderError
from autograder.core.strict import nearest

if TYPE_CHECKING:
    from autograder.core.assignment import Assignment


@dataclass(frozen=True)
class Project:
    """The folders of one assignment, as given on the command line."""

    assignment: Path
    solutions: Path
    build: Path

    @property
    def student(self) -> Path:
        """The student tree, beside the solutions."""
        return Path(os.path.normpath(self.solutions / ".." / "student"))

    def load(self, **limits: Any) -> Assignment:
        """Load the assignment. Raises GraderError if it is invalid."""
        from autograder.core.loading import load_assignment

        return load_assignment(self.assignment, **limits)

    def fresh_references(self) -> Path:
        """The path of the baked file, baked again if it is missing or stale; shows the progress."""
        from autograder.authoring.baking.freshness import fresh_references
        from autograder.cli.status import Status

        with Status() as status:
            return fresh_references(self.assignment, self.solutions, self.build, status.show)


@contextlib.contextmanager
def graded_with(
    project: Project, archive: Path | None, course: str | None, **limits: Any
) -> Iterator[tuple[Assignment, Callable[[], Path], str]]:
    """(assignment, references, course) of the archive if given, else of the project; asked for, they are baked if necessary."""
    if archive is None:
        assignment = project.load(**limits)
        yield assignment, project.fresh_references, course_of(assignment, course)
        return
    from autograder.core.loading import load_assignment
    from autograder.gradescope.archive import opened

    with opened(archive) as unpacked:
        assignment = load_assignment(unpacked.assignment, **limits)
        yield assignment, lambda: unpacked.references, course_of(assignment, course or unpacked.course)


def course_of(assignment: Assignment, course: str | None) -> str:
    """The given course, or the rubric's last one. Raises GraderError if it is not in the rubric."""
    course = course or assignment.courses[-1]
    if course not in assignment.courses:
        raise GraderError(f"no course {course!r} in the rubric{nearest(course, assignment.courses)}")
    return course

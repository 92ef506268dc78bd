"""Where a command works: an assignment, its solutions, and a folder for what is made."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.core.errors import GraderError
from autograder.core.strict import nearest

if TYPE_CHECKING:
    from autograder.core.assignment import Assignment


@dataclass(frozen=True)
class Project:
    """The folders of one assignment, each as it was named."""

    assignment: Path
    solutions: Path
    build: Path

    @property
    def student(self) -> Path:
        """The students' tree: beside the solutions."""
        return Path(os.path.normpath(self.solutions / ".." / "student"))

    def load(self, **limits: Any) -> Assignment:
        """The assignment; raises GraderError, one line, where it is not as it should be."""
        from autograder.core.loading import load_assignment

        return load_assignment(self.assignment, **limits)

    def fresh_references(self) -> Path:
        """The baked file, made anew when missing or stale; says so while it lasts."""
        from autograder.authoring.baking.freshness import fresh_references
        from autograder.cli.terminal import Status

        with Status() as status:
            return fresh_references(self.assignment, self.solutions, self.build, status.say)


@contextlib.contextmanager
def graded_with(
    project: Project, archive: Path | None, course: str | None, **limits: Any
) -> Iterator[tuple[Assignment, Path, str]]:
    """(assignment, references, course): the archive's, or the project's own, baked where need be."""
    from autograder.core.loading import load_assignment
    from autograder.gradescope.archive import opened

    if archive is None:
        assignment = project.load(**limits)
        yield assignment, project.fresh_references(), course_of(assignment, course)
        return
    with opened(archive) as unpacked:
        assignment = load_assignment(unpacked.assignment, **limits)
        yield assignment, unpacked.references, course_of(assignment, course or unpacked.course)


def course_of(assignment: Assignment, course: str | None) -> str:
    """The course that was named, or the rubric's last one. Raises GraderError for one that it does not have."""
    course = course or assignment.courses[-1]
    if course not in assignment.courses:
        raise GraderError(f"no course {course!r} in the rubric{nearest(course, assignment.courses)}")
    return course

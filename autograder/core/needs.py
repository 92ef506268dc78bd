"""The packages that a verdict may depend on: those that the engine and the assignment list for grading."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from autograder.core.assignment import Assignment
from autograder.core.digests import versions
from autograder.core.paths import PACKAGE

REQUIREMENTS = "requirements.in"  # names only: the engine's file is in judging/, an assignment's in its own folder
ENGINES = PACKAGE / "judging" / REQUIREMENTS


def available_to_students(assignment: Assignment) -> list[str]:
    """The packages that student code may import while it is graded."""
    return names_in(assignment.folder / REQUIREMENTS)


def names_in(path: Path) -> list[str]:
    """The names that a requirements file lists; [] if there is no such file."""
    return re.findall(r"^[A-Za-z][\w.-]*", path.read_text(encoding="utf-8"), re.MULTILINE) if path.exists() else []


def needed_versions(assignment: Assignment) -> dict[str, str]:
    """Package -> installed version ('' if not installed), with Python's own version under ``python``."""
    names = sorted({*names_in(ENGINES), *available_to_students(assignment)})
    return versions(names) | {"python": ".".join(map(str, sys.version_info[:2]))}

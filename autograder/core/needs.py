"""The packages that a verdict may depend on: those that the engine and the assignment list for grading."""

from __future__ import annotations

import re
import sys

from autograder.core.assignment import Assignment
from autograder.core.digests import versions
from autograder.core.paths import PACKAGE

REQUIREMENTS = "requirements.in"  # names only: the engine's file is in judging/, an assignment's in its own folder
ENGINES = PACKAGE / "judging" / REQUIREMENTS


def needed_versions(assignment: Assignment) -> dict[str, str]:
    """Package -> installed version ('' if not installed), with Python's own version under ``python``."""
    texts = [path.read_text(encoding="utf-8") for path in (ENGINES, assignment.folder / REQUIREMENTS) if path.exists()]
    names = sorted({name for text in texts for name in re.findall(r"^[A-Za-z][\w.-]*", text, re.MULTILINE)})
    return versions(names) | {"python": ".".join(map(str, sys.version_info[:2]))}

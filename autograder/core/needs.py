"""The packages that a verdict may depend on: what grading needs, as the engine and the assignment list it."""

from __future__ import annotations

import re
import sys

from autograder.core.assignment import Assignment
from autograder.core.digests import versions
from autograder.core.paths import PACKAGE

REQUIREMENTS = "requirements.in"  # names only: the engine's lie with judging, an assignment's in its folder
ENGINES = PACKAGE / "judging" / REQUIREMENTS


def needed_versions(assignment: Assignment) -> dict[str, str]:
    """Package -> the version installed here ('' for none), and Python's own."""
    texts = [path.read_text(encoding="utf-8") for path in (ENGINES, assignment.folder / REQUIREMENTS) if path.exists()]
    names = sorted({name for text in texts for name in re.findall(r"^[A-Za-z][\w.-]*", text, re.MULTILINE)})
    return versions(names) | {"python": ".".join(map(str, sys.version_info[:2]))}

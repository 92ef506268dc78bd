"""Which files `finalise` may read and write: none twice, and over nothing but its own earlier result."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from autograder.core.errors import GraderError
from autograder.core.files import same_file
from autograder.core.tables import read_table
from autograder.core.text import clean
from autograder.written.sheets import RESULT


def check_paths(inputs: dict[str, Path | None], output: Path, titles: list[str]) -> None:
    """Raise GraderError if two roles share a file, or the output would overwrite anything but an earlier result.

    ``titles``: the result's.
    """
    named = [(role, path) for role, path in inputs.items() if path]
    for n, (role, path) in enumerate(named):
        for other_role, other in named[:n]:
            if same_file(path, other):
                raise GraderError(f"{clean(str(path), 200)} is named twice, as {other_role} and as {role}: name two files")
        if same_file(path, output):
            raise GraderError(f"{clean(str(output), 200)} is the {role} and would be overwritten: choose another --output")
    if output.is_file() and (why := _not_own(output, titles)):
        raise GraderError(f"{clean(str(output), 200)} exists and {why}: choose another --output")
    if output.suffix.casefold() != ".csv":
        raise GraderError(f"{clean(str(output), 200)}: `finalise` writes CSV: choose an --output that ends in .csv")


def _not_own(path: Path, titles: list[str]) -> str:
    """Why a file is no earlier result with these titles, '' if it is one."""
    try:
        header = Counter(read_table(path).header)
    except GraderError:
        header = Counter()
    if not set(RESULT) <= set(header):
        return "is no result of `finalise`"
    if more := list((header - Counter(titles)).elements()):
        return f"has columns that `finalise` does not write for this assignment: {clean(', '.join(more), 160)}"
    less = list((Counter(titles) - header).elements())
    return f"lacks this assignment's columns: {clean(', '.join(less), 160)}" if less else ""

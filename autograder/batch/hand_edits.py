"""A gradebook that somebody has edited: the next run writes it anew, so the edited one is kept, and staff are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from autograder.batch.former import GRADEBOOK, SUBMISSION
from autograder.batch.gradebook import number
from autograder.batch.regrade_diff import keep_earlier
from autograder.batch.store import Record
from autograder.core.errors import GraderError
from autograder.core.files import is_ordinary
from autograder.core.tables import read_table
from autograder.core.text import clean, some_of


def keep_edited(output: Path, before: dict[str, Record]) -> list[str]:
    """Rename a gradebook whose points are not those of the last finished run, and say so; ``before``: that run's records."""
    try:
        edits = list(_edits(output / GRADEBOOK, before)) if is_ordinary(output / GRADEBOOK) else []
    except (OSError, ValueError, GraderError):
        return []
    if not edits:
        return []
    kept = keep_earlier(output / GRADEBOOK, None)
    differ = f"{GRADEBOOK} had other points than the last finished run ({some_of(edits)})"
    advice = "the new one has the grader's; points by hand belong in the graders' sheet, in a column such as `1.2.1 by hand`"
    return [f"{differ}: it is kept as {kept}; {advice}"]


def _edits(path: Path, before: dict[str, Record]) -> Iterator[str]:
    """The points in a gradebook that are not those of the records."""
    table = read_table(path)
    where = table.header.index(SUBMISSION)
    for _, who, cells in table.people(("name", "email", "course")):
        record = before.get(cells[where])
        if record is None or record.course != who["course"]:  # whose points are of another course
            continue
        for item, score in record.scores.items():
            if item in table.header and not _same(text := cells[table.header.index(item)], score):
                given = f"{clean(text, 20) or 'nothing'}, not {number(score) or 'nothing'}"
                yield f"{clean(who['name'] or who['email'], 60)} {item}: {given}"


def _same(text: str, score: float | None) -> bool:
    """Whether a cell, which another program may have saved, has this score."""
    if not text or score is None:
        return not text and score is None
    try:
        return number(float(text.replace(",", "."))) == number(score)  # as many digits as a gradebook has
    except ValueError:
        return False

"""A gradebook that somebody has edited: the next run writes it anew, so the edited one is kept, and staff are told."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from autograder.batch.former import GRADEBOOK, SUBMISSION
from autograder.batch.gradebook import number
from autograder.batch.regrade_diff import keep_earlier
from autograder.batch.store import Record
from autograder.core.errors import GraderError
from autograder.core.files import is_ordinary
from autograder.core.tables import plain_cell, read_table
from autograder.core.text import clean, some_of


def keep_edited(output: Path, before: dict[str, Record], written: str = "") -> list[str]:
    """Rename a gradebook that is not as the last run wrote it, and say so.

    ``before``: the records of the last finished run; ``written``: what ``gradebook_digest`` gave then, '' if that is not known.
    """
    path = output / GRADEBOOK
    edits, other = list[str](), False
    with contextlib.suppress(OSError, ValueError, GraderError):
        other = bool(written) and is_ordinary(path) and gradebook_digest(path) != written
        edits = list(_edits(path, before)) if is_ordinary(path) else []
    if not edits and not other:
        return []
    kept = keep_earlier(path, None)
    differ = f"{GRADEBOOK} had other points than the last finished run ({some_of(edits)})"
    rest = f"{GRADEBOOK} was not as the last run wrote it"
    advice = "the new one has the grader's; points by hand belong in the graders' sheet, in a column such as `1.2.1 by hand`"
    return [f"{differ if edits else rest}: it is kept as {kept}; {advice}"]


def gradebook_digest(path: Path) -> str:
    """A digest of what a gradebook says, however a spreadsheet program has saved it, and in whatever order its rows are.

    It is '' for a file that cannot be read as one, such as that of more people than a table may have.
    """
    try:
        table = read_table(path)
    except GraderError:
        return ""
    rows = [[_plain(cell) for cell in row] for row in (table.header, *(row for _, row in table.rows))]
    lines = ["\t".join(row).rstrip("\t") for row in rows]
    text = "\n".join([lines[0], *sorted(filter(None, lines[1:]))])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(text: str) -> str:
    """A cell as a gradebook has it: numbers in their shortest form."""
    text = plain_cell(text)
    try:
        return number(float(text.replace(",", ".")))
    except ValueError:
        return text


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

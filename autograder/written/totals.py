"""Everyone's total as a file has it that is pushed to Canvas: `finalise`'s final.csv, or the batch's gradebook.csv."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from autograder.core.errors import GraderError
from autograder.core.tables import Table, read_table
from autograder.core.text import clean
from autograder.written.cells import plain_number
from autograder.written.doubts import ROUNDING
from autograder.written.grades import shown
from autograder.written.sheets import RESULT

POINTS = re.compile(r"\d{1,6}(\.\d{1,6})?")
PARTS, EXTRA = ("autograded", "read", "collaborators", "late"), "extra credit possible"  # titles of a final.csv


@dataclass(frozen=True)
class Grade:
    """One row of the file: whose, what identifies them (in lower case), and the points as they are written.

    ``out_of``: what the points are out of, None if the file does not say; ``problem``: why there are no points, or '';
    ``course``: the cell about the course; ``extra``: the extra credit that is possible beyond ``out_of``.
    """

    label: str
    keys: frozenset[str]
    points: str
    out_of: float | None = None
    problem: str = ""
    course: str = ""
    extra: float = 0.0

    def over(self) -> str:
        """Whose points are more than there are, with both; '' if they are not."""
        if self.problem or self.out_of is None or float(self.points) <= self.out_of + self.extra:
            return ""
        return f"{self.label} ({self.points} of {self.out_of:g}{f' and {self.extra:g} of extra credit' if self.extra else ''})"


def read_grades(path: Path) -> tuple[list[Grade], list[str]]:
    """(grades, questions about the file) of `finalise`'s final.csv or the batch's gradebook.csv.

    Raises GraderError if it is none, or ends in the middle of a row.
    """
    table = read_table(path)
    if table.column("total") < 0 or table.column("email") < 0 > table.column("sid"):
        raise GraderError(f"{table.name}: expected the columns email or sid, and total, as in final.csv")
    if table.cut_off:
        raise GraderError(table.cut_off)
    grades = []
    for number, who, cells in table.people(("name", "first", "last", "email", "sid", "total", "max", "course")):
        label = clean(f"{who['name']} <{who['email'] or who['sid']}>".strip(), 120)
        keys = frozenset(text.casefold() for text in (who["email"], who["email"].split("@")[0], who["sid"]) if text)
        problem = _no_points(who, number, keys) or _other_sum(table, who["total"], number, cells)
        points, out_of = "" if problem else f"{float(who['total']):g}", _points(who["max"])
        extra = _points(cells[table.header.index(EXTRA)]) if EXTRA in table.header else None
        grades.append(Grade(label, keys, points, out_of, problem, who["course"], extra or 0.0))
    return grades, list(_questions(table, grades))


def _points(text: str) -> float | None:
    return float(text) if POINTS.fullmatch(text) else None


def _questions(table: Table, grades: list[Grade]) -> Iterator[str]:
    """What may be wrong with the file."""
    if not table.ended:
        last = f" Its last row gives {grades[-1].label} {grades[-1].points or 'nothing'}" if grades else ""
        yield f"{table.name} does not end with the end of a line, as `finalise` writes it: is it cut off?{last}"


def _no_points(who: dict[str, str], number: int, keys: frozenset[str]) -> str:
    """Why a row gives nobody points; '' if it does."""
    if not keys:
        return f"neither an address nor a number in row {number}"
    if POINTS.fullmatch(who["total"]):
        return ""
    if not who["total"] or who["total"].startswith("not graded"):
        return clean(who["total"], 120) or f"no total in row {number}"
    return f"its total is {clean(who['total'], 40)!r} in row {number}, expected a number such as 91.5"


def _other_sum(table: Table, total: str, number: int, cells: list[str]) -> str:
    """Why a total is not sent that is not what the other cells of its row add up to: it was edited or sorted by itself."""
    whole = _sum(table.header, cells)
    if whole is None or abs(whole - Fraction(total)) <= ROUNDING:
        return ""
    return (
        f"its total is {clean(total, 20)} in row {number}, and the rest of the row adds up to {shown(whole)}: was that column "
        "edited or sorted by itself?"
    )


def _sum(header: list[str], cells: list[str]) -> Fraction | None:
    """What the parts of a row of final.csv or gradebook.csv add up to; None if it is neither, or something is no number."""
    parts = [text for text in _parts(header, cells) if text]
    numbers = [(-1 if text.startswith("-") else 1, *plain_number(text.removeprefix("-"))) for text in parts]
    if not parts or any(problem for _, _, problem in numbers):
        return None
    return max(Fraction(0), sum((sign * value for sign, value, _ in numbers), Fraction(0)))


def _parts(header: list[str], cells: list[str]) -> list[str]:
    """The cells that a total is the sum of."""
    if set(RESULT) <= set(header):
        return [cells[header.index(title)] for title in PARTS if title in header]
    if "Submission ID" in header and "Submission Time" in header:
        return cells[header.index("Submission Time") + 1 : len(header)]
    return []

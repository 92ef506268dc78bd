"""The input files of the final grade: two CSV files, with columns found by name, and the staff's policy.

All requirements on these files are checked here.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from autograder.core.errors import GraderError
from autograder.core.files import read_capped
from autograder.core.strict import MAX_BYTES, nearest, read_toml
from autograder.core.tables import COLUMNS, COMMENTS, Table, decoded, read_table, squeezed
from autograder.core.text import clean, first_of
from autograder.written.cells import is_score
from autograder.written.headers import (
    BY_HAND,
    item_columns,
    item_of,
    missing_columns,
    not_by_hand,
    unread_points,
    worth_of,
)

POLICY = {
    "collaborators": ("percent",),
    "late": ("percent_per_day", "free_days", "most_days", "budget_days", "due"),
    "absent": ("autograded", "written"),
    "course": ("default", "assignment"),
}
RESULT = ("autograded from", "read from")  # columns that only the result of `finalise` has
TIME = "2024-02-09T23:59:59-08:00"
ZERO = "zero"  # the value of the rules in [absent]
# Columns of the graders' sheet that are no items and cost points, and what it means if one is missing.
CONTROL = {
    "absent": "nobody is absent by it",
    "collaborators": "a missing statement costs nothing",
    "late_days": "nobody is late by it",
}


@dataclass
class Policy:
    """The term's rules from the policy file called ``name`` ('' and no rules without one)."""

    name: str
    rules: dict[str, Any]

    def table(self, name: str) -> dict[str, Any]:
        rules: dict[str, Any] = self.rules.get(name, {})
        return rules


@dataclass
class Row:
    """A row of a file. ``who``: cells by column kind (see COLUMNS); ``scores``: cells by item id; ``source``: file and row.

    ``worth``: the items' points where the file's header gives them; ``by_hand``: cells by autograded item, in the sheet.
    """

    source: str
    who: dict[str, str]
    scores: dict[str, str]
    worth: dict[str, Fraction] = field(default_factory=dict)
    by_hand: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The file that it is in."""
        return self.source.rpartition(" row ")[0]


def read_policy(path: Path | None, courses: tuple[str, ...]) -> dict[str, Any]:
    """The staff's rules, {} without a file. Raises GraderError for an unknown rule or an impossible value."""
    if path is None:
        return {}
    policy = _read_policy(path)
    for table, rules in policy.items():
        given = rules if isinstance(rules, dict) else {}
        if table in POLICY and not given:
            raise GraderError(f"{path.name}: expected [{table}] with {' or '.join(POLICY[table])} below it")
        if not given:
            raise GraderError(unknown_rule(path, clean(table)))
        for name, value in given.items():
            rule = f"{clean(table)}.{clean(name)}"
            if name not in POLICY.get(table, ()):
                raise GraderError(unknown_rule(path, rule.rstrip(".")))
            expected = expected_value(name, value, courses)
            if expected:
                quoted = isinstance(value, str) and re.search("number|time zone", expected)
                given_as = f'"{value}", in quotes' if quoted else str(value)
                raise GraderError(f"{path.name}: {rule} should be {expected}, not {clean(given_as)}")
    return policy


def _read_policy(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except GraderError as error:
        raise GraderError(f"{error}{_how_to_write_it(path, str(error))}") from None


def _how_to_write_it(path: Path, error: str) -> str:
    """How `due`, or a number with decimals, is written, if that is the line in which a file is no TOML."""
    where = re.search(r"\(at line (\d+)", error)
    lines = decoded(read_capped(path, MAX_BYTES)).split("\n") if where else []
    line = lines[int(where[1]) - 1] if where and int(where[1]) <= len(lines) else ""
    if number := re.fullmatch(r"\s*\w+\s*=\s*(\d+),(\d+)\s*(#.*)?", line):
        return f"; write the number with a decimal point: {number[1]}.{number[2]}"
    return f"; write the time like {TIME}, without quotes" if re.match(r"\s*due\s*=", line) else ""


def unknown_rule(path: Path, rule: str) -> str:
    known = [f"{table}.{name}" for table, names in POLICY.items() for name in names]
    return f"{path.name}: unknown rule {rule}{nearest(rule, known)}"


def expected_value(name: str, value: object, courses: tuple[str, ...]) -> str:
    """What the value of a rule should be, or '' if it is fine."""
    if name == "default":
        return "" if str(value) in courses else " or ".join(courses)
    if name == "due":
        return expected_time(value)
    if name in POLICY["absent"] or name == "assignment":
        return expected_text(name, value)
    if name.endswith("_days"):
        return "" if type(value) is int and 0 <= value <= 1000 else "a whole number of days, 0 or more"
    return expected_percent(value)


def expected_percent(value: object) -> str:
    """The same for a rule whose value is a percentage."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 100:
        return "a number from 0 to 100"
    return "in percent, such as 10 for a tenth" if 0 < value < 1 else ""


def expected_time(value: object) -> str:
    """The same for a rule whose value is a moment."""
    timed = isinstance(value, dt.datetime) and value.tzinfo is not None
    return "" if timed else f"a time with its time zone, such as {TIME}"


def expected_text(name: str, value: object) -> str:
    """The same for rules whose values are texts."""
    if name == "assignment":
        return "" if isinstance(value, str) and value.strip() else "this assignment's name"
    return "" if value == ZERO else f'"{ZERO}", or left out'


def refuse_no_gradebook(path: Path) -> None:
    """Raise GraderError if there is no such file."""
    if not os.path.lexists(path):
        raise GraderError(f"there is no gradebook {clean(str(path), 200)}: `batch` writes it, so run that first")


def read_rows(
    path: Path, ids: list[str], labels: dict[str, str], other: Sequence[str] = (), wanted: Mapping[str, str] | None = None
) -> tuple[list[Row], list[str]]:
    """(rows, notes) of a CSV file, also one exported by Gradescope.

    ``ids``: the items to find; ``labels``: their other names, see ``labels_of``; ``other``: the other half's items;
    ``wanted``: the kinds of columns (see COLUMNS) that are missed, too, and what that means. Raises GraderError if the file
    cannot be used, or if a header is almost the id of an item that has no column.
    """
    table = read_table(path)
    _refuse_mistaken(table, ids, labels, other)
    who = {kind: table.column(kind) for kind in COLUMNS if kind != "course"}
    if who["email"] < 0 and who["sid"] < 0:
        raise GraderError(f"{table.name}: no column email or sid; its columns are {clean(', '.join(table.header), 160)}")
    is_sheet = wanted is not None
    items = item_columns(table, ids, labels, other, is_sheet)
    notes = [*([table.cut_off] if table.cut_off else [])]
    notes += missing_columns(table, ids, items, set(who.values()), _missed(who, wanted or {}))
    if wanted:
        notes += [*not_by_hand(table, items, other), *first_of(list(_scores_as_comments(table)), 5)]
    if not any(cell.strip() for _, row in table.rows for cell in row):
        raise GraderError(f"{table.name} has a header and no rows: is it the file that is meant?")
    halves = (other, ids) if is_sheet else (ids, other)
    notes += first_of(list(unread_points(table, items, set(who.values()), halves, is_sheet)), 5)
    return list(_rows(table, ids, items)), notes


def _missed(who: Mapping[str, int], wanted: Mapping[str, str]) -> list[str]:
    """The kinds without a column, each with what that means; Gradescope's lateness stands in for late days."""
    gone = [kind for kind in wanted if who[kind] < 0 and not (kind == "late_days" and who["lateness"] >= 0)]
    return [f"{kind} ({wanted[kind]})" for kind in gone]


def _rows(table: Table, ids: list[str], items: list[str]) -> Iterator[Row]:
    """The rows about people. ``items``: each column's item or ''."""
    where = {item: index for index, item in enumerate(items) if item}
    worth = {item: points for item, index in where.items() if (points := worth_of(table.header[index])) is not None}
    for number, person, cells in table.people(COLUMNS):
        if person["name"] or person["email"] or person["sid"]:
            scores = {id: cells[where[id]] if id in where else "" for id in ids}
            yield Row(f"{table.name} row {number}", person, scores, worth, _by_hand(where, cells))


def _by_hand(where: Mapping[str, int], cells: list[str]) -> dict[str, str]:
    return {id.removesuffix(BY_HAND): cells[index] for id, index in where.items() if id.endswith(BY_HAND)}


def _scores_as_comments(table: Table) -> Iterator[str]:
    """A question about scores where comments are: with one cell too many in a row, the last item's score is the comment."""
    where = [index for index, title in enumerate(table.header) if squeezed(title) in COMMENTS]
    for number, _, cells in table.people(()):
        for score in (cells[index] for index in where):
            if is_score(score):
                yield f"{table.name} row {number}: the comment is {clean(score, 30)!r}: is the row shifted by a cell?"


def _refuse_mistaken(table: Table, ids: list[str], labels: dict[str, str], other: Sequence[str]) -> None:
    """Raise GraderError for a table that is the other half, or a result."""
    if set(RESULT) <= set(table.header):
        raise GraderError(
            f"{table.name} is a result of `finalise`, not one of its two halves: name the gradebook and the sheet"
        )
    own, others = (set(half) & set(table.header) for half in (ids, other))
    nothing_else = others and not any(item_of(header, ids, labels) for header in table.header)
    if nothing_else or (2 * len(others) > len(other) and 2 * len(own) < len(ids)):
        raise GraderError(
            f"{table.name} has the other half's items: name the gradebook first, then the graders' sheet (are the two swapped?)"
        )

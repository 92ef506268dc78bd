"""The input files of the final grade: two CSV files, with columns found by name, and the staff's policy.

All requirements on these files are checked here.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.core.errors import GraderError
from autograder.core.strict import nearest, read_toml
from autograder.core.tables import COLUMNS, Table, read_table, squeezed
from autograder.core.text import clean
from autograder.core.written import Written

POLICY = {"collaborators": ("percent",), "late": ("percent_per_day", "free_days", "most_days"), "course": ("default",)}


@dataclass
class Row:
    """A row of a file. ``who``: cells by column kind (see COLUMNS); ``scores``: cells by item id; ``source``: file and row."""

    source: str
    who: dict[str, str]
    scores: dict[str, str]


def check_paths(inputs: dict[str, Path | None], output: Path) -> None:
    """Raise GraderError if two roles share a file or the output would overwrite an input."""
    named = [(role, path) for role, path in inputs.items() if path]
    for n, (role, path) in enumerate(named):
        for other_role, other in named[:n]:
            if same_file(path, other):
                raise GraderError(f"{clean(str(path), 200)} is named twice, as {other_role} and as {role}: name two files")
        if same_file(path, output):
            raise GraderError(f"{clean(str(output), 200)} is the {role} and would be overwritten: choose another --output")


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths name the same file, also through links."""
    if os.path.exists(one) and os.path.exists(other):
        return os.path.samefile(one, other)
    return os.path.realpath(one) == os.path.realpath(other)


def read_policy(path: Path | None, courses: tuple[str, ...]) -> dict[str, Any]:
    """The staff's rules, {} without a file. Raises GraderError for an unknown rule or an impossible value."""
    if path is None:
        return {}
    policy = read_toml(path)
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
                raise GraderError(f"{path.name}: {rule} should be {expected}, not {clean(str(value))}")
    return policy


def unknown_rule(path: Path, rule: str) -> str:
    known = [f"{table}.{name}" for table, names in POLICY.items() for name in names]
    return f"{path.name}: unknown rule {rule}{nearest(rule, known)}"


def expected_value(name: str, value: object, courses: tuple[str, ...]) -> str:
    """What the value of a rule should be, or '' if it is fine."""
    if name == "default":
        return "" if str(value) in courses else " or ".join(courses)
    if name.endswith("_days"):
        return "" if type(value) is int and 0 <= value <= 1000 else "a whole number of days, 0 or more"
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 100:
        return ""
    return "a number from 0 to 100"


def read_rows(path: Path, ids: list[str], labels: dict[str, str]) -> tuple[list[Row], list[str]]:
    """(rows, notes) of a CSV file, also one exported by Gradescope.

    ``ids``: the items to find; ``labels``: their other names, see ``labels_of``. Raises GraderError if the file cannot be
    used, or if a header is almost the id of an item that has no column.
    """
    table = read_table(path)
    who = {kind: table.column(kind) for kind in COLUMNS}
    if who["email"] < 0 and who["sid"] < 0:
        raise GraderError(f"{table.name}: no column email or sid; its columns are {clean(', '.join(table.header), 160)}")
    items = item_columns(table, ids, labels)
    notes = missing_columns(table, ids, items, set(who.values()))
    rows = [read_row(table, number, cells, who, items, ids) for number, cells in table.rows]
    return [row for row in rows if any(row.who[kind] for kind in ("name", "email", "sid"))], notes


def item_columns(table: Table, ids: list[str], labels: dict[str, str]) -> list[str]:
    """Each column's item or ''. Raises GraderError if there is no item, or one twice."""
    items = [item_of(header, ids, labels) for header in table.header]
    if repeated := sorted({item for item in items if item and items.count(item) > 1}):
        raise GraderError(f"{table.name}: two columns for {', '.join(repeated)}")
    if not set(ids) & set(items):
        raise GraderError(f"{table.name}: no column is an item of the rubric, such as {ids[0] if ids else ''}")
    return items


def missing_columns(table: Table, ids: list[str], items: list[str], who: set[int]) -> list[str]:
    """A note if items have no column. ``items``: each column's item or ''; ``who``: the columns about the person.

    Raises GraderError for a misspelt header.
    """
    missing = [id for id in ids if id not in items]
    columns = enumerate(zip(table.header, items))
    others = [header.strip() for n, (header, item) in columns if header.strip() and not item and n not in who]
    refuse_misspelt(table.name, others, missing)
    if not missing:
        return []
    unknown = f"; no item is called {clean(', '.join(others), 160)}" if others else ""
    return [f"{table.name} has no column for {', '.join(missing)}{unknown}"]


def read_row(table: Table, number: int, cells: list[str], who: dict[str, int], items: list[str], ids: list[str]) -> Row:
    """The row with this number; ``who`` and ``items`` say what the columns are."""
    # The batch, and we, put an apostrophe before text that a spreadsheet would take for a formula.
    plain = [cell.strip().removeprefix("'") for cell in cells] + [""] * len(table.header)
    person = {kind: plain[index] if index >= 0 else "" for kind, index in who.items()}
    person["name"] = person["name"] or f"{person['first']} {person['last']}".strip()
    scores = {item: plain[index] for index, item in enumerate(items) if item}
    return Row(f"{table.name} row {number}", person, {id: scores.get(id, "") for id in ids})


def refuse_misspelt(name: str, headers: list[str], missing: list[str]) -> None:
    """Raise GraderError for a header that is almost the id of an item without a column: its points would be lost."""
    for header in headers:
        close = difflib.get_close_matches(header.casefold(), [id.casefold() for id in missing], 1, 0.8)
        if close and re.search(r"\d", header):
            meant = next(id for id in missing if id.casefold() == close[0])
            raise GraderError(f"{name}: no item {clean(header)!r}; did you mean {meant!r}?")


def item_of(header: str, ids: list[str], labels: dict[str, str]) -> str:
    """The id of the item that a header names, also as in Gradescope's ``3: 1.2.3 (2.0 pts)``; '' for none.

    ``labels``: other names of items, see ``labels_of``.
    """
    plain = re.sub(r"^\d+(?:\.\d+)*:\s*|\s*\([\d.]+ (?:pts|points)\)\s*$", "", header.strip())
    number = squeezed(plain.split(" ")[0])
    known = {squeezed(id): id for id in ids} | labels
    return known.get(squeezed(plain)) or (known.get(number, "") if re.search(r"\d", number) else "")


def labels_of(written: Written) -> dict[str, str]:
    """Item ids by the names people use: the heading or its number, such as "Setup" and "2.2 Setup"."""
    labels: dict[str, str] = {}
    for item in written.items:
        if item.heading:
            part = written.part_of(item.id)
            names = [item.heading, f"{part.id} {item.heading}" if part else "", "" if item.pattern else item.heading.split()[0]]
            labels |= {squeezed(name): item.id for name in names if name}
    return labels

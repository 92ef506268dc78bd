"""The files that the final grade is made from: two CSV files and the staff's policy, all columns found by name.

What is expected of them stands here and nowhere else.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import GraderError
from autograder.core.strict import nearest, read_toml
from autograder.core.tables import COLUMNS, read_table, squeezed
from autograder.core.text import clean
from autograder.core.written import Written

POLICY = {"collaborators": ("percent",), "late": ("percent_per_day", "free_days", "most_days"), "course": ("default",)}


@dataclass
class Row:
    """A line of a file: ``who`` by the names of COLUMNS, ``scores`` by item id, all as written; ``source`` names it."""

    source: str
    who: dict[str, str]
    scores: dict[str, str]


def check_paths(inputs: dict[str, Path | None], output: Path) -> None:
    """Raise GraderError, one line, where one file is named for two things: nobody's work is written over."""
    named = [(role, path) for role, path in inputs.items() if path]
    for n, (role, path) in enumerate(named):
        for other, again in named[:n]:
            if same_file(path, again):
                raise GraderError(f"{clean(str(path), 200)} is named twice, as {other} and as {role}: name two files")
        if same_file(path, output):
            raise GraderError(f"{clean(str(output), 200)} is the {role}, which would be written over: choose another --output")


def same_file(one: Path, other: Path) -> bool:
    """By whatever names."""
    if os.path.exists(one) and os.path.exists(other):
        return os.path.samefile(one, other)
    return os.path.realpath(one) == os.path.realpath(other)


def read_policy(path: Path | None, courses: tuple[str, ...]) -> dict:
    """The staff's rules; raises GraderError on what is no rule, so that a typing error takes nobody's points."""
    if path is None:
        return {}
    policy = read_toml(path)
    for table, rules in policy.items():
        if table in POLICY and not (isinstance(rules, dict) and rules):
            raise GraderError(f"{path.name}: expected [{table}] and below it {' or '.join(POLICY[table])}")
        for name, value in rules.items() if isinstance(rules, dict) and rules else [("", "")]:
            rule = f"{clean(table)}.{clean(name)}".rstrip(".")
            if name not in POLICY.get(table, ()):
                known = [f"{t}.{k}" for t, keys in POLICY.items() for k in keys]
                raise GraderError(f"{path.name}: {rule} is no rule{nearest(rule, known)}")
            expected = expected_of(name, value, courses)
            if expected:
                raise GraderError(f"{path.name}: {rule} should be {expected}, not {clean(str(value))}")
    return policy


def expected_of(name: str, value: object, courses: tuple[str, ...]) -> str:
    """What a rule's value should have been; '' where it is that."""
    if name == "default":
        return "" if str(value) in courses else " or ".join(courses)
    if name.endswith("_days"):
        return "" if type(value) is int and 0 <= value <= 1000 else "a whole number of days from 0 on"
    return "" if type(value) in (int, float) and 0 <= value <= 100 else "a number from 0 to 100"


def read_rows(path: Path, ids: list[str], labels: dict[str, str]) -> tuple[list[Row], list[str]]:
    """(rows, notes) of a CSV file; columns are found by name, those of Gradescope's exports included.

    Raises GraderError where it is no such file, or where a header is nearly an item's id and no column is that item's.
    """
    table = read_table(path)
    at = {kind: table.column(kind) for kind in COLUMNS}
    if at["email"] < 0 and at["sid"] < 0:
        raise GraderError(f"{table.name}: no column email or sid; its columns are {clean(', '.join(table.header), 160)}")
    items = [item_of(header, ids, labels) for header in table.header]
    if twice := sorted({item for item in items if item and items.count(item) > 1}):
        raise GraderError(f"{table.name}: two columns for {', '.join(twice)}")
    if not set(ids) & set(items):
        raise GraderError(f"{table.name}: no column is an item of the rubric, such as {ids[0] if ids else ''}")
    absent = [id for id in ids if id not in items]
    others = [
        header.strip()
        for number, (header, item) in enumerate(zip(table.header, items))
        if header.strip() and not item and number not in at.values()
    ]
    refuse_misspelt(table.name, others, absent)
    notes = (
        [
            f"{table.name} has no column for {', '.join(absent)}"
            + (f"; no item is called {clean(', '.join(others), 160)}" if others else "")
        ]
        if absent
        else []
    )
    rows = []
    for number, cells in table.rows:
        # A leading apostrophe is how the batch (and we) keep a spreadsheet from taking a text for a formula.
        plain = [cell.strip().removeprefix("'") for cell in cells] + [""] * len(table.header)
        who = {kind: plain[index] if index >= 0 else "" for kind, index in at.items()}
        who["name"] = who["name"] or f"{who['first']} {who['last']}".strip()
        if any(who[kind] for kind in ("name", "email", "sid")):
            scores = {item: plain[index] for index, item in enumerate(items) if item}
            rows.append(Row(f"{table.name} row {number}", who, {id: scores.get(id, "") for id in ids}))
    return rows, notes


def refuse_misspelt(name: str, headers: list[str], absent: list[str]) -> None:
    """Raise GraderError for a header that is nearly the id of an item without a column: its points would be lost."""
    for header in headers:
        close = difflib.get_close_matches(header.casefold(), [id.casefold() for id in absent], 1, 0.8)
        if close and re.search(r"\d", header):
            meant = next(id for id in absent if id.casefold() == close[0])
            raise GraderError(f"{name}: no item {clean(header)!r}; did you mean {meant!r}?")


def item_of(header: str, ids: list[str], labels: dict[str, str]) -> str:
    """Which item a header names: its id or '', as in Gradescope's ``3: 1.2.3 (2.0 pts)``.

    ``labels``: what items are called besides, see ``labels_of``.
    """
    plain = re.sub(r"^\d+(?:\.\d+)*:\s*|\s*\([\d.]+ (?:pts|points)\)\s*$", "", header.strip())
    number = squeezed(plain.split(" ")[0])
    known = {squeezed(id): id for id in ids} | labels
    return known.get(squeezed(plain)) or (known.get(number, "") if re.search(r"\d", number) else "")


def labels_of(written: Written) -> dict[str, str]:
    """Item ids by what a person calls the item: its heading or the heading's number, "Setup" and "2.2 Setup"."""
    labels = {}
    for item in written.items:
        if item.heading:
            part = written.part_of(item.id)
            names = [item.heading, f"{part.id} {item.heading}" if part else "", "" if item.pattern else item.heading.split()[0]]
            labels |= {squeezed(name): item.id for name in names if name}
    return labels

"""The files that the final grade is made from: two CSV files and the staff's policy, all columns found by name.

What is expected of them stands here and nowhere else.
"""

from __future__ import annotations

import csv
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path

from autograder.model import GraderError
from autograder.text import clean, reason
from autograder.toml import tomllib
from autograder.written.rubric import Written

# Headers as the batch, Gradescope, Canvas and people write them, without case, spaces and punctuation.
COLUMNS = {
    "name": ("name", "student", "studentname", "fullname"), "first": ("firstname",), "last": ("lastname",),
    "email": ("email", "emailaddress", "sisloginid"), "sid": ("sid", "studentid", "sisuserid"),
    "course": ("course", "section", "sections"), "status": ("status",),
    "collaborators": ("collaborators", "collaboratorsstatement"),
    "late_days": ("latedays", "dayslate"), "lateness": ("latenesshms", "lateness"),
}
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
    try:
        policy = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise GraderError(f"cannot use {clean(str(path), 200)}: {clean(reason(error), 160)}") from None
    for table, rules in policy.items():
        if table in POLICY and not (isinstance(rules, dict) and rules):
            raise GraderError(f"{path.name}: expected [{table}] and below it {' or '.join(POLICY[table])}")
        for name, value in rules.items() if isinstance(rules, dict) and rules else [("", "")]:
            rule = f"{clean(table)}.{clean(name)}".rstrip(".")
            if name not in POLICY.get(table, ()):
                known = ", ".join(f"{t}.{k}" for t, keys in POLICY.items() for k in keys)
                raise GraderError(f"{path.name}: {rule} is no rule; known are {known}")
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
    """(rows, notes) of a CSV file; columns are found by name, those of Gradescope's exports included."""
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
        # Spreadsheets write semicolons where the comma belongs to the numbers.
        delimiter = max(",;\t", key=text.split("\n", 1)[0].count)
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except (OSError, csv.Error) as error:
        raise GraderError(f"cannot read {clean(str(path), 200)}: {clean(reason(error), 120)}") from None
    if not table:
        raise GraderError(f"{clean(path.name)} is empty: expected a header line and a line for each person")
    columns = [column_of(header, ids, labels) for header in table[0]]
    twice = sorted({c for c in columns if c and columns.count(c) > 1})
    if twice:
        raise GraderError(f"{clean(path.name)}: two columns for {', '.join(twice)}")
    if not {"email", "sid"} & set(columns):
        raise GraderError(f"{clean(path.name)}: no column email or sid; its columns are {clean(', '.join(table[0]), 160)}")
    if not set(ids) & set(columns):
        raise GraderError(f"{clean(path.name)}: no column is an item of the rubric, such as {ids[0] if ids else ''}")
    absent = [id for id in ids if id not in columns]
    others = [header.strip() for header, column in zip(table[0], columns) if header.strip() and not column]
    notes = [f"{clean(path.name)} has no column for {', '.join(absent)}"
             + (f"; no item is called {clean(', '.join(others), 160)}" if others else "")] if absent else []
    rows = []
    for number, cells in enumerate(table[1:], 2):
        # A leading apostrophe is how the batch (and we) keep a spreadsheet from taking a text for a formula.
        found = {c: cell.strip().removeprefix("'") for c, cell in zip(columns, cells) if c}
        who = {c: found.get(c, "") for c in COLUMNS}
        who["name"] = who["name"] or f"{who['first']} {who['last']}".strip()
        if any(who[c] for c in ("name", "email", "sid")):
            rows.append(Row(f"{clean(path.name)} row {number}", who, {id: found.get(id, "") for id in ids}))
    return rows, notes


def column_of(header: str, ids: list[str], labels: dict[str, str]) -> str:
    """Which column a header names: one of COLUMNS, an item's id, or ''. Gradescope writes ``3: 1.2.3 (2.0 pts)``.

    ``labels``: what items are called besides, see ``labels_of``.
    """
    plain = re.sub(r"^\d+(?:\.\d+)*:\s*|\s*\([\d.]+ (?:pts|points)\)\s*$", "", header.strip())
    number = squeezed(plain.split(" ")[0])
    known = {squeezed(id): id for id in ids} | labels
    item = known.get(squeezed(plain)) or (known.get(number, "") if re.search(r"\d", number) else "")
    return next((column for column, names in COLUMNS.items() if squeezed(plain).replace(".", "") in names), item)


def squeezed(text: str) -> str:
    """A name as it is compared: small letters, digits and dots."""
    return re.sub(r"[^a-z0-9.]", "", text.casefold())


def labels_of(written: Written) -> dict[str, str]:
    """Item ids by what a person calls the item: its heading or the heading's number, "Setup" and "2.2 Setup"."""
    labels = {}
    for item in written.items:
        if item.heading:
            part = written.part_of(item.id)
            names = [item.heading, f"{part.id} {item.heading}" if part else "", "" if item.pattern else item.heading.split()[0]]
            labels |= {squeezed(name): item.id for name in names if name}
    return labels

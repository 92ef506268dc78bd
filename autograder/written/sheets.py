"""The files that the final grade is made from: two CSV files and the staff's policy, all columns found by name.

What is expected of them stands here and nowhere else.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from autograder.model import GraderError
from autograder.text import clean
from autograder.toml import tomllib

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


def read_policy(path: Path | None) -> dict:
    """The staff's rules; raises GraderError on a name that is no rule, so that a typing error takes nobody's points."""
    if path is None:
        return {}
    try:
        policy = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise GraderError(f"cannot use {clean(str(path))}: {clean(str(error), 160)}") from None
    for table, entries in policy.items():
        rules = entries if isinstance(entries, dict) and entries else {"": 0}
        for name, value in rules.items():
            if name not in POLICY.get(table, ()):
                known = ", ".join(f"{t}.{k}" for t, keys in POLICY.items() for k in keys)
                raise GraderError(f"{path.name}: {clean(table)}.{clean(name)} is no rule; known are {known}")
            if table != "course" and (type(value) not in (int, float) or not 0 <= value <= 1000):
                raise GraderError(f"{path.name}: {table}.{name} should be a number from 0 on, not {clean(str(value))}")
    return policy


def read_rows(path: Path, ids: list[str], labels: dict[str, str]) -> tuple[list[Row], list[str]]:
    """(rows, notes) of a CSV file; columns are found by name, those of Gradescope's exports included."""
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
        table = list(csv.reader(io.StringIO(text, newline="")))
    except (OSError, csv.Error) as error:
        raise GraderError(f"cannot read {clean(str(path))}: {clean(str(error), 120)}") from None
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
    notes = [f"{clean(path.name)} has no column for {', '.join(absent)}"] if absent else []
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
    """Which column a header names: one of COLUMNS, an item's id, or ''. Gradescope writes ``3: 1.2.3 (2.0 pts)``."""
    plain = re.sub(r"^\d+(?:\.\d+)*:\s*|\s*\([\d.]+ (?:pts|points)\)\s*$", "", header.strip()).casefold()
    squeezed = re.sub(r"[^a-z0-9]", "", plain)
    known = {id.casefold(): id for id in ids} | labels
    item = known.get(plain) or known.get(plain.split(" ")[0], "")
    return next((column for column, names in COLUMNS.items() if squeezed in names), item)

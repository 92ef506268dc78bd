"""Reads and writes CSV files: those of Gradescope, Canvas, registrars and spreadsheet programs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import GraderError
from autograder.core.files import read_capped, write_private
from autograder.core.text import clean, reason

# Column -> accepted headers, most reliable first, in lower case without spaces and punctuation.
COLUMNS = {
    "name": ("name", "student", "studentname", "fullname"),
    "first": ("firstname",),
    "last": ("lastname",),
    "email": ("email", "emailaddress", "sisloginid"),
    "sid": ("sid", "studentid", "sisuserid", "id"),
    "course": ("course", "section", "sections"),
    "path": ("path", "submission", "file", "folder"),
    "status": ("status",),
    "collaborators": ("collaborators", "collaboratorsstatement"),
    "late_days": ("latedays", "dayslate"),
    "lateness": ("latenesshms", "lateness"),
}
MAX_BYTES = 64 << 20
MAX_ROWS, MAX_COLUMNS, MAX_CELLS, MAX_TITLE = 50_000, 1_000, 2_000_000, 300
MAX_SEPARATORS = 20_000  # in a row, those in quoted cells included
LINE = re.compile(r"[^\r\n]+(?:\r\n|\r|\n)?|\r\n|\r|\n")


@dataclass
class Table:
    """A CSV file: its header, and all other rows with their 1-based row numbers. ``name`` is safe to print."""

    name: str
    header: list[str]
    rows: list[tuple[int, list[str]]]

    def column(self, kind: str) -> int:
        """The index of the column of this kind (see COLUMNS), -1 if missing. Raises GraderError if it is ambiguous."""
        plain = [squeezed(cell).replace(".", "") for cell in self.header]
        for name in COLUMNS[kind]:
            if plain.count(name) > 1:
                raise GraderError(f"{self.name}: two columns for {kind}")
            if name in plain:
                return plain.index(name)
        return -1


def read_table(path: Path) -> Table:
    """Read a CSV file with commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252. Raises GraderError, one line."""
    try:
        text = _decoded(read_capped(path, MAX_BYTES))
        # Spreadsheets use semicolons in locales where the comma is the decimal separator.
        delimiter = max(",;\t", key=text.split("\n", 1)[0].count)
        name = clean(path.name)
        numbered = list(_rows(text, delimiter, name))
    except (OSError, csv.Error) as error:
        raise GraderError(f"cannot read {clean(str(path), 200)}: {clean(reason(error), 120)}") from None
    if not numbered:
        raise GraderError(f"{name} is empty: expected a header line and a line for each person")
    return Table(name, [title[:MAX_TITLE] for title in numbered[0][1]], numbered[1:])


def _rows(text: str, delimiter: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows with their numbers. Raises GraderError before they are more than a list of people has."""
    separators = cells = 0

    def lines() -> Iterator[str]:
        nonlocal separators
        for line in LINE.finditer(text):
            separators += line[0].count(delimiter)  # of this row, which quotes may spread over many lines
            if separators > MAX_SEPARATORS:
                raise _too_much(name)
            yield line[0]

    for number, row in enumerate(csv.reader(lines(), delimiter=delimiter), 1):
        separators, cells = 0, cells + len(row)
        if number > MAX_ROWS + 1 or len(row) > MAX_COLUMNS or cells > MAX_CELLS:
            raise _too_much(name)
        yield number, row


def _too_much(name: str) -> GraderError:
    return GraderError(
        f"{name} has more than {MAX_ROWS} rows, {MAX_COLUMNS} columns or {MAX_CELLS} cells: it is no list of people"
    )


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def squeezed(text: str) -> str:
    """A header normalised for comparison: lower-case letters, digits and dots only."""
    return re.sub(r"[^a-z0-9.]", "", text.casefold())


def csv_text(rows: Iterable[Iterable[str]], end: str = "\r\n") -> str:
    """Rows as CSV text."""
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows(rows)
    return text.getvalue()


def write_csv(path: Path, rows: Iterable[Iterable[str]]) -> None:
    """Write rows atomically to a CSV file that only its owner can read. Raises NotWritten."""
    write_private(path, csv_text(rows))

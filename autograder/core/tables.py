"""Reads and writes CSV files: those of Gradescope, Canvas, registrars and spreadsheet programs.

One table of headers (``COLUMNS``) and one reader serve rosters, gradebooks, graders' sheets and extensions.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.checks.encodings import wide_encoding
from autograder.checks.kinds import kind_of
from autograder.core.errors import GraderError
from autograder.core.files import read_capped, write_private
from autograder.core.text import clean, reason, uncell

# Column -> accepted headers, most reliable first, in lower case without spaces and punctuation.
COLUMNS = {
    "name": ("name", "student", "studentname", "fullname"),
    "first": ("firstname", "givenname"),
    "last": ("lastname", "surname", "familyname"),
    "email": ("email", "emailaddress", "sisloginid"),
    "sid": ("sid", "studentid", "studentnumber", "studentno", "sisuserid", "id"),
    "course": ("course", "section", "sections"),
    "role": ("role",),
    "path": ("path", "submission", "file", "folder"),
    "status": ("status",),
    "collaborators": ("collaborators", "collaboratorsstatement", "collaborator", "collab", "collabs"),
    "late_days": ("latedays", "dayslate", "lateday", "days"),
    "lateness": ("latenesshms", "lateness"),
    "absent": ("absent", "noshow"),
    "submitted": ("submissiontime",),
    "max": ("maxpoints", "outof"),
    "days": ("days", "extensiondays", "latedaysused", "latedays"),
    "total": ("total", "totalscore"),
    "with": ("with", "workedwith", "together"),
    "assignment": ("assignment", "assignmentname"),
}
NUMBERED_SECTION = re.compile(r"sections?\d+")  # a column for each section of a person
WHO = ("name", "first", "last", "email", "sid")
ROSTER_COLUMNS = (*WHO, "course", "role", "path", "submitted")
# Usual columns that nothing reads: of Gradescope's exports, the gradebook and the graders' sheet; squeezed.
COMMENTS = {"comment", "comments"}
UNREAD = {"submissionid", "submissioncount", "viewcount", *COMMENTS}
ROUNDED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)  # what spreadsheet programs make of long numbers
WHOLE = re.compile(r"^(\d+)\.0+$")  # a number that spreadsheet programs have made a fraction
NOBODY = {"points possible", "student, test", "test student"}  # rows of Canvas's exports that are no people
# What a row is called that sums others up, squeezed; one of them with an address or a number is a person all the same.
SUMMARY = {"average", "classaverage", "mean", "median", "maximum", "total", "totals", "stddev", "std.dev.", "standarddeviation"}
TITLES = {name for kind in (*WHO, "course") for name in COLUMNS[kind]}  # no address and no number is one of these
MAX_TITLES = 5  # lines above the header: a spreadsheet's or a table's title
AS_CSV = "export it as CSV (File → Download or Save As → CSV UTF-8)"
MAX_BYTES = 64 << 20
MAX_ROWS, MAX_COLUMNS, MAX_CELLS, MAX_TITLE = 50_000, 1_000, 2_000_000, 300
MAX_LINES = 200  # of a file in which a Markdown table is looked for
UNCLOSED = 'a quote (") that begins a cell is never closed: is it one too many, or is the file cut off?'
MAX_SEPARATORS = 20_000  # in a row, those in quoted cells included
SOME_ASCII = 0.05  # of its characters: separators, line ends, digits and addresses, whatever the names are written in
LINE = re.compile(r"[^\r\n]+(?:\r\n|\r|\n)?|\r\n|\r|\n")


@dataclass
class Table:
    """A CSV file: its header, and all other rows with their 1-based row numbers. ``name`` is safe to print.

    ``ended``: whether the last row has its line end, which only Google Sheets leaves out.
    """

    name: str
    header: list[str]
    rows: list[tuple[int, list[str]]]
    ended: bool = True

    @property
    def cut_off(self) -> str:
        """A question to staff if the last row looks as if the file ended before its time, else ''."""
        if self.ended or not self.rows or len(self.rows[-1][1]) >= len(self.header):
            return ""
        return f"{self.name}, line {self.rows[-1][0]}, has fewer cells than the header, and no end: is the file cut off?"

    def column(self, kind: str) -> int:
        """The index of the column of this kind (see COLUMNS), -1 if missing. Raises GraderError if it is ambiguous."""
        plain = [_plain_title(cell) for cell in self.header]
        for name in COLUMNS[kind]:
            if plain.count(name) > 1:
                raise GraderError(f"{self.name}: two columns for {kind}")
            if name in plain:
                return plain.index(name)
        return -1

    def people(self, kinds: Iterable[str]) -> Iterator[tuple[int, dict[str, str], list[str]]]:
        """(row number, cells by kind, all cells) of each row that is about a person; a missing column's cells are ''.

        ``name`` is put together where first and last name have a column each, and ``course`` of all columns about it.
        Rows that sum others up are passed over. Raises GraderError if a column is ambiguous, or a row is a second header.
        """
        where = {kind: self.column(kind) for kind in kinds if kind != "course"}
        sections = [index for index, title in enumerate(self.header) if about_course(title)]
        for number, row in self.rows:
            cells = [*map(plain_cell, row), *[""] * (len(self.header) - len(row))]
            who = dict.fromkeys([*WHO, *where], "") | {kind: cells[index] for kind, index in where.items() if index >= 0}
            who["course"] = " ".join(cells[index] for index in sections).strip()
            who["name"] = who["name"] or f"{who['first']} {who['last']}".strip()
            who["sid"] = WHOLE.sub(r"\1", who["sid"])
            if any(cells) and not _about_nobody(who):
                self._refuse_keys(number, who["email"], who["sid"])
                yield number, who, cells

    def _refuse_keys(self, number: int, email: str, sid: str) -> None:
        if {_plain_title(key) for key in (email, sid)} & TITLES:
            raise GraderError(f"{self.name}, row {number} is another header: join the sheets under one")
        if ROUNDED.fullmatch(sid):
            raise GraderError(
                f"{self.name}, line {number}: the SID {clean(sid, 40)} was rounded by a spreadsheet program; "
                "export the file again, and do not let a spreadsheet read that column as numbers"
            )


def _about_nobody(who: dict[str, str]) -> bool:
    said = [squeezed(who[key]) for key in ("name", "email", "sid") if who[key]]
    return who["name"].casefold() in NOBODY or (len(said) == 1 and said[0] in SUMMARY)


def _plain_title(title: str) -> str:
    """A header as COLUMNS has it: in lower case, without spaces and punctuation."""
    return squeezed(title).replace(".", "")


def about_course(title: str) -> bool:
    """Whether a header is of a column about the course or a section."""
    plain = _plain_title(title)
    return plain in COLUMNS["course"] or bool(NUMBERED_SECTION.fullmatch(plain))


def usual(title: str) -> bool:
    """Whether nothing is lost where nothing reads a column of this title."""
    return about_course(title) or squeezed(title) in UNREAD


def plain_cell(text: str) -> str:
    """A cell without what programs put around its text: spaces, ``="007"``, the apostrophe before what looks like a formula."""
    text = text.strip()
    quoted = re.fullmatch(r'="([^"]*)"', text)
    return quoted[1].strip() if quoted else uncell(text)


def courses_in(text: str, courses: Iterable[str]) -> list[str]:
    """The courses that a cell names: 447 in ``447``, ``CSE447`` or ``CSE 447 A, CSE 447 AB``, not in ``4470``."""
    found = []
    for course in sorted(courses, key=len, reverse=True):  # 447H before 447
        before, after = (r"\d" if end.isdigit() else r"\w" for end in (course[0], course[-1]))
        text, times = re.subn(rf"(?<!{before}){re.escape(course)}(?!{after})", " ", text, flags=re.IGNORECASE)
        found += [course] * bool(times)
    return found


def read_table(path: Path) -> Table:
    """Read a CSV file with commas, semicolons or tabs, in UTF-8, UTF-16, UTF-32 or Windows-1252.

    Raises GraderError, one line, if it cannot be used, or if a cell that is not empty is to the right of the last title.
    """
    name = clean(path.name)
    text = _text_of(path, name)
    numbered = _numbered(text, name)
    header = _header(numbered)
    if header < 0:
        raise GraderError(f"{name} is empty: expected a header line and a line for each person")
    if len(numbered[header][1]) == 1 and "|" in numbered[header][1][0]:
        raise GraderError(f"{name} has | between its columns: save it with commas, semicolons or tabs")
    if len(numbered) - header - 1 > MAX_ROWS:
        raise _too_much(name)
    titles, rows = [title[:MAX_TITLE].strip() for title in numbered[header][1]], numbered[header + 1 :]
    table = Table(name, titles, rows, text.endswith(("\n", "\r")))
    _refuse_shifted(table)
    return table


def _text_of(path: Path, name: str) -> str:
    """The file's text. Raises GraderError for a file of another kind."""
    try:
        data = read_capped(path, MAX_BYTES)
    except OSError as error:
        raise GraderError(f"cannot read {clean(str(path), 200)}: {clean(reason(error), 120)}") from None
    if kind := kind_of(data):
        raise GraderError(f"{name} is {kind}, not CSV: {AS_CSV}")
    text = decoded(data)
    if "\0" in text:
        raise GraderError(f"{name} has NUL bytes, which no CSV has: {AS_CSV}")
    if sum(line.lstrip().startswith("|") for line in text.split("\n", MAX_LINES)[:MAX_LINES]) > 1:
        raise GraderError(f"{name} is a table in Markdown, not CSV: {AS_CSV}")
    return text


def _numbered(text: str, name: str) -> list[tuple[int, list[str]]]:
    """The rows with their numbers. Raises GraderError for a cell without an end."""
    if named := re.match(r"sep=(.)\r?\n", text):  # Excel's own line about the delimiter
        text = text[named.end() :]
    delimiter = named[1] if named and named[1] in ",;\t" else _delimiter(text)
    try:
        numbered = list(_rows(text, delimiter, name, 1 + bool(named)))
    except csv.Error:  # a cell longer than any
        raise GraderError(f"cannot read {name}: {UNCLOSED}") from None
    if numbered and any("\n" in cell for cell in numbered[-1][1]) and not _is_closed(text, delimiter):
        raise GraderError(f"cannot read {name}: in row {numbered[-1][0]}, {UNCLOSED}")
    return numbered


def _is_closed(text: str, delimiter: str) -> bool:
    """Whether every quote that begins a cell ends; one that does not makes a cell of all that follows."""
    try:
        deque(csv.reader((line[0] for line in LINE.finditer(text)), delimiter=delimiter, strict=True), 0)
    except csv.Error as error:
        return "unexpected end" not in str(error)
    return True


def _refuse_shifted(table: Table) -> None:
    """Raise GraderError for a row that reaches beyond the header: with one cell too many, all behind it are another column's.

    A spreadsheet program pads the header to the longest row, so a column without a title at the right is beyond it, too.
    """
    width = max((index for index, title in enumerate(table.header, 1) if title), default=0)
    for number, row in table.rows:
        if beyond := next((cell for cell in row[width:] if cell.strip()), ""):
            raise GraderError(
                f"{table.name}, row {number}: {clean(beyond, 40)!r} stands to the right of the last title: is the row shifted? "
                "If not, give that column a title"
            )


def _delimiter(text: str) -> str:
    """Spreadsheets use semicolons in locales where the comma is the decimal separator; titles above the header have none."""
    for line in text.split("\n", MAX_TITLES + 1)[: MAX_TITLES + 1]:
        outside = re.sub(r'"[^"]*"', "", line[:MAX_SEPARATORS])
        if any(delimiter in outside for delimiter in ",;\t"):
            return max(",;\t", key=outside.count)
    return ","


def _header(numbered: list[tuple[int, list[str]]]) -> int:
    """The index of the header: the first row with text, or one close below titles and groups of columns."""
    known = {name for names in COLUMNS.values() for name in names}
    said = [sum(_plain_title(cell) in known for cell in row) for _, row in numbered[: MAX_TITLES + 1]]
    first = next((index for index, (_, row) in enumerate(numbered) if any(map(str.strip, row))), -1)
    if 0 <= first < len(said) and not said[first]:
        return next((index for index, number in enumerate(said) if number > 1), first)
    return first


def _rows(text: str, delimiter: str, name: str, first: int) -> Iterator[tuple[int, list[str]]]:
    """The rows with their numbers. Raises GraderError before they are more than a list of people has."""
    separators = cells = 0

    def lines() -> Iterator[str]:
        nonlocal separators
        for line in LINE.finditer(text):
            separators += line[0].count(delimiter)  # of this row, which quotes may spread over many lines
            if separators > MAX_SEPARATORS:
                raise _too_much(name)
            yield line[0]

    for number, row in enumerate(csv.reader(lines(), delimiter=delimiter), first):
        separators, cells = 0, cells + len(row)
        if number > MAX_ROWS + MAX_TITLES or len(row) > MAX_COLUMNS or cells > MAX_CELLS:
            raise _too_much(name)
        yield number, row


def _too_much(name: str) -> GraderError:
    return GraderError(
        f"{name} has more than {MAX_ROWS} rows, {MAX_COLUMNS} columns or {MAX_CELLS} cells: it is no list of people"
    )


def decoded(data: bytes) -> str:
    """The text of a file in UTF-8, UTF-16, UTF-32 or Windows-1252."""
    if wide := wide_encoding(data, SOME_ASCII):
        return data.decode(wide, errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """By which of ``email`` and ``sid`` these two are not one person: both have it, and it differs."""
    pairs = {key: (str(one[key]).casefold(), str(other[key]).casefold()) for key in ("email", "sid")}
    return [key for key, (own, others) in pairs.items() if own and others and own != others]


def unpadded(sid: str) -> str:
    """A number as spreadsheet programs leave it, without leading zeros; any other text as it is."""
    return (sid.lstrip("0") or "0") if sid.isdecimal() else sid


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

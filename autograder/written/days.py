"""Days that belong to people, from files of staff: individual extensions, and the term's late days used before."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from autograder.core.errors import GraderError
from autograder.core.tables import WHO as WHO_COLUMNS
from autograder.core.tables import Table, squeezed
from autograder.core.text import clean, first_of, some_of
from autograder.written.grades import Final
from autograder.written.matching import by_key, contradictions, rows_of, with_zeros
from autograder.written.sheets import Row

CLOSE = 0.85  # addresses of one university are alike in half of their letters
# How a column of days is called in the other of the two kinds of files: not in one of extensions (True), of days used (False).
OTHERS_DAYS = {True: ("latedaysused", "latedays"), False: ("extensiondays",)}


@dataclass
class Days:
    """Days that belong to people, from files of staff: who, how many, where that stands.

    ``files``: how many rows of each file count; ``others``: the days of the rows that were left out because of the assignment
    that they are about, by (file, its name); ``blank``: the rows without days, by file.
    """

    of_this: bool = True  # extensions of this assignment, otherwise late days used for others
    rows: list[Row] = field(default_factory=list)
    files: Counter[str] = field(default_factory=Counter)
    others: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    blank: dict[str, list[int]] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)  # the sources of rows that were somebody's

    def __post_init__(self) -> None:
        self.index = by_key(self.rows)

    def of(self, final: Final) -> list[tuple[int, str]]:
        """(days, where that stands) for each row about a person; one that is about two people is a problem of both."""
        person = Row("the gradebook", final.who, {})
        rows = rows_of(person, self.index)
        final.problems += [problem for row in rows for problem in contradictions(row, person)]
        self.met |= {row.source for row in rows}
        return [(days_of(row), row.source) for row in rows]

    def nobodys(self) -> list[Row]:
        """The rows that ``of`` has given to nobody."""
        return [row for row in self.rows if row.source not in self.met]

    def unused(self, finals: Iterable[Final]) -> Iterator[str]:
        """A line for each row whose person is in neither file."""
        known = [key for final in finals for key in (final.who["email"], final.who["sid"]) if key]
        for row in self.nobodys():
            who = row.who["email"] or row.who["sid"]
            close = difflib.get_close_matches(who, known, 1, CLOSE)
            zeros = with_zeros(who, known)
            meant = f"; {zeros}" if zeros else f"; did you mean {clean(close[0], 60)!r}?" if close else ""
            yield f"no extension given: {row.source}: {clean(who, 60)} is in neither file{meant}"

    def left_out(self, names: tuple[str, ...], policy: str) -> Iterator[str]:
        """A line about rows that do not count, and a question about a file of which none does.

        ``names``: what this assignment is called, last by the policy in the file ``policy``.
        """
        called = " or ".join(repr(clean(name, 60)) for name in names)
        for (file, about), days in self.others.items():
            rows, total = in_rows(len(days)), "" if self.of_this else f" ({in_days(sum(days))})"
            why = "" if self.of_this else ", and late days used before are others'"
            yield f"left out: {file}: {rows}{total} about {clean(about, 60)!r}; this assignment is called {called}{why}"
        for file, numbers in self.blank.items():
            if self.files[file]:
                where = f"row{'s' * (len(numbers) > 1)} {some_of([str(n) for n in numbers], 5)}"
                yield f"left out: {file}: {in_rows(len(numbers))} without days ({where})"
        for file, counted in self.files.items():
            if not counted:
                yield f"nothing in {file} counts: {self._why_nothing(file, names[-1], policy)}?"

    def _why_nothing(self, file: str, name: str, policy: str) -> str:
        """Why no row of the file counts, and what may be the mistake."""
        blank = len(self.blank.get(file, ()))
        about = {other: len(days) for (of, other), days in self.others.items() if of == file}
        if not blank and not about:
            return "it has no row about a person: is it the right file"
        if not about:
            return f"its {in_rows(blank)} {'has' if blank == 1 else 'have'} no days: is it the right file"
        count = sum(about.values()) + blank
        said = " or ".join(first_of([repr(clean(other, 60)) for other in about], 3)) + " or without days" * bool(blank)
        rows = f"its {in_rows(count)} {'is' if count == 1 else 'are'} about {said}"
        return f"{rows}: is `assignment` in {policy} right, as {clean(name, 60)!r}"


def read_days(tables: Iterable[Table], names: tuple[str, ...], of_this: bool) -> Days:
    """The rows of tables with the columns email or sid, days and, where they are about several assignments, assignment.

    ``names``: what this assignment is called; ``of_this``: whether the rows about this one count, or those about the others.
    Raises GraderError, one line, if a file cannot be used.
    """
    read = Days(of_this)
    for table in tables:
        own = list(_rows(table, names, read))
        read.rows += own
        read.files[table.name] += len(own)
    return Days(of_this, read.rows, read.files, read.others, read.blank)


def _rows(table: Table, names: tuple[str, ...], read: Days) -> Iterator[Row]:
    """The rows that count; those that do not are noted in ``read``."""
    _check_columns(table, read.of_this)
    for number, who, _ in table.people((*WHO_COLUMNS, "days", "assignment")):
        about, source = who["assignment"], f"{table.name} row {number}"
        if about:
            _check_about(who, source, names)
        if not who["days"]:
            if read.of_this:
                raise GraderError(f"{source}: days is empty: how many are given? Take the row out if there are none")
            read.blank.setdefault(table.name, []).append(number)
            continue
        _check_days(who, source)
        row = Row(source, who, {})
        if not about or (squeezed(about) in map(squeezed, names)) == read.of_this:
            yield row
        else:
            called = next((key for key in read.others if (key[0], squeezed(key[1])) == (table.name, squeezed(about))), None)
            read.others.setdefault(called or (table.name, about), []).append(days_of(row))


def _check_columns(table: Table, of_this: bool) -> None:
    """Raise GraderError unless the table says whose days they are, and is not of the other kind."""
    if table.column("days") < 0 or table.column("email") < 0 > table.column("sid"):
        raise GraderError(
            f"{table.name}: expected the columns email or sid, and days; it has {clean(', '.join(table.header), 160)}"
        )
    titled, other = table.header[table.column("days")], "--late-days" if of_this else "--extensions"
    if squeezed(titled) in OTHERS_DAYS[of_this]:
        raise GraderError(f"{table.name} has {clean(titled, 30)!r}: does it belong after {other}? If not, call it 'days'")


def _check_about(who: dict[str, str], source: str, names: tuple[str, ...]) -> None:
    """Raise GraderError if a row cannot be about one of several assignments."""
    if len(names) < 2:
        raise GraderError(
            f'{source} names an assignment: say in the policy what this one is called there ([course] assignment = "…")'
        )
    if who["assignment"].isdigit() and not who["days"].isdigit():
        given = f"assignment is {clean(who['assignment'], 30)!r} and days {clean(who['days'], 30)!r}"
        raise GraderError(f"{source}: {given}: are the two swapped?")


def _check_days(who: dict[str, str], source: str) -> None:
    """Raise GraderError unless these are somebody's days."""
    if not re.fullmatch(r"\d{1,3}([.,]0+)?", who["days"]):
        raise GraderError(f"{source}: days is {clean(who['days'], 30)!r}, expected a whole number of days, 0 or more")
    if not who["email"] and not who["sid"]:
        raise GraderError(f"{source}: whose {who['days']} days are these? It has neither email nor sid")


def days_of(row: Row) -> int:
    """The days of a row, which spreadsheet programs may write as 2.0."""
    return int(re.split("[.,]", row.who["days"])[0])


def in_days(days: int) -> str:
    return f"{days} day{'s' * (days != 1)}"


def in_rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}"

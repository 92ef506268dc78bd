"""The rows of a roster CSV: who takes the course, who does not, and where rows about one person disagree."""

from __future__ import annotations

import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from autograder.batch.people import Person, contradiction, same_person, shared
from autograder.core.errors import GraderError
from autograder.core.tables import COLUMNS, ROSTER_COLUMNS, Table, about_course, courses_in, plain_cell, read_table, usual
from autograder.core.text import clean, first_of

STUDENT = "student"
ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
CLOSE = 0.8  # a role that is so much like "student" is mistyped: one letter off, or two swapped


class Listed(NamedTuple):
    """A row: its person, the path of their submission and when it was handed in ('' if it does not say).

    ``line``: its number in the file; ``courses``: all that the row names.
    """

    person: Person
    path: str
    submitted: str
    line: int
    role: str
    courses: tuple[str, ...]


@dataclass
class Listing:
    """A roster's rows: of those who take the course, and of the others. ``name``: the file's, safe to print."""

    name: str
    students: list[Listed] = field(default_factory=list)
    others: list[Listed] = field(default_factory=list)

    def where(self, *lines: int) -> str:
        """The place of these lines, as the beginning of a note."""
        numbers = " and ".join(map(str, sorted(lines)))
        return f"{self.name}, line{'s' * (len(lines) > 1)} {numbers}"

    def agree(self, export: Iterable[Person]) -> Iterator[str]:
        """Make the rows about one person agree, and yield a question about each person of whom they do not.

        Who is in two courses gets none; who is both a student and not, is one. ``export``: its people, who may tie the row
        with an address to the row with a number.
        """
        groups = self._about_one(export)
        yield from self._students_only(groups)
        yield from self._one_course(groups)

    def shared(self) -> list[str]:
        """A question about each two students who have one address or one number, but not both, or not one name."""
        by_key: dict[str, list[Listed]] = defaultdict(list)
        for row in self.students:
            for key in row.person.keys if row.person.email or row.person.sid else ():
                by_key[key].append(row)
        pairs = {(one.line, two.line): (one, two) for rows in by_key.values() for one, two in pairwise(rows)}
        asked = [
            f"{self.where(one.line, two.line)}: {one.person.whole} and {two.person.whole} have the same "
            f"{shared(one.person, two.person)}: whose is it?"
            for one, two in pairs.values()
            if not same_person(one.person, two.person)
        ]
        return first_of(asked, 5)

    def _about_one(self, export: Iterable[Person]) -> list[list[Listed]]:
        """The rows about one person, wherever there are several, by line."""
        rows = [*self.students, *self.others]
        by_key: dict[str, list[Listed]] = defaultdict(list)
        for row in rows:
            for key in row.person.keys:
                by_key[key].append(row)
        groups = dict[tuple[int, ...], list[Listed]]()
        for person in {p.keys: p for p in [*(row.person for row in rows), *export]}.values():
            about = {row.line: row for key in person.keys for row in by_key.get(key, ())}
            lines = tuple(line for line in sorted(about) if not contradiction(person, about[line].person))
            if len(lines) > 1:
                groups[lines] = [about[line] for line in lines]
        return list(groups.values())

    def _students_only(self, groups: list[list[Listed]]) -> Iterator[str]:
        """Drop the other rows of people who have a student's row, too."""
        dropped = set[int]()
        for group in groups:
            student = next((row for row in group if takes_it(row.role)), None)
            others = [row for row in group if not takes_it(row.role)]
            if student and others:
                dropped |= {row.line for row in others}
                roles = f"{student.person.label} is {student.role or 'a student'} and {others[0].role}"
                where = self.where(student.line, others[0].line)
                yield f"{where}: {roles}: graded as a student; take out the line that is wrong"
        self.others = [row for row in self.others if row.line not in dropped]

    def _one_course(self, groups: list[list[Listed]]) -> Iterator[str]:
        """Give each student the one course that the rows about them name; none if they name two."""
        named = {row.line: set(row.courses) for row in self.students}
        told = set[int]()
        for group in ([row for row in group if takes_it(row.role)] for group in groups):
            lines = {row.line for row in group}
            courses = set().union(*(row.courses for row in group))
            for line in lines:
                named[line] |= courses
            if min(len(lines), len(courses)) > 1 and lines - told:
                told |= lines
                which = f"is in {' and '.join(sorted(courses))}: which of them?"
                yield f"{self.where(*lines)}: {group[0].person.label} {which}"
        self.students = [row._replace(person=replace(row.person, course=_only(named[row.line]))) for row in self.students]


def _only(courses: set[str]) -> str:
    return next(iter(courses)) if len(courses) == 1 else ""


def read_listing(path: Path, courses: tuple[str, ...], notes: list[str], asked: list[str], with_paths: bool) -> Listing:
    """The rows of a roster. ``with_paths``: whether they have to say where the submissions are.

    Raises GraderError if the file is not such a roster.
    """
    table = read_table(path)
    _refuse_other_files(table, with_paths)
    asked += [*([table.cut_off] if table.cut_off else []), *_not_understood(table, courses)]
    listing = Listing(table.name)
    for row, course in _rows(table, courses):
        if takes_it(row.role):
            listing.students.append(row)
            notes += _course_problems(course, row.courses, courses, listing.where(row.line))
        else:
            listing.others.append(row)
    asked += [
        f"{listing.where(row.line)}: is the role {row.role!r} Student? It is taken for it"
        for row in listing.students
        if row.role and not row.role.casefold().startswith(STUDENT)
    ]
    if roles := Counter(row.role for row in listing.others):
        left_out = ", ".join(f"{count} {role}" for role, count in sorted(roles.items()))
        notes.append(f"{table.name}: who does not take the course was left out ({left_out})")
    return listing


def _rows(table: Table, courses: tuple[str, ...]) -> Iterator[tuple[Listed, str]]:
    """The rows about people, each with its cell about the course."""
    platforms = table.header[table.column("sid")].strip().casefold() == "id" and "SIS Login ID" in table.header
    for number, cells, _ in table.people(ROSTER_COLUMNS):
        where, when = cells.pop("path"), clean(cells.pop("submitted"), 40)
        who = {kind: clean(text, 200) for kind, text in cells.items()}
        if platforms:  # Canvas's own number of a user, which is no student number
            who["sid"] = ""
        if any(who.values()) or where:
            named = tuple(sorted(courses_in(who["course"], courses)))
            yield Listed(_person(who, where), where, when, number, who["role"], named), who["course"]


def _refuse_other_files(table: Table, with_paths: bool) -> None:
    """Raise GraderError if this is no roster, or lacks the paths that it has to have."""
    if data := _data_in_header(table):
        raise GraderError(
            f"{table.name} has no header row: its first line has {clean(data, 60)}. Put a line with the titles of its columns "
            "above, such as Name,Email,SID,Section,Role"
        )
    if all(table.column(kind) < 0 for kind in ("name", "last", "email", "sid", "path")):
        raise GraderError(
            f"{table.name} is not a roster: its first line should name columns such as name, email, sid, path, course, and has "
            + clean(", ".join(filter(None, table.header)), 200)
        )
    if with_paths and table.column("path") < 0:
        raise GraderError(
            f"{table.name} has no column path, which would say where each submission is: name the folder of submissions, "
            f"and the roster after it (--roster {table.name})"
        )


def _data_in_header(table: Table) -> str:
    """What in the header can be no title: an address, or a number where no title says whose it is; '' if there is nothing."""
    if address := next((title for title in table.header if ADDRESS.fullmatch(plain_cell(title))), ""):
        return address
    number = next((title for title in table.header if re.fullmatch(r"\d{4,}", plain_cell(title))), "")
    return number if table.column("email") < 0 > table.column("sid") else ""


def _not_understood(table: Table, courses: tuple[str, ...]) -> Iterator[str]:
    """A question with the headers that nothing reads, if the roster lacks what it is for."""
    titled = any(about_course(title) for title in table.header)
    lacks = ["course"] * (len(courses) > 1 and not titled)
    lacks += ["email or sid"] * (table.column("email") < 0 > table.column("sid") and table.column("path") < 0)
    read = {table.column(kind) for kind in COLUMNS if kind != "course"}
    unread = [title for at, title in enumerate(table.header) if title and at not in read and not usual(title)]
    if lacks and unread:
        lacks += ["role"] * (table.column("role") < 0)
        yield (
            f"{table.name} has no column {', '.join(lacks)}, and nothing reads {clean(', '.join(unread), 300)}: "
            "is one of these meant, under another title?"
        )


def takes_it(role: str) -> bool:
    """Whether someone of this role takes the course: Student, StudentEnrollment, either mistyped, or no role at all."""
    plain = role.casefold()
    return not role or plain.startswith(STUDENT) or difflib.SequenceMatcher(None, plain, STUDENT).ratio() >= CLOSE


def _person(who: dict[str, str], path: str) -> Person:
    return Person(who["name"] or clean(Path(path).name), who["email"], who["sid"])


def _course_problems(text: str, named: tuple[str, ...], courses: tuple[str, ...], where: str) -> Iterator[str]:
    """A note if a cell about the course names none of the rubric, or several."""
    if text and len(named) != 1:
        which = f"names {' and '.join(named)}: which of them?"
        yield f"{where}: the course {text!r} {which if named else 'is not in the rubric (' + ', '.join(courses) + ')'}"

"""Which rows of which files are about one person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from autograder.core.errors import GraderError
from autograder.core.tables import differing
from autograder.core.text import clean
from autograder.written.sheets import Row

MAX_REPEATED = 50  # rows of one person; more are a mistake in the file


class Pair(NamedTuple):
    """A person's rows in the two files (None: no row), the problems with matching them, and what is said of a missing row."""

    autograded: Row | None
    manual: Row | None
    problems: list[str]
    missing: tuple[str, ...] = ()

    @property
    def rows(self) -> list[Row]:
        """The rows that there are."""
        return [row for row in (self.autograded, self.manual) if row]

    @property
    def sources(self) -> list[str]:
        """Where the two rows stand, '' for none."""
        return [row.source if row else "" for row in (self.autograded, self.manual)]


def pairs(autograded: list[Row], manual: list[Row] | None, gradebook_name: str, manual_name: str) -> Iterator[Pair]:
    """Match the rows of the two files, each row once.

    Two rows belong to one person if their e-mail addresses or their student numbers agree. ``manual``: None without a file.
    """
    autograded_index, manual_index = by_key(autograded), by_key(manual or [])
    used: set[str] = set()
    for row in autograded:
        matches = rows_of(row, manual_index)
        used |= {match.source for match in matches}
        problems = repeated(rows_of(row, autograded_index), gradebook_name) + repeated(matches, manual_name)
        if matches:
            yield Pair(row, matches[0], problems + contradictions(row, matches[0]))
        else:
            missing = () if manual is None else (alone(row, gradebook_name, manual_name),)
            yield Pair(row, None, problems, missing)
    for row in manual or ():
        if row.source not in used:
            problems = repeated(rows_of(row, manual_index), manual_name)
            yield Pair(None, row, problems, (alone(row, manual_name, gradebook_name),))


def alone(row: Row, name: str, other: str) -> str:
    """What to say of a row whose person has none in the other file."""
    if not row.who["email"] and not row.who["sid"]:
        return f"in {name} without an email and a sid, by which its row in {other} is looked for: give `batch` a --roster"
    return f"only in {name}: no row in {other}"


def repeated(rows: list[Row], name: str) -> list[str]:
    return [f"{len(rows)} rows for this person in {name}"] if len(rows) > 1 else []


def contradictions(row: Row, match: Row) -> list[str]:
    """The identifiers in which two rows of one person differ."""
    return [
        f"{column} is {row.who[column]} in {row.source} and {match.who[column]} in {match.source}"
        for column in differing(row.who, match.who)
    ]


def by_key(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    """Rows by (column, value) of e-mail address and student number."""
    index: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        for column in ("email", "sid"):
            if row.who[column]:
                rows_of_key = index.setdefault((column, row.who[column].casefold()), [])
                rows_of_key.append(row)
                if len(rows_of_key) > MAX_REPEATED:
                    raise GraderError(f"{row.source}: the {column} {clean(row.who[column])} is in over {MAX_REPEATED} rows")
    return index


def rows_of(row: Row, index: dict[tuple[str, str], list[Row]]) -> list[Row]:
    """All rows of the same person in an index from ``by_key``."""
    keys = [(column, row.who[column].casefold()) for column in ("email", "sid")]
    return list({other.source: other for key in keys for other in index.get(key, ())}.values())

"""Who declared to have worked together: pairs of such people are marked among those that look alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from autograder.batch.people import Person
from autograder.batch.roster import Roster
from autograder.core.errors import GraderError
from autograder.core.tables import read_table, unpadded
from autograder.core.text import clean

SEPARATORS = (r"[;\n]", ",", r"\s")
Called = dict[str, set[frozenset[str]]]  # what somebody may be called -> the keys of everyone who may be


def mark_declared(pairs: list[dict[str, Any]], roster: Roster, path: Path) -> list[str]:
    """Mark, in place, the pairs of people who declared that they worked together; returns a line for each unknown person.

    ``path``: a CSV file with the columns email or sid, and with: who else, several separated by spaces, commas or semicolons.
    A name will do where one person has it. Raises GraderError if the file is none.
    """
    table = read_table(path)
    if table.column("with") < 0 or table.column("email") < 0 > table.column("sid"):
        raise GraderError(f"{table.name}: expected the columns email or sid, and with (whom)")
    called = _called([person for entry in roster.entries for person in entry.people])
    groups, unknown = list[set[str]](), list[str]()
    for number, who, _ in table.people(("email", "sid", "with")):
        cells = "\n".join([who["email"], who["sid"], who["with"]])
        named = sorted(set(_parts(cells, called, SEPARATORS)))
        groups.append(_keys_of(named, called))
        unknown += [f"{table.name} row {number}: {line}" for line in _unknown(named, called)]
    keys = {entry.id: set().union(*(person.keys for person in entry.people)) for entry in roster.entries}
    for pair in pairs:
        pair["declared"] = any(group & keys[pair["one"]] and group & keys[pair["other"]] for group in groups)
    return unknown


def _keys_of(named: Iterable[str], called: Called) -> set[str]:
    """The keys of those who are named without doubt."""
    return set().union(*(keys for part in named if len(called.get(part, ())) == 1 for keys in called[part]))


def _unknown(named: Iterable[str], called: Called) -> Iterator[str]:
    for part in named:
        people = len(called.get(part, ()))
        if people != 1:
            whose = f"{people} people who submitted are" if people else "nobody who submitted is"
            yield f"{whose} called {clean(part, 60)}; an address or SID is expected"


def _called(people: list[Person]) -> Called:
    """Everyone by address and number, and by what nobody has for one: name, netid, number without zeros; in lower case."""
    called: Called = {}
    for person in people:
        for key in person.keys:
            called.setdefault(key, set()).add(person.keys)
    exact = set(called)
    for person in people:
        for text in {_words(person.name), person.email.casefold().partition("@")[0], unpadded(person.sid)} - exact - {""}:
            called.setdefault(text, set()).add(person.keys)
    return {text: {frozenset([text])} if text in exact else keys for text, keys in called.items()}


def _words(name: str) -> str:
    """A name's words in one order, so that "Lovelace, Ada" is Ada Lovelace."""
    return " ".join(sorted(re.findall(r"[^\s,;]+", name.casefold())))


def _parts(cell: str, called: Called, separators: tuple[str, ...]) -> list[str]:
    """Who is in a cell: one person, or what stands between separators. Words that name nobody stay one name."""
    if not cell.strip():
        return []
    if (whole := _words(cell)) in called or not separators:
        return [whole]
    parts = [found for part in re.split(separators[0], cell) for found in _parts(part, called, separators[1:])]
    if len(separators) == 1 and not any("@" in part or part in called for part in parts):
        return [" ".join(cell.casefold().split())]
    return parts

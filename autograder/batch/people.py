"""People and their submissions, and what happens when two submissions claim one person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from autograder.core.moments import moment
from autograder.core.tables import differing
from autograder.core.text import some_of

DATED = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d")


@dataclass(frozen=True)
class Person:
    """One student. ``course`` is '' if unknown; ``contested``: why it is not settled which submission is theirs, or ''.

    ``namesake``: whether somebody else in the class has this name; ``submitted``: when it was submitted by a roster,
    for this person alone, or ''.
    """

    name: str = ""
    email: str = ""
    sid: str = ""
    course: str = ""
    contested: str = ""
    namesake: bool = False
    submitted: str = ""

    @property
    def keys(self) -> frozenset[str]:
        """What identifies the person: e-mail address and student number, else the name. One in common is enough."""
        return frozenset(key.casefold() for key in (self.email, self.sid) if key) or frozenset([self.name.casefold()])

    @property
    def label(self) -> str:
        """What to call the person: the name, and the address or number where the name is not enough."""
        more = self.email or self.sid
        return f"{self.name} <{more}>" if self.namesake and self.name and more else self.name or more


class Absent(NamedTuple):
    """Someone of whom there is nothing to grade, and why; ``missing``: the folder or file that should be there, or ''."""

    person: Person
    why: str
    missing: str = ""


def contradiction(one: Person, other: Person) -> str:
    """``email`` or ``sid`` if both have one and it differs, else ''."""
    return next(iter(differing(vars(one), vars(other))), "")


@dataclass
class Entry:
    """One submission. ``id`` names its results file; ``created`` is the export's timestamp.

    ``earlier``: the score of the first upload, where the export has its history; ``exported``: its people by
    the export; ``granted``: the keys of the people to whom the roster gives this submission by its path, with the line that
    does.
    """

    id: str
    path: Path
    people: list[Person]
    created: str = ""
    earlier: float | None = None
    exported: tuple[Person, ...] = ()
    granted: dict[str, str] = field(default_factory=dict)

    def given_by(self, person: Person) -> str:
        """The line of the roster that gives the submission to this person, or ''."""
        return next((self.granted[key] for key in sorted(person.keys) if key in self.granted), "")


def settle(entries: list[Entry]) -> Iterator[str]:
    """Leave everyone with one submission, in place, and yield a note for each that does not count.

    The roster's word decides, or else the export's time, if the same people submitted again. Any other two claims are left
    for staff: both count, and the person is ``contested`` in both.
    """
    decided = [(*claim, winner(*claim[1:])) for claim in _claimed_twice(entries)]
    for entry, person, rivals, chosen in decided:
        if chosen is None:
            contested = replace(person, contested=why_contested(person, rivals))
            entry.people[entry.people.index(person)] = contested
        elif chosen is not entry:
            entry.people.remove(person)
            yield f"{person.label} submitted twice: {chosen.id} counts, {entry.id} does not"


def _claimed_twice(entries: list[Entry]) -> Iterator[tuple[Entry, Person, list[Entry]]]:
    """(submission, person, all submissions that name the person), where there are several."""
    claims: dict[str, list[int]] = {}
    for index, entry in enumerate(entries):
        entry.people = list({person.keys: person for person in reversed(entry.people)}.values())[::-1]
        for key in frozenset().union(*(person.keys for person in entry.people)):
            claims.setdefault(key, []).append(index)
    for entry in entries:
        for person in entry.people:
            rivals = sorted({index for key in person.keys for index in claims[key]})
            if len(rivals) > 1:
                yield entry, person, [entries[index] for index in rivals]


def why_contested(person: Person, rivals: list[Entry]) -> str:
    named = some_of([entry.id for entry in rivals], 4)
    return (
        f"not settled: {named} are each said to be {person.label}'s; move the wrong one away, or name the right one in a "
        "roster (--roster, with path)"
    )


def winner(person: Person, rivals: list[Entry]) -> Entry | None:
    """The submission that counts for a person whom several claim; None if that is for staff to say."""
    granted = [entry for entry in rivals if entry.granted.keys() & person.keys]
    if granted:
        return granted[0] if len(granted) == 1 else None
    same_people = len({frozenset(person.keys for person in entry.people) for entry in rivals}) == 1
    return _latest(rivals) if same_people else None


def _latest(rivals: list[Entry]) -> Entry | None:
    """The submission that came last; None if their times do not say so."""
    moments = [moment(entry.created) for entry in rivals]
    times: list[Any] = moments if all(moments) else [entry.created for entry in rivals]
    if (any(moments) and not all(moments)) or not all(DATED.match(entry.created) for entry in rivals):
        return None
    last = max(times)
    return rivals[times.index(last)] if times.count(last) == 1 else None

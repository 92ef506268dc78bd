"""People and their submissions, and what happens when two submissions claim one person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from autograder.core.moments import moment
from autograder.core.tables import differing
from autograder.core.text import name_words, some_of

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

    @property
    def whole(self) -> str:
        """The person with all that identifies them."""
        more = ", ".join(filter(None, [self.email, self.sid]))
        return f"{self.name} <{more}>" if self.name and more else self.name or more


class Absent(NamedTuple):
    """Someone of whom there is nothing to grade, and why; ``missing``: the folder or file that should be there, or ''.

    ``doubtful``: whether a submission that is there may be theirs.
    """

    person: Person
    why: str
    missing: str = ""
    doubtful: bool = False

    @property
    def nothing(self) -> bool:
        """Whether they have submitted nothing, for all that is known."""
        return not self.missing and not self.doubtful


def contradiction(one: Person, other: Person) -> str:
    """``email`` or ``sid`` if both have one and it differs, else ''."""
    return next(iter(differing(vars(one), vars(other))), "")


def alike(one: Person, other: Person) -> bool:
    """Whether two names may be one person's: one is not given, or they have a word in common."""
    words = name_words(one.name), name_words(other.name)
    return not all(words) or bool(words[0] & words[1])


def same_name(one: Person, other: Person) -> bool:
    """Whether two names are the same, but for what one of them leaves out."""
    words = name_words(one.name), name_words(other.name)
    return words[0] <= words[1] or words[1] <= words[0]


def same_person(one: Person, other: Person) -> bool:
    """Whether an address or a number is the same, none differs, and the names may be one person's."""
    return bool(one.keys & other.keys) and not contradiction(one, other) and alike(one, other)


def shared(one: Person, other: Person) -> str:
    """What two have in common, in words: ``address``, ``SID`` or both."""
    kinds = {"address": (one.email, other.email), "SID": (one.sid, other.sid)}
    return " and ".join(kind for kind, (a, b) in kinds.items() if a and a.casefold() == b.casefold()) or "name"


@dataclass
class Entry:
    """One submission. ``id`` names its results file; ``created`` is the export's timestamp.

    ``earlier``: the score of the first upload, where the export has its history; ``exported``: its people by
    the export; ``granted``: the people to whom the roster gives this submission by its path, each with the line that does.
    """

    id: str
    path: Path
    people: list[Person]
    created: str = ""
    earlier: float | None = None
    exported: tuple[Person, ...] = ()
    granted: list[tuple[Person, str]] = field(default_factory=list)

    def given_by(self, person: Person) -> str:
        """The line of the roster that gives the submission to this person, or ''."""
        return next((where for one, where in self.granted if same_person(one, person)), "")


def settle(entries: list[Entry]) -> Iterator[str]:
    """Leave everyone with one submission, in place, and yield a note for each that does not count.

    The roster's word decides, or else the export's time, if the same people submitted again. Any other two claims are left
    for staff: both count, and the person is ``contested`` in both; so is who shares an address or a number with somebody else.
    """
    decided = [(*claim, winner(*claim)) for claim in _claimed_twice(entries)]
    for entry, person, rivals, chosen in decided:
        if chosen is None:
            contested = replace(person, contested=why_contested(entry, person, rivals))
            entry.people[entry.people.index(person)] = contested
        elif chosen is not entry:
            entry.people.remove(person)
            where = chosen.given_by(person)
            counts = f"{where}: {chosen.id} counts for {person.label}" if where else ""
            yield f"{counts or f'{person.label} submitted twice: {chosen.id} counts'}, {entry.id} does not"


def _claimed_twice(entries: list[Entry]) -> Iterator[tuple[Entry, Person, list[Entry]]]:
    """(submission, person, all submissions that name the person), where there are several and nothing else is in doubt."""
    claims: dict[str, list[int]] = {}
    for index, entry in enumerate(entries):
        twice = {(person.keys, name_words(person.name)): person for person in reversed(entry.people)}
        entry.people = list(twice.values())[::-1]
        for key in frozenset().union(*(person.keys for person in entry.people)):
            claims.setdefault(key, []).append(index)
    for entry in entries:
        for person in entry.people:
            rivals = sorted({index for key in person.keys for index in claims[key]})
            if len(rivals) > 1 and not person.contested:
                yield entry, person, [entries[index] for index in rivals]


def why_contested(entry: Entry, person: Person, rivals: list[Entry]) -> str:
    for other in (one for one in rivals if one is not entry):
        for somebody in _apart(person, other):
            whose = f"{entry.id} is {person.whole}'s and {other.id} {somebody.whole}'s"
            return (
                f"not settled: {whose}, with the same {shared(person, somebody)}; give each of them the path of what is theirs "
                "in a roster (--roster), or move the wrong one away"
            )
    named = some_of([one.id for one in rivals], 4)
    return (
        f"not settled: {named} are each said to be {person.label}'s; move the wrong one away, or name the right one in a "
        "roster (--roster, with path)"
    )


def _apart(person: Person, entry: Entry) -> list[Person]:
    """The people of a submission who share an address or a number with somebody and are not certainly the same person."""
    sharing = [one for one in entry.people if one.keys & person.keys]
    return [one for one in sharing if contradiction(one, person) or not same_name(one, person)]


def winner(entry: Entry, person: Person, rivals: list[Entry]) -> Entry | None:
    """The submission that counts for a person of ``entry`` whom several claim; None if that is for staff to say."""
    granted = [rival for rival in rivals if rival.given_by(person)]
    if granted:
        return granted[0] if len(granted) == 1 else None
    same_people = len({frozenset(one.keys for one in rival.people) for rival in rivals}) == 1
    one_name = all(not _apart(one, rival) for one in entry.people for rival in rivals)
    return _latest(rivals) if same_people and one_name else None


def _latest(rivals: list[Entry]) -> Entry | None:
    """The submission that came last; None if their times do not say so."""
    moments = [moment(entry.created) for entry in rivals]
    times: list[Any] = moments if all(moments) else [entry.created for entry in rivals]
    if (any(moments) and not all(moments)) or not all(DATED.match(entry.created) for entry in rivals):
        return None
    last = max(times)
    return rivals[times.index(last)] if times.count(last) == 1 else None

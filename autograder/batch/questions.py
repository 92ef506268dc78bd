"""Questions to staff about what may be a mistake in a roster or an export: they are asked before anything is graded."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from autograder.batch.listed import Listing
from autograder.batch.metadata import METADATA
from autograder.batch.people import Absent, Entry, Person
from autograder.written.lateness import moment


def others_submissions(entries: list[Entry]) -> Iterator[str]:
    """Whether a submission that a roster gives somebody by its path is theirs, if the export alone says that it is others'."""
    for entry in entries:
        if not entry.exported or any(person.keys & entry.granted.keys() for person in entry.exported):
            continue
        for person in entry.people:
            if where := next((entry.granted[key] for key in sorted(person.keys) if key in entry.granted), ""):
                whose = " and ".join(f"{person.label}'s" for person in entry.exported[:3])
                yield f"{where}: {entry.id} is {whose} by {METADATA}: is it {person.label}'s, too?"


def unreadable_times(entries: list[Entry]) -> Iterator[str]:
    """The times of submission that say no moment."""
    for entry in entries:
        if entry.created and moment(entry.created) is None:
            where = entry.timed_by or entry.id
            yield (
                f"{where}: the time of submission {entry.created!r} cannot be read, so `finalise` will not know who was late: "
                "it should be like 2024-02-09 23:59:00 -08:00, with its time zone"
            )


def one_person(entries: list[Entry], absent: list[Absent], listing: Listing) -> Iterator[str]:
    """Whether someone whom the roster does not know is the one of the same name there who has submitted nothing."""
    known = {key for row in listing.students for key in row.person.keys}
    nothing = {_words(one.person.name): one.person for one in absent if one.person.name and not one.missing}
    for entry in entries:
        for person in entry.people:
            other = nothing.get(_words(person.name))
            if other and not person.keys & known and other.keys & known:
                yield (f"one person? {named(person)} of {entry.id} is not in {listing.name}, where {named(other)} has nothing")


def _words(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", name.casefold()))


def named(person: Person) -> str:
    """A person's name with what tells them from others of that name."""
    return replace(person, namesake=True).label


def mark_namesakes(entries: list[Entry], absent: list[Absent]) -> None:
    """Let the labels of different people of one name tell them apart, in place."""
    keys: dict[str, list[frozenset[str]]] = defaultdict(list)
    for person in [*(person for entry in entries for person in entry.people), *(one.person for one in absent)]:
        keys[person.name.casefold()].append(person.keys)
    shared = {name for name, all_keys in keys.items() if name and len(set(all_keys)) > 1 and _differ(all_keys)}
    for entry in entries:
        entry.people = [replace(person, namesake=person.name.casefold() in shared) for person in entry.people]
    absent[:] = [one._replace(person=replace(one.person, namesake=one.person.name.casefold() in shared)) for one in absent]


def _differ(all_keys: list[frozenset[str]]) -> bool:
    """Whether some of these are of different people."""
    return any(not keys & all_keys[0] for keys in all_keys)

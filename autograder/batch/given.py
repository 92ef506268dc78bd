"""What the rows of a roster give: a submission by its path, a course, or a line that somebody has submitted nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.batch.listed import Listed, Listing
from autograder.batch.metadata import METADATA
from autograder.batch.outputs import exists, resolved, safe_id, short_hash
from autograder.batch.people import Absent, Entry, Person, alike, contradiction, same_name, same_person, shared
from autograder.batch.questions import named
from autograder.core.text import clean

if TYPE_CHECKING:
    from autograder.batch.roster import Roster


def give(listing: Listing, folder: Path, roster: Roster) -> None:
    """Add the submissions that a roster's rows name by path (relative to ``folder``); fill in the courses of the others."""
    by_path = {resolved(entry.path): entry for entry in roster.entries}
    by_key = _by_key(roster.entries)
    for row in listing.students:
        if row.path and _add_row(row, folder / row.path, by_path, roster, listing):
            roster.absent = [one for one in roster.absent if not _known(one, row.person)]
            continue
        nothing, sharing = _nothing_of(row, listing, roster), _sharing(row.person, by_key)
        if not any(_is_theirs(one, row.person, listing) for _, one in sharing):
            _add_absent(_in_doubt(nothing, *sharing[0]) if sharing and nothing.nothing else nothing, roster)
        _give_course([entry for entry, _ in sharing], row, listing, roster.notes)
    _give_times(roster.entries)


def _sharing(person: Person, by_key: dict[str, list[Entry]]) -> list[tuple[Entry, Person]]:
    """Everyone who shares an address or a number with a person, each with their submission."""
    entries = {entry.id: entry for key in sorted(person.keys) for entry in by_key.get(key, ())}
    return [(entry, one) for entry in entries.values() for one in entry.people if one.keys & person.keys]


def _nothing_of(row: Listed, listing: Listing, roster: Roster) -> Absent:
    """Why there is nothing of a row's person if the folder has nothing; a path that does not exist is a note, too."""
    if row.path:
        there = f"{listing.where(row.line)}: {named(row.person)}: the path {clean(row.path)} does not exist"
        roster.notes.append(f"{there} (paths in a roster start at its own folder)")
        return Absent(row.person, f"the roster names {clean(row.path)}, which does not exist", clean(row.path))
    if roster.unnamed:
        return Absent(row.person, f"{METADATA} is missing, which would say what they submitted", METADATA)
    return Absent(row.person, "not submitted: the folder has no submission of theirs")


def _may_be(one: Person, person: Person) -> bool:
    """Whether somebody who shares an address or a number with a person is the same one, perhaps with one that is wrong."""
    return not contradiction(one, person) or alike(one, person)


def _is_theirs(one: Person, person: Person, listing: Listing) -> bool:
    """The same, and no other row of the roster has this name beside it."""
    named_so = alike(one, person) or not any(same_person(row.person, one) for row in listing.students)
    return _may_be(one, person) and named_so


def _known(absent: Absent, person: Person) -> bool:
    """Whether an absent person is this one, whatever the export calls somebody of whom a folder is missing."""
    one = absent.person
    return bool(one.keys & person.keys) and not contradiction(one, person) and bool(absent.missing or alike(one, person))


def _in_doubt(absent: Absent, entry: Entry, other: Person) -> Absent:
    why = f"it is not settled whose {entry.id} is, which has their {shared(absent.person, other)} and is {other.whole}'s"
    return absent._replace(why=why, doubtful=True)


def _add_absent(absent: Absent, roster: Roster) -> None:
    """Note that there is nothing of this person; once, where the export names them, too, without a folder."""
    known = [one for one in roster.absent if _known(one, absent.person)]
    roster.absent = [one for one in roster.absent if one not in known]
    course = next((one.person.course for one in [absent, *known] if one.person.course), "")
    roster.absent.append((known[0] if known else absent)._replace(person=replace((known or [absent])[0].person, course=course)))


def _give_course(entries: list[Entry], row: Listed, listing: Listing, notes: list[str]) -> None:
    """Give the people of these submissions the row's course; a row that may be about somebody else is a note."""
    for entry in {entry.id: entry for entry in entries}.values():
        for at, person in enumerate(entry.people):
            if not person.keys & row.person.keys:
                continue
            if not (kind := contradiction(person, row.person)):
                entry.people[at] = replace(person, course=row.person.course)
            elif not any(same_person(one.person, person) for one in listing.students):  # else that row is theirs
                two, one = ("addresses", "SID") if kind == "email" else ("SIDs", "address")
                both = f"{row.person.whole} and {person.whole} of {entry.id}"
                notes.append(f"{listing.where(row.line)}: {both} have one {one} and two {two}: whose is it?")


def _by_key(entries: list[Entry]) -> dict[str, list[Entry]]:
    """The submissions that name a person, by each of the person's keys."""
    by_key: dict[str, list[Entry]] = {}
    for entry in entries:
        for key in {key for person in entry.people for key in person.keys}:
            by_key.setdefault(key, []).append(entry)
    return by_key


def _add_row(row: Listed, path: Path, by_path: dict[Path, Entry], roster: Roster, listing: Listing) -> bool:
    """Make the person of the row the author of the submission at ``path``; False if there is none."""
    person = replace(row.person, submitted=row.submitted)
    entry = by_path.get(resolved(path))
    if entry is None:
        if not exists(path):
            return False
        id = safe_id(row.path)
        if any(other.id == id for other in roster.entries):  # a file of the same name in another folder
            id = f"{id[:60]}-{short_hash(str(resolved(path)))}"
        entry = by_path[resolved(path)] = Entry(id, path, [])
        roster.entries.append(entry)
    # The roster's word replaces a name that was taken from the folder's, and what the export says of the same person.
    entry.people = [one for one in entry.people if (one.email or one.sid) and not _replaced(one, person, listing)] + [person]
    entry.granted.append((person, listing.where(row.line)))
    return True


def _replaced(one: Person, person: Person, listing: Listing) -> bool:
    """Whether what the export says of ``one`` is about ``person``: by an address or a number, or by the name alone.

    By the name where all else in the export is somebody's of another name.
    """
    if one.keys & person.keys:
        return _may_be(one, person)
    owners = [row.person for row in listing.students if row.person.keys & one.keys]
    return bool(owners and one.name and person.name and same_name(one, person)) and not any(alike(own, one) for own in owners)


def _give_times(entries: list[Entry]) -> None:
    """The time of submission by the roster is the submission's where it is everyone's: else it is that person's alone."""
    for entry in entries:
        times = {person.submitted for person in entry.people}
        if len(times) == 1 and times != {""}:
            entry.created = times.pop()

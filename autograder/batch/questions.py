"""Questions to staff about what may be a mistake in a roster or an export: they are asked before anything is graded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

from autograder.batch.listed import Listed, Listing
from autograder.batch.metadata import METADATA, without_folder
from autograder.batch.people import Absent, Entry, Person, alike, contradiction, same_name, shared
from autograder.core.moments import moment
from autograder.core.text import clean, name_words, some_of

LIKE = "2024-02-09 23:59:00 -08:00"


def others_submissions(entries: list[Entry]) -> Iterator[str]:
    """Whether a submission that a roster gives somebody by its path is theirs, if the export alone says that it is others'."""
    for entry in entries:
        if not entry.exported or any(map(entry.given_by, entry.exported)):
            continue
        gone = _replaced(entry)
        if any(alike(person, one) for person in gone for one, _ in entry.granted):
            continue
        whose = " and ".join(f"{person.label}'s" for person in entry.exported[:3])
        too = "" if gone else ", too"
        for person in entry.people:
            if where := entry.given_by(person):
                yield f"{where}: {entry.id} is {whose} by {METADATA}: is it {person.label}'s{too}?"


def _replaced(entry: Entry) -> list[Person]:
    """The people of a submission by the export in whose place the roster has put somebody."""
    left = {(person.keys, person.name) for person in entry.people}
    return [person for person in entry.exported if (person.keys, person.name) not in left]


def others_names(entries: list[Entry], absent: list[Absent], listing: Listing) -> Iterator[str]:
    """Whose a submission is that has the name of somebody who has nothing, and the address or number of another.

    Neither gets it until staff say so: both are marked, in place.
    """
    about = _finder(listing.students)
    nothing = {name_words(one.person.name): at for at, one in enumerate(absent) if not one.missing}
    for entry, at, person in [(one, at, person) for one in entries for at, person in enumerate(one.people)]:
        words, rows = name_words(person.name), about(person)
        if not words or words not in nothing or not rows or entry.given_by(person):
            continue
        if any(same_name(row.person, person) for row in rows):
            continue
        lost, owner = absent[nothing[words]], rows[0].person
        theirs = f"the {shared(owner, person)} of {owner.whole}"
        whose = f"{entry.id} has the name of {lost.person.whole} and {theirs}"
        advice = "give it to the right one in a roster (--roster, with path)"
        entry.people[at] = replace(person, contested=f"not settled: {whose}; {advice}")
        why = f"it is not settled whose {entry.id} is, which has their name and {theirs}"
        absent[nothing[words]] = lost._replace(why=why, doubtful=True)
        yield f"{whose}: whose is it?"


def times_without_path(entries: list[Entry], listing: Listing) -> Iterator[str]:
    """The times of a roster that are not the export's and do not count, because nothing says of which submission they are."""
    created = {key: entry.created for entry in entries for person in entry.people for key in person.keys}
    for row in listing.students:
        if not row.submitted or row.path:
            continue
        exports = next((created[key] for key in sorted(row.person.keys) if created.get(key)), "")
        if moment(row.submitted) is None or moment(row.submitted) != moment(exports):
            other = f"the export has {exports}" if exports else "nothing else says when"
            yield (
                f"{listing.where(row.line)}: the time of submission {row.submitted!r} has no path beside it, so it does not "
                f"count ({other}): is it meant? Then give the path, too, and a time like {LIKE}"
            )


def unreadable_times(entries: list[Entry]) -> Iterator[str]:
    """The times of submission that say no moment."""
    for entry in entries:
        times = {entry.given_by(person) if person.submitted else entry.id: person.submitted for person in entry.people}
        for where, time in {where: time or entry.created for where, time in times.items()}.items():
            if time and moment(time) is None:
                yield (
                    f"{where}: the time of submission {time!r} cannot be read, so `finalise` will not know who was late: "
                    f"it should be like {LIKE}, with its time zone"
                )


def moved_away(entries: list[Entry], absent: list[Absent]) -> Iterator[str]:
    """Take out of ``absent``, in place, those of whom a folder is missing and another one is there.

    Staff are told to move the wrong one of two away; but a damaged export looks the same, so each such folder is a question.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for one in [one for one in absent if one.missing]:
        if theirs := [entry.id for entry in entries if any(_one(one.person, person) for person in entry.people)]:
            absent.remove(one)
            if one.why == without_folder(one.missing):  # a path that is wrong has been told of
                found[one.missing].append(f"{' and '.join(theirs)} {'is' if len(theirs) == 1 else 'are'} {one.person.label}'s")
    for missing, others in found.items():
        yield (
            f"{missing} is in {METADATA} and not in the folder; {some_of(others)}, too: was the wrong one moved "
            "away? If not, export the submissions again"
        )


def left_out(entries: list[Entry], absent: list[Absent], listing: Listing) -> Iterator[str]:
    """Leave out, in place, who does not take the course by a roster, and yield a question for each who has submitted.

    A row that shares an address or a number with somebody and has another of the other kind may be about somebody else: it
    takes nobody out.
    """
    about = _finder(listing.others)
    told = [(row, row.person, clean(row.path)) for row in listing.others if row.path]
    doubtful = list[str]()
    for entry, person in [(one, person) for one in entries for person in one.people]:
        sharing = about(person)
        if theirs := _theirs(sharing, person):
            entry.people.remove(person)
            told.append((theirs, person, entry.id))
        elif sharing:
            doubtful.append(_whose_row(listing, sharing[0], person, entry))
    absent[:] = [one for one in absent if not _theirs(about(one.person), one.person)]
    yield from (
        f"{listing.where(row.line)}: {person.label} is {row.role} there, so {what} is left out: is that right? Who takes "
        "the course has the role Student, or none"
        for row, person, what in told
    )
    yield from doubtful


def _theirs(rows: list[Listed], person: Person) -> Listed | None:
    """The first of the rows that is about this person and nobody else."""
    return next((row for row in rows if _one(row.person, person)), None)


def _finder(rows: list[Listed]) -> Callable[[Person], list[Listed]]:
    """Finds the rows that share an address or a number with a person."""
    by_key: dict[str, list[Listed]] = defaultdict(list)
    for row in rows:
        for key in row.person.keys:
            by_key[key].append(row)
    return lambda person: [row for key in sorted(person.keys) for row in by_key.get(key, ())]


def _whose_row(listing: Listing, row: Listed, person: Person, entry: Entry) -> str:
    kind = contradiction(row.person, person)
    shared, other = ("SID", "address") if kind == "email" else ("address", "SID")
    return (
        f"{listing.where(row.line)}: {named(row.person)} is {row.role} there, and {named(person)} of {entry.id} has the same "
        f"{shared} and another {other}: is it one person? {entry.id} is graded"
    )


def _one(one: Person, other: Person) -> bool:
    """Whether two are one person: an address or a number is the same, and none differs."""
    return bool(one.keys & other.keys) and not contradiction(one, other)


def one_person(entries: list[Entry], absent: list[Absent], listing: Listing) -> Iterator[str]:
    """Whether someone whom the roster does not know is the one of the same name there who has submitted nothing."""
    known = {key for row in listing.students for key in row.person.keys}
    nothing = {name_words(one.person.name): one.person for one in absent if one.person.name and one.nothing}
    for entry in entries:
        for person in entry.people:
            other = nothing.get(name_words(person.name))
            if other and not person.keys & known and other.keys & known:
                yield (f"one person? {named(person)} of {entry.id} is not in {listing.name}, where {named(other)} has nothing")


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

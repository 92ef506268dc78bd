"""The last run in an output folder: whose submissions it graded, so that no other class takes its place in silence."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from autograder.batch.metadata import METADATA
from autograder.batch.outputs import EXPORTED, resolved
from autograder.batch.people import Entry, Person
from autograder.batch.roster import Roster
from autograder.core.errors import GraderError
from autograder.core.files import is_ordinary
from autograder.core.tables import read_table
from autograder.core.text import clean, some_of

GRADEBOOK, SUBMISSION = "gradebook.csv", "Submission ID"

Former = dict[str, list[Person]]  # submission id -> whose it is


def read_former(output: Path) -> Former:
    """Whose submissions the gradebook in this folder has; nothing if there is none, or it cannot be read."""
    former: Former = {}
    try:
        if not is_ordinary(output / GRADEBOOK):
            return former
        table = read_table(output / GRADEBOOK)
        where = table.header.index(SUBMISSION)
        for _, who, cells in table.people(("name", "email", "sid")):
            if cells[where]:
                former.setdefault(cells[where], []).append(Person(who["name"], who["email"], who["sid"]))
    except (OSError, ValueError, GraderError):
        return {}
    return former


def refuse_other_class(former: Former, output: Path, source: Path, roster: Roster) -> None:
    """Raise GraderError if what is in ``source`` has nobody and nothing of the last run in ``output``, or no names any more.

    Nor may the output be a folder of submissions itself, or lie in one: the next run would take it for somebody's.
    """
    _refuse_export(output)
    known, people = list(itertools.chain(*former.values())), list(itertools.chain(*(e.people for e in roster.entries)))
    where, there = clean(str(source), 200), clean(str(output), 200)
    if former and former.keys().isdisjoint(entry.id for entry in roster.entries) and _keys(known).isdisjoint(_keys(people)):
        few = some_of([clean(id) for id in former])
        raise GraderError(
            f"nothing was changed: {where} has nobody and no submission of the last run in {there} ({few}). "
            "If it is the right folder, name another --output, or move that one away"
        )
    if roster.unnamed and _identified(known) and not _identified(people):
        raise GraderError(
            f"nothing was changed: {METADATA} is missing from {where}, and {GRADEBOOK} in {there} has names from it: "
            "export the submissions again, or name another --output"
        )
    _refuse_inside(output, [*([source] if source.is_dir() else []), *(entry.path for entry in roster.entries)])


def gone_since(former: Former, entries: list[Entry]) -> Iterator[str]:
    """A question if people of the last run have nothing any more: the folder may be an older export, or another part."""
    ids, now = {entry.id for entry in entries}, {key for entry in entries for key in _keys(entry.people)}
    gone = [id for id, people in former.items() if id not in ids and now.isdisjoint(_keys(people))]
    if gone:
        whole = (
            f"{len(gone)} of the last run's {len(former)} submissions {'does' if len(gone) == 1 else 'do'} not count any more"
        )
        few = some_of([clean(id) for id in gone])
        yield f"{whole}, and nothing else of their people does ({few}): is this the whole class?"


def _refuse_export(output: Path) -> None:
    """Raise GraderError if submissions lie in the output folder."""
    try:
        found = [
            path for path in output.iterdir() if path.name == METADATA or (EXPORTED.fullmatch(path.name) and path.is_dir())
        ]
    except OSError:  # it is not there, or told of when it is written to
        return
    if found:
        raise GraderError(
            f"{clean(str(output), 200)} is a folder of submissions ({clean(found[0].name)}), and results belong beside it: "
            "name another --output"
        )


def _refuse_inside(output: Path, folders: list[Path]) -> None:
    """Raise GraderError if the output folder lies in one of these."""
    above = set(resolved(output).parents)
    if within := next((folder for folder in folders if resolved(folder) in above), None):
        raise GraderError(
            f"{clean(str(output), 200)} lies in {clean(str(within), 200)}, of which the next run would take it for a part: "
            "name an --output outside"
        )


def _keys(people: list[Person]) -> set[str]:
    return {key for person in people for key in person.keys}


def _identified(people: list[Person]) -> bool:
    return any(person.email or person.sid for person in people)

"""Who submitted what: a Gradescope export, a folder of submissions, or a roster CSV.

Who someone is, and when they submitted, comes from what staff or Gradescope wrote beside the submissions, never from inside
one. All names are untrusted text. What cannot be used becomes one line in ``notes`` and does not stop the rest.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from autograder.batch.given import give
from autograder.batch.listed import Listed, read_listing
from autograder.batch.metadata import METADATA, Submitted, read_metadata, without_folder
from autograder.batch.outputs import EXPORTED, exists, safe_id
from autograder.batch.people import Absent, Entry, Person, settle
from autograder.batch.questions import (
    left_out,
    mark_namesakes,
    moved_away,
    one_person,
    others_names,
    others_submissions,
    times_without_path,
    unreadable_times,
)
from autograder.batch.tied import tie
from autograder.checks.formats import ARCHIVE, kind_of_file
from autograder.checks.naming import stem_of
from autograder.checks.notebook import CODE
from autograder.core.errors import GraderError
from autograder.core.text import clean, first_of, reason, some_of

EXPORT = re.compile(r"assignment_\d+_export( \(\d+\))?")  # Gradescope's name for the folder in its zip
WITHOUT_METADATA = (
    f"{METADATA} is missing, by which Gradescope says whose each folder is, so names are taken from the folders: is that "
    "right? If not, export the submissions again"
)


@dataclass
class Roster:
    """All submissions that count, in a fixed order, and those of whom there is nothing to grade.

    ``strange``: the name of a roster in which nobody is who submitted, '' otherwise; ``asked``: what may be a mistake;
    ``unnamed``: whether it is an export without the file that says whose its folders are.
    """

    entries: list[Entry] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    strange: str = ""
    unnamed: bool = False
    notes: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


def read_roster(source: Path, listed: Path | None, courses: tuple[str, ...]) -> Roster:
    """The submissions in ``source``, a folder or a roster CSV; ``listed``: a roster CSV with their people and courses.

    Raises GraderError if there is nothing to grade.
    """
    source, roster, listing = Path(source), Roster(), None
    if not _read_source(source, roster):
        listed = source
    if listed is not None:
        listing = read_listing(Path(listed), courses, roster.notes, roster.asked, with_paths=listed is source)
        roster.asked += tie(listing, _people(roster))
        roster.asked += listing.agree(_people(roster))
        roster.asked += listing.shared()
        give(listing, Path(listed).parent, roster)
    mark_namesakes(roster.entries, roster.absent)
    if listing is not None:
        roster.strange = "" if roster.unnamed or _meets(listing.students, roster) else listing.name
        roster.asked += left_out(roster.entries, roster.absent, listing)
        roster.asked += [*others_submissions(roster.entries), *one_person(roster.entries, roster.absent, listing)]
        roster.asked += others_names(roster.entries, roster.absent, listing)
        roster.asked += first_of(list(times_without_path(roster.entries, listing)), 3)
    roster.notes += settle(roster.entries)
    roster.entries = [entry for entry in roster.entries if entry.people]
    roster.asked += moved_away(roster.entries, roster.absent)
    roster.entries.sort(key=lambda entry: natural(entry.id))
    if not roster.entries:
        said = [*roster.notes, *roster.asked][:3]
        raise GraderError(f"no submissions in {clean(str(source))}" + "".join(f"; {note}" for note in said))
    roster.asked += first_of(list(unreadable_times(roster.entries)), 3)
    return roster


def _read_source(source: Path, roster: Roster) -> bool:
    """Add the submissions of a folder; False for a roster CSV. Raises GraderError for anything else."""
    if not is_folder(source):
        return False
    try:
        _add_folder(source, roster)
    except OSError as error:
        raise GraderError(f"cannot read {clean(str(source))}: {error.strerror}") from None
    return True


def is_folder(source: Path) -> bool:
    """Whether submissions lie in this folder; False for a roster CSV. Raises GraderError for anything else."""
    try:
        if source.is_dir() or (source.suffix.lower() == ".csv" and source.is_file()):
            return source.is_dir()
        there = os.path.lexists(source)
    except (OSError, ValueError) as error:
        raise GraderError(f"cannot read {clean(str(source))}: {reason(error)}") from None
    if not there:
        raise GraderError(f"there is no {clean(str(source), 200)}: expected a folder of submissions or a roster CSV")
    raise GraderError(
        f"{clean(str(source))} is neither a folder of submissions nor a roster CSV"
        + ("; unpack the export first" if kind_of_file(source.name) == ARCHIVE else "")
    )


def _meets(rows: list[Listed], roster: Roster) -> bool:
    """Whether anyone who submitted is in the rows of a roster, or it has none."""
    known = {key for row in rows for key in row.person.keys}
    return not rows or any(person.keys & known for entry in roster.entries for person in entry.people)


def before_grading(roster: Roster, courses: tuple[str, ...], course: str) -> list[str]:
    """What staff should know before anything is graded; ``course``: what people get for whom the roster has none."""
    without = without_course(roster, courses, course)
    return [*first_of(roster.asked), without] if without else asked_about(roster)


def asked_about(roster: Roster) -> list[str]:
    """Questions about the roster, each a line for staff."""
    return [*first_of(roster.asked), *[_strangers(roster)] * bool(roster.strange)]


def _strangers(roster: Roster) -> str:
    return f"nobody who submitted is found in {roster.strange} by address or SID: is it this class's?"


def without_course(roster: Roster, courses: tuple[str, ...], course: str) -> str:
    """Who has no course, in a line for staff; '' if everyone has one, or there is only one. ``course``: what they get."""
    people = list(dict.fromkeys(_people(roster)))
    lost = [person.label for person in people if not person.course]
    if not lost or len(courses) == 1:
        return ""
    if roster.strange:
        return f"{_strangers(roster)} All are graded as course {course}"
    who = "nobody has a" if len(lost) == len(people) else f"{len(lost)} of {len(people)} people have no"
    names = "" if len(lost) == len(people) else ": " + ", ".join(lost[:5]) + (", …" if len(lost) > 5 else "")
    return (
        f"{who} course from a roster{names}. They are graded as course {course}; "
        f"a roster's column Course or Sections says who takes {' or '.join(courses)} (--roster)"
    )


def _people(roster: Roster) -> list[Person]:
    return [*(p for entry in roster.entries for p in entry.people), *(one.person for one in roster.absent)]


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts submission_9 before submission_10."""
    parts = re.split(r"(\d+)", text)
    return tuple((0, int(part), "") if part.isdecimal() and len(part) < 19 else (1, 0, part) for part in parts)


def _add_folder(folder: Path, roster: Roster) -> None:
    """Add every submission in a folder, with people from Gradescope's metadata if there is any beside them."""
    children = _visible(folder)
    if len(children) == 1 and EXPORT.fullmatch(children[0].name) and children[0].is_dir():
        folder, children = children[0], _visible(children[0], hidden=".")  # an export inside a folder of its own
    _refuse_folder_above(folder, children)
    exported = any(map(_exported, children))
    metadata = read_metadata(folder / METADATA, roster.notes, exported)
    roster.unnamed = exported and not exists(folder / METADATA)
    roster.asked += [WITHOUT_METADATA] * roster.unnamed
    for path in children:
        if path.name == METADATA:
            continue
        if _may_be_handed_in(path):
            roster.entries.append(_entry(path, metadata.pop(path.name, Submitted()), roster.notes))
        else:
            roster.notes.append(f"{clean(path.name)} is not a submission and was left out")
    roster.asked += _without_record(folder, roster.entries)
    for name, record in metadata.items():
        roster.absent += _without_folder(clean(name), record)


def _may_be_handed_in(path: Path) -> bool:
    return path.is_dir() or path.is_symlink() or kind_of_file(path.name) in (CODE, ARCHIVE)


def _refuse_folder_above(folder: Path, children: list[Path]) -> None:
    """Raise GraderError if all that lies in the folder is one export, which would be graded as one submission."""
    only = [path for path in children if _may_be_handed_in(path)]
    if len(only) != 1 or not only[0].is_dir() or _exported(only[0]) or not exists(only[0] / METADATA):
        return
    if any(map(_exported, _visible(only[0]))):
        inside = clean(only[0].name)
        raise GraderError(
            f"{clean(str(folder), 200)} holds one folder, {inside}, which is an export of a class: name that folder"
        )


def _without_folder(name: str, record: Submitted) -> list[Absent]:
    return [Absent(person, without_folder(name), name) for person in record.people]


def _exported(path: Path) -> bool:
    return bool(EXPORTED.fullmatch(path.name))


def _without_record(folder: Path, entries: list[Entry]) -> list[str]:
    """A line if an export's metadata lacks some of its folders."""
    nobodys = [e.id for e in entries if _exported(e.path) and not any(p.email or p.sid for p in e.people)]
    if not nobodys or not exists(folder / METADATA):
        return []
    named = some_of(nobodys)
    return [f"{METADATA} has no address and no SID for {named}: is it cut off? If so, export the submissions again"]


def _visible(folder: Path, hidden: str | tuple[str, ...] = (".", "__MACOSX")) -> list[Path]:
    """A folder's children, sorted, without those whose names begin with a prefix in ``hidden``."""
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith(hidden)]


def _entry(path: Path, record: Submitted, notes: list[str]) -> Entry:
    """One submission in a folder; without people in the metadata beside it, its name stands for its author."""
    if path.is_dir() and exists(path / METADATA):
        notes.append(
            f"{clean(path.name)}/{METADATA} is inside a submission and was not read"
            + ("" if record.people else "; if it is an export's, grade that folder itself")
        )
    name = path.name if path.is_dir() else stem_of(path.name)
    people, exported = record.people or [Person(name=clean(name))], tuple(record.people)
    return Entry(safe_id(path.name), path, people, record.created, record.earlier, exported)

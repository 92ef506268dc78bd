"""Who submitted what: a Gradescope export, a folder of submissions, or a roster CSV.

Who someone is, and when they submitted, comes from what staff or Gradescope wrote beside the submissions, never from inside
one. All names are untrusted text. What cannot be used becomes one line in ``notes`` and does not stop the rest.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.batch.listed import Listed, Listing, read_listing
from autograder.batch.metadata import METADATA, Submitted, read_metadata, without_folder
from autograder.batch.outputs import EXPORTED
from autograder.batch.people import Absent, Entry, Person, contradiction, settle
from autograder.batch.questions import (
    left_out,
    mark_namesakes,
    moved_away,
    named,
    one_person,
    others_submissions,
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
HASHED = re.compile(r"-[0-9a-f]{16}$")


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
        _apply(listing, Path(listed).parent, roster)
    mark_namesakes(roster.entries, roster.absent)
    if listing is not None:
        roster.strange = "" if roster.unnamed or _meets(listing.students, roster) else listing.name
        roster.asked += left_out(roster.entries, roster.absent, listing)
        roster.asked += [*others_submissions(roster.entries), *one_person(roster.entries, roster.absent, listing)]
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


def safe_id(name: str) -> str:
    """A file name for a submission's results that is safe to use: the same for the same ``name``, another for any other."""
    if re.fullmatch(r"\w[\w .-]{0,79}", name, re.ASCII) and not name.endswith((".", " ")) and not HASHED.search(name):
        return name
    slug = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII).strip("._-")[:60] or "submission"
    return f"{slug}-{_hash(name)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _add_folder(folder: Path, roster: Roster) -> None:
    """Add every submission in a folder, with people from Gradescope's metadata if there is any beside them."""
    children = _visible(folder)
    if len(children) == 1 and EXPORT.fullmatch(children[0].name) and children[0].is_dir():
        folder, children = children[0], _visible(children[0], hidden=".")  # an export inside a folder of its own
    exported = any(map(_exported, children))
    metadata = read_metadata(folder / METADATA, roster.notes, exported)
    roster.unnamed = exported and not _exists(folder / METADATA)
    roster.asked += [WITHOUT_METADATA] * roster.unnamed
    for path in children:
        if path.name == METADATA:
            continue
        if path.is_dir() or path.is_symlink() or kind_of_file(path.name) in (CODE, ARCHIVE):
            roster.entries.append(_entry(path, metadata.pop(path.name, Submitted()), roster.notes))
        else:
            roster.notes.append(f"{clean(path.name)} is not a submission and was left out")
    roster.asked += _without_record(folder, roster.entries)
    for name, record in metadata.items():
        roster.absent += _without_folder(clean(name), record)


def _without_folder(name: str, record: Submitted) -> list[Absent]:
    return [Absent(person, without_folder(name), name) for person in record.people]


def _exported(path: Path) -> bool:
    return bool(EXPORTED.fullmatch(path.name))


def _without_record(folder: Path, entries: list[Entry]) -> list[str]:
    """A line if an export's metadata lacks some of its folders."""
    nobodys = [e.id for e in entries if _exported(e.path) and not any(p.email or p.sid for p in e.people)]
    if not nobodys or not _exists(folder / METADATA):
        return []
    named = some_of(nobodys)
    return [f"{METADATA} has no address and no SID for {named}: is it cut off? If so, export the submissions again"]


def _visible(folder: Path, hidden: str | tuple[str, ...] = (".", "__MACOSX")) -> list[Path]:
    """A folder's children, sorted, without those whose names begin with a prefix in ``hidden``."""
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith(hidden)]


def _entry(path: Path, record: Submitted, notes: list[str]) -> Entry:
    """One submission in a folder; without people in the metadata beside it, its name stands for its author."""
    if path.is_dir() and _exists(path / METADATA):
        notes.append(
            f"{clean(path.name)}/{METADATA} is inside a submission and was not read"
            + ("" if record.people else "; if it is an export's, grade that folder itself")
        )
    name = path.name if path.is_dir() else stem_of(path.name)
    people, exported = record.people or [Person(name=clean(name))], tuple(record.people)
    return Entry(safe_id(path.name), path, people, record.created, record.earlier, exported)


def _apply(listing: Listing, folder: Path, roster: Roster) -> None:
    """Add the submissions that a roster's rows name by path (relative to ``folder``); fill in the courses of the others."""
    by_path = {_resolved(entry.path): entry for entry in roster.entries}
    by_key = _by_key(roster.entries)
    for row in listing.students:
        person, nothing = row.person, Absent(row.person, "not submitted: the folder has no submission of theirs")
        if roster.unnamed:
            nothing = Absent(person, f"{METADATA} is missing, which would say what they submitted", METADATA)
        if row.path:
            if _add_row(row, folder / row.path, by_path, roster, listing.where(row.line)):
                roster.absent = [one for one in roster.absent if not one.person.keys & person.keys]
                continue
            why = f"the roster names {clean(row.path)}, which does not exist"
            there = f"{listing.where(row.line)}: {named(person)}: the path {clean(row.path)} does not exist"
            roster.notes.append(f"{there} (paths in a roster start at its own folder)")
            nothing = Absent(person, why, clean(row.path))
        entries = [entry for key in person.keys for entry in by_key.get(key, ())]
        if not entries:
            _add_absent(nothing, roster)
        _give_course(entries, person, roster.notes)


def _give_course(entries: list[Entry], person: Person, notes: list[str]) -> None:
    for entry in entries:
        entry.people = [_with_course(p, person, notes) if p.keys & person.keys else p for p in entry.people]


def _add_absent(absent: Absent, roster: Roster) -> None:
    """Note that there is nothing of this person; once, where the export names them, too, without a folder."""
    known = [one for one in roster.absent if one.person.keys & absent.person.keys]
    roster.absent = [one for one in roster.absent if one not in known]
    course = next((one.person.course for one in [absent, *known] if one.person.course), "")
    roster.absent.append((known[0] if known else absent)._replace(person=replace((known or [absent])[0].person, course=course)))


def _with_course(person: Person, listed: Person, notes: list[str]) -> Person:
    """A person of the export with the roster's course, unless the roster's row is about somebody else, too."""
    if kind := contradiction(person, listed):
        own, other = getattr(person, kind), getattr(listed, kind)
        notes.append(f"the {kind} of {person.label} is {other} in the roster and {own} in the export: whose is it?")
        return person
    return replace(person, course=listed.course)


def _by_key(entries: list[Entry]) -> dict[str, list[Entry]]:
    """The submissions that name a person, by each of the person's keys."""
    by_key: dict[str, list[Entry]] = {}
    for entry in entries:
        for key in {key for person in entry.people for key in person.keys}:
            by_key.setdefault(key, []).append(entry)
    return by_key


def _add_row(row: Listed, path: Path, by_path: dict[Path, Entry], roster: Roster, where: str) -> bool:
    """Make the person of the row, which is ``where``, the author of the submission at ``path``; False if there is none."""
    person = replace(row.person, submitted=row.submitted)
    entry = by_path.get(_resolved(path))
    if entry is None:
        if not _exists(path):
            return False
        id = safe_id(row.path)
        if any(other.id == id for other in roster.entries):  # a file of the same name in another folder
            id = f"{id[:60]}-{_hash(str(_resolved(path)))}"
        entry = by_path[_resolved(path)] = Entry(id, path, [])
        roster.entries.append(entry)
    # The roster's word replaces a name that was taken from the folder's, and what the export says of the same person.
    entry.people = [p for p in entry.people if (p.email or p.sid) and not p.keys & person.keys] + [person]
    entry.granted |= dict.fromkeys(person.keys, where)
    if row.submitted and all(one.keys & entry.granted.keys() for one in entry.people):  # else it is the others' time, too
        entry.created = row.submitted
    return True


def _resolved(path: Path) -> Path:
    """The path with links resolved, or the absolute path if that fails."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name that is too long
        return path.absolute()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, RuntimeError, ValueError):
        return False

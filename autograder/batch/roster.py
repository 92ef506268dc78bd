"""Who submitted what: a Gradescope export, a folder of submissions, or a roster CSV.

Who someone is, and when they submitted, comes from what staff or Gradescope wrote beside the submissions, never from inside
one. All names are untrusted text. What cannot be used becomes one line in ``notes`` and does not stop the rest.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.batch.metadata import METADATA, Submitted, read_metadata
from autograder.batch.people import Entry, Person, settle
from autograder.checks.formats import ARCHIVE, kind_of_file
from autograder.checks.naming import stem_of
from autograder.checks.notebook import CODE
from autograder.core.errors import GraderError
from autograder.core.tables import Table, read_table
from autograder.core.text import clean

ROSTER_COLUMNS = ("name", "first", "last", "email", "sid", "course", "path")
EXPORT = re.compile(r"assignment_\d+_export( \(\d+\))?")  # Gradescope's name for the folder in its zip
HASHED = re.compile(r"-[0-9a-f]{16}$")


@dataclass
class Roster:
    """All submissions that count, in a fixed order. ``absent``: (person, why there is nothing to grade)."""

    entries: list[Entry] = field(default_factory=list)
    absent: list[tuple[Person, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_roster(source: Path, listed: Path | None, courses: tuple[str, ...]) -> Roster:
    """The submissions in ``source``, a folder or a roster CSV; ``listed``: a roster CSV with their people and courses.

    Raises GraderError if there is nothing to grade.
    """
    source, roster = Path(source), Roster()
    try:
        if source.is_dir():
            _add_folder(source, roster)
        elif source.suffix.lower() == ".csv" and source.is_file():
            listed = source
        else:
            raise GraderError(
                f"{clean(str(source))} is neither a folder of submissions nor a roster CSV"
                + ("; unpack the export first" if kind_of_file(source.name) == ARCHIVE else "")
            )
    except OSError as error:
        raise GraderError(f"cannot read {clean(str(source))}: {error.strerror}") from None
    if listed is not None:
        _apply(_read_csv(Path(listed), courses, roster.notes), Path(listed).parent, roster)
    roster.notes += settle(roster.entries)
    roster.entries = [entry for entry in roster.entries if entry.people]
    roster.entries.sort(key=lambda entry: natural(entry.id))
    if not roster.entries:
        raise GraderError(f"no submissions in {clean(str(source))}" + "".join(f"; {note}" for note in roster.notes[:3]))
    return roster


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
    metadata = read_metadata(folder / METADATA, roster.notes)
    for path in children:
        if path.name == METADATA:
            continue
        if path.is_dir() or path.is_symlink() or kind_of_file(path.name) in (CODE, ARCHIVE):
            roster.entries.append(_entry(path, metadata.pop(path.name, Submitted()), roster.notes))
        else:
            roster.notes.append(f"{clean(path.name)} is not a submission and was left out")
    for name, record in metadata.items():
        for person in record.people:
            roster.absent.append((person, f"{clean(name)} is listed in {METADATA}, but there is no such folder"))


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
    return Entry(safe_id(path.name), path, record.people or [Person(name=clean(name))], record.created)


def _read_csv(path: Path, courses: tuple[str, ...], notes: list[str]) -> list[tuple[Person, str]]:
    """(person, path or '') for each row. Raises GraderError if the file is not a roster."""
    table = read_table(path)
    columns = {kind: table.column(kind) for kind in ROSTER_COLUMNS}
    if all(columns[kind] < 0 for kind in ("name", "last", "email", "sid", "path")):
        raise GraderError(
            f"{clean(str(path))} is not a roster: its first line should name columns such as name, email, sid, path, course"
        )
    people = []
    for number, row in table.rows:
        cells = {kind: row[index].strip() if 0 <= index < len(row) else "" for kind, index in columns.items()}
        path_cell = cells.pop("path")
        who = {kind: clean(text, 200) for kind, text in cells.items()}
        if any(who.values()) or path_cell:
            people.append((_person(who, path_cell, courses, table, number, notes), path_cell))
    return people


def _person(who: dict[str, str], path: str, courses: tuple[str, ...], table: Table, number: int, notes: list[str]) -> Person:
    """The person in row ``number``; adds a note if the course is not in the rubric."""
    course = next((c for c in courses if re.search(rf"\b{re.escape(c)}\b", who["course"])), "")
    if who["course"] and not course:
        notes.append(f"{table.name}, line {number}: no course {who['course']!r} in the rubric ({', '.join(courses)})")
    name = who["name"] or f"{who['first']} {who['last']}".strip()
    return Person(name or clean(Path(path).name), who["email"], who["sid"], course)


def _apply(rows: list[tuple[Person, str]], folder: Path, roster: Roster) -> None:
    """Add the submissions that a roster's rows name by path (relative to ``folder``); fill in the courses of the others."""
    by_path = {_resolved(entry.path): entry for entry in roster.entries}
    by_key = _by_key(roster.entries)
    for person, where in rows:
        if where:
            _add_row(person, where, folder / where, by_path, roster)
            continue
        entries = [entry for key in person.keys for entry in by_key.get(key, ())]
        if not entries:
            roster.absent.append((person, "not submitted: the folder has no submission of theirs"))
        for entry in entries:
            entry.people = [replace(p, course=person.course) if p.keys & person.keys else p for p in entry.people]


def _by_key(entries: list[Entry]) -> dict[str, list[Entry]]:
    """The submissions that name a person, by each of the person's keys."""
    by_key: dict[str, list[Entry]] = {}
    for entry in entries:
        for key in {key for person in entry.people for key in person.keys}:
            by_key.setdefault(key, []).append(entry)
    return by_key


def _add_row(person: Person, where: str, path: Path, by_path: dict[Path, Entry], roster: Roster) -> None:
    """Make the person the author of the submission at ``path``, which the roster calls ``where``."""
    entry = by_path.get(_resolved(path))
    if entry is None:
        if not _exists(path):
            problem = f"the roster names {clean(where)}, which does not exist"
            roster.notes.append(problem)
            roster.absent.append((person, f"not submitted: {problem}"))
            return
        id = safe_id(where)
        if any(other.id == id for other in roster.entries):  # a file of the same name in another folder
            id = f"{id[:60]}-{_hash(str(_resolved(path)))}"
        entry = by_path[_resolved(path)] = Entry(id, path, [])
        roster.entries.append(entry)
    # The roster's word replaces a name that was taken from the folder's, and what the export says of the same person.
    entry.people = [p for p in entry.people if (p.email or p.sid) and not p.keys & person.keys] + [person]
    entry.granted |= person.keys


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

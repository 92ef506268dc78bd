"""Who submitted what: a Gradescope export, a folder of submissions, or a roster CSV.

All names in them are untrusted text. What cannot be used becomes one line in ``notes`` and does not stop the rest.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from autograder.checks.formats import ARCHIVE, kind_of_file
from autograder.checks.notebook import CODE
from autograder.core.errors import GraderError
from autograder.core.tables import Table, read_table
from autograder.core.text import clean

METADATA = "submission_metadata.yml"
MAX_METADATA = 256 << 20
ROSTER_COLUMNS = ("name", "first", "last", "email", "sid", "course", "path")


@dataclass(frozen=True)
class Person:
    """One student. ``course`` is '' if unknown."""

    name: str = ""
    email: str = ""
    sid: str = ""
    course: str = ""

    @property
    def key(self) -> str:
        """Identifies the person: the e-mail address, else the student number, else the name."""
        return self.email.lower() or self.sid or self.name


@dataclass
class Entry:
    """One submission. ``id`` names its results file; ``created`` is the export's timestamp."""

    id: str
    path: Path
    people: list[Person]
    created: str = ""


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
    _keep_latest(roster)
    roster.entries.sort(key=lambda entry: natural(entry.id))
    if not roster.entries:
        raise GraderError(f"no submissions in {clean(str(source))}" + "".join(f"; {note}" for note in roster.notes[:3]))
    return roster


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts submission_9 before submission_10."""
    parts = re.split(r"(\d+)", text)
    return tuple((0, int(part), "") if part.isdecimal() and len(part) < 19 else (1, 0, part) for part in parts)


def safe_id(name: str) -> str:
    """A file name for a submission's results that is safe to use; the same ``name`` always gives the same one."""
    if re.fullmatch(r"\w[\w .-]{0,79}", name, re.ASCII) and not name.endswith((".", " ")):
        return name
    slug = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII).strip("._")[:60] or "submission"
    return f"{slug}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _add_folder(folder: Path, roster: Roster) -> None:
    """Add every submission in a folder, with people from Gradescope's metadata if there is any."""
    children = _visible(folder)
    if len(children) == 1 and children[0].is_dir() and (children[0] / METADATA).exists():
        folder, children = children[0], _visible(children[0], hidden=".")  # an export inside a folder of its own
    metadata = _metadata(folder / METADATA, roster.notes)
    for path in children:
        if path.name == METADATA:
            continue
        if path.is_dir() or path.is_symlink() or kind_of_file(path.name) in (CODE, ARCHIVE):
            roster.entries.append(_entry(path, metadata.pop(path.name, None), roster.notes))
        else:
            roster.notes.append(f"{clean(path.name)} is not a submission and was left out")
    for name, record in metadata.items():
        for person in _people(record)[0]:
            roster.absent.append((person, f"{clean(str(name))} is listed in {METADATA}, but there is no such folder"))


def _visible(folder: Path, hidden: str | tuple[str, ...] = (".", "__MACOSX")) -> list[Path]:
    """A folder's children, sorted, without those whose names begin with a prefix in ``hidden``."""
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith(hidden)]


def _entry(path: Path, record: object, notes: list[str]) -> Entry:
    """One submission in a folder; without a metadata record its own metadata file, or else its name, gives the people."""
    if record is None and path.is_dir():
        record = _metadata(path / METADATA, notes) or None
    people, created = _people(record)
    name = path.name if path.is_dir() else path.stem
    return Entry(safe_id(path.name), path, people or [Person(name=clean(name))], created)


def _metadata(path: Path, notes: list[str]) -> dict[Any, Any]:
    """Gradescope's YAML: folder -> record. All scalars stay text, so that a student number keeps its leading zeros."""
    try:
        if not path.exists():
            return {}
        if path.stat().st_size > MAX_METADATA:
            raise OSError(0, f"over {MAX_METADATA >> 20} MB")
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        tree = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
        if tree is None or tree == "":
            return {}
        if not isinstance(tree, dict):
            raise ValueError("it is not a mapping")
        return tree
    except OSError as error:
        why = error.strerror
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        why = f"line {mark.line + 1}: {getattr(error, 'problem', '')}" if mark else str(error)
    notes.append(
        f"{clean('/'.join(path.parts[-2:]))} could not be read ({clean(str(why), 120)}); names are taken from the folders"
    )
    return {}


def _people(record: object) -> tuple[list[Person], str]:
    """(submitters, timestamp) of a metadata record; anything malformed is left out."""
    if not isinstance(record, dict):
        return [], ""
    submitters = record.get(":submitters", record.get("submitters"))
    people = []
    for entry in submitters if isinstance(submitters, list) else []:
        if isinstance(entry, dict):
            who = {key: clean(str(entry.get(f":{key}", entry.get(key, "")) or ""), 200) for key in ("name", "email", "sid")}
            people += [Person(**who)] if any(who.values()) else []
    return people, clean(str(record.get(":created_at", record.get("created_at", ""))), 40)


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
    by_key = {key: entry for entry in roster.entries for person in entry.people for key in _keys(person)}
    for person, where in rows:
        if where:
            _add_row(person, where, folder / where, by_path, roster)
            continue
        entry = next((by_key[key] for key in _keys(person) if key in by_key), None)
        if entry is None:
            roster.absent.append((person, "not submitted: the folder has no submission of theirs"))
        else:
            entry.people = [replace(p, course=person.course) if set(_keys(p)) & set(_keys(person)) else p for p in entry.people]


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
            id = f"{id}-{hashlib.sha256(str(_resolved(path)).encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
        entry = by_path[_resolved(path)] = Entry(id, path, [])
        roster.entries.append(entry)
    entry.people = [p for p in entry.people if p.email or p.sid] + [person]


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


def _keys(person: Person) -> list[str]:
    return [key for key in (person.email.lower(), person.sid) if key] or [person.name]


def _keep_latest(roster: Roster) -> None:
    """Keep only each person's latest submission (without timestamps, the last one listed)."""
    latest: dict[str, tuple[str, int]] = {}
    for index, entry in enumerate(roster.entries):
        for person in entry.people:
            latest[person.key] = max(latest.get(person.key, ("", -1)), (entry.created, index))
    for index, entry in enumerate(roster.entries):
        for person in list(entry.people):
            chosen = latest[person.key][1]
            if chosen != index:
                entry.people.remove(person)
                roster.notes.append(
                    f"{person.name or person.key} submitted twice: {roster.entries[chosen].id} counts, {entry.id} does not"
                )
    roster.entries = [entry for entry in roster.entries if entry.people]

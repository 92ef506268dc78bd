"""Who handed in what: a Gradescope export, a folder of submissions, or a roster CSV.

Every name in them is somebody else's text. What cannot be used costs one line in ``notes``; the rest goes on.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from autograder.checks.formats import ARCHIVE, CODE, kind_of_file
from autograder.core.errors import GraderError
from autograder.core.tables import read_table
from autograder.core.text import clean

METADATA = "submission_metadata.yml"
MAX_METADATA = 256 << 20


@dataclass(frozen=True)
class Person:
    """One student. ``course`` is '' where nothing says which."""

    name: str = ""
    email: str = ""
    sid: str = ""
    course: str = ""

    @property
    def key(self) -> str:
        """What makes two entries the same person: the e-mail address, else the number, else the name."""
        return self.email.lower() or self.sid or self.name


@dataclass
class Entry:
    """One submission: ``id`` names its results file; ``created`` is the export's time stamp."""

    id: str
    path: Path
    people: list[Person]
    created: str = ""


@dataclass
class Roster:
    """All submissions that count, in a fixed order; ``without``: (person, why there is nothing to grade)."""

    entries: list[Entry] = field(default_factory=list)
    without: list[tuple[Person, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_roster(source: Path, listed: Path | None, courses: tuple[str, ...]) -> Roster:
    """The submissions of ``source`` (a folder or a roster CSV), people and courses from ``listed`` where given.

    Raises GraderError where there is nothing to grade.
    """
    source, roster = Path(source), Roster()
    try:
        if source.is_dir():
            _folder(source, roster)
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
    _latest_only(roster)
    roster.entries.sort(key=lambda entry: natural(entry.id))
    if not roster.entries:
        raise GraderError(f"no submissions in {clean(str(source))}" + "".join(f"; {note}" for note in roster.notes[:3]))
    return roster


def natural(text: str) -> tuple:
    """A sort key by which submission_9 comes before submission_10."""
    parts = re.split(r"(\d+)", text)
    return tuple((0, int(part), "") if part.isdecimal() and len(part) < 19 else (1, 0, part) for part in parts)


def safe_id(name: str) -> str:
    """A file name of our own for a submission's results; the same name always gives the same one."""
    if re.fullmatch(r"\w[\w .-]{0,79}", name, re.ASCII) and not name.endswith((".", " ")):
        return name
    slug = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII).strip("._")[:60] or "submission"
    return f"{slug}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _folder(folder: Path, roster: Roster) -> None:
    """Every submission in a folder; people from Gradescope's metadata where there are any."""
    children = [p for p in sorted(folder.iterdir()) if not p.name.startswith((".", "__MACOSX"))]
    if len(children) == 1 and children[0].is_dir() and (children[0] / METADATA).exists():
        folder, children = children[0], sorted(children[0].iterdir())  # the export's own folder inside
    metadata = _metadata(folder / METADATA, roster.notes)
    for path in children:
        if path.name == METADATA or path.name.startswith("."):
            continue
        if not path.is_dir() and kind_of_file(path.name) not in (CODE, ARCHIVE) and not path.is_symlink():
            roster.notes.append(f"{clean(path.name)} is no submission and was left out")
            continue
        known = metadata.pop(path.name, None)
        if known is None and path.is_dir():
            known = _metadata(path / METADATA, roster.notes) or None
        people, created = _people(known)
        name = path.name if path.is_dir() else path.stem
        roster.entries.append(Entry(safe_id(path.name), path, people or [Person(name=clean(name))], created))
    for name, known in metadata.items():
        for person in _people(known)[0]:
            roster.without.append((person, f"{clean(str(name))} is listed in {METADATA}, but no such folder is there"))


def _metadata(path: Path, notes: list[str]) -> dict:
    """Gradescope's YAML: folder -> its record. All scalars stay text, so that a student number keeps its zeros."""
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
    """(submitters, time stamp) of one record; whatever is not as expected is left out."""
    if not isinstance(record, dict):
        return [], ""
    found = record.get(":submitters", record.get("submitters"))
    people = []
    for entry in found if isinstance(found, list) else []:
        if isinstance(entry, dict):
            told = {key: clean(str(entry.get(f":{key}", entry.get(key, "")) or ""), 200) for key in ("name", "email", "sid")}
            people += [Person(**told)] if any(told.values()) else []
    return people, clean(str(record.get(":created_at", record.get("created_at", ""))), 40)


def _read_csv(path: Path, courses: tuple[str, ...], notes: list[str]) -> list[tuple[Person, str]]:
    """(person, path or '') for each row. Raises GraderError for a file that is no roster."""
    table = read_table(path)
    at = {kind: table.column(kind) for kind in ("name", "first", "last", "email", "sid", "course", "path")}
    if not any(at[kind] >= 0 for kind in ("name", "last", "email", "sid", "path")):
        raise GraderError(
            f"{clean(str(path))} is no roster: its first line should name columns such as name, email, sid, path, course"
        )
    people = []
    for number, row in table.rows:
        cell = {
            kind: clean(row[index].strip(), 200) if 0 <= index < len(row) else ""
            for kind, index in at.items()
            if kind != "path"
        }
        where = row[at["path"]].strip() if 0 <= at["path"] < len(row) else ""
        if not any(cell.values()) and not where:
            continue
        course = next((c for c in courses if re.search(rf"\b{re.escape(c)}\b", cell["course"])), "")
        if cell["course"] and not course:
            notes.append(f"{table.name}, line {number}: no course {cell['course']!r} in the rubric ({', '.join(courses)})")
        name = cell["name"] or f"{cell['first']} {cell['last']}".strip()
        people.append((Person(name or clean(Path(where).name), cell["email"], cell["sid"], course), where))
    return people


def _apply(rows: list[tuple[Person, str]], beside: Path, roster: Roster) -> None:
    """Add what a roster's rows point at, and tell the people of an export which course they are in."""
    known = {_real(entry.path): entry for entry in roster.entries}
    by_key = {key: entry for entry in roster.entries for person in entry.people for key in _keys(person)}
    for person, where in rows:
        if where:
            path = beside / where
            entry = known.get(_real(path))
            if entry is None and not _exists(path):
                roster.notes.append(f"the roster names {clean(where)}, which is not there")
                roster.without.append((person, f"not submitted: the roster names {clean(where)}, which is not there"))
                continue
            if entry is None:
                id = safe_id(where)
                if any(other.id == id for other in roster.entries):  # another file of this name, in another folder
                    id = f"{id}-{hashlib.sha256(str(_real(path)).encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
                entry = known[_real(path)] = Entry(id, path, [])
                roster.entries.append(entry)
            entry.people = [p for p in entry.people if p.email or p.sid] + [person]
            continue
        entry = next((by_key[key] for key in _keys(person) if key in by_key), None)
        if entry is None:
            roster.without.append((person, "not submitted: no submission of theirs is in the folder"))
        else:
            entry.people = [replace(p, course=person.course) if set(_keys(p)) & set(_keys(person)) else p for p in entry.people]


def _real(path: Path) -> Path:
    """Where a path leads; itself where it leads nowhere."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name too long
        return path.absolute()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, RuntimeError, ValueError):
        return False


def _keys(person: Person) -> list[str]:
    return [key for key in (person.email.lower(), person.sid) if key] or [person.name]


def _latest_only(roster: Roster) -> None:
    """Of several submissions of one person the latest counts (without time stamps, the last one listed)."""
    counts: dict[str, tuple[str, int]] = {}
    for index, entry in enumerate(roster.entries):
        for person in entry.people:
            counts[person.key] = max(counts.get(person.key, ("", -1)), (entry.created, index))
    for index, entry in enumerate(roster.entries):
        for person in list(entry.people):
            chosen = counts[person.key][1]
            if chosen != index:
                entry.people.remove(person)
                roster.notes.append(
                    f"{person.name or person.key} handed in twice: {roster.entries[chosen].id} counts, {entry.id} does not"
                )
    roster.entries = [entry for entry in roster.entries if entry.people]

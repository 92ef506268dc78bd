"""Gradescope's ``submission_metadata.yml``: who submitted what, and when.

Only the events of the YAML are read: nothing is built but a few capped texts, so that a file costs what its bytes cost.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from autograder.batch.people import DATED, Person
from autograder.core.errors import GraderError
from autograder.core.files import read_capped
from autograder.core.tables import decoded
from autograder.core.text import clean, reason

METADATA = "submission_metadata.yml"
MAX_BYTES = 64 << 20
MAX_PEOPLE = 50_000
WHO, SUBMITTERS, CREATED = ("name", "email", "sid"), "submitters", "created_at"
HISTORY, SCORE = "history", "score"

Events = Iterator[Any]


@dataclass
class Submitted:
    """The record of one submission: its submitters and the export's timestamp ('' if it has none).

    ``earlier``: the score of the first of the earlier uploads, None if the export has none.
    """

    people: list[Person] = field(default_factory=list)
    created: str = ""
    earlier: float | None = None


def without_folder(name: str) -> str:
    """What is said of a record whose folder is not there."""
    return f"{name} is listed in {METADATA}, but there is no such folder"


def read_metadata(path: Path, notes: list[str], exported: bool = False) -> dict[str, Submitted]:
    """Folder -> its record. What cannot be read becomes one line in ``notes``, and nothing of the file is used.

    ``exported``: whether an export's folders lie beside it. Raises GraderError if nothing of it says whose they are.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueError("it is not a regular file")
        text = decoded(read_capped(path, MAX_BYTES))
        records = _records(yaml.parse(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)))
        if exported and not records:
            raise ValueError("it is empty")
        return records
    except FileNotFoundError:
        return {}
    except (OSError, yaml.YAMLError, ValueError, RecursionError, GraderError) as error:
        mark: Any = getattr(error, "problem_mark", None)
        why = f"line {mark.line + 1}: {getattr(error, 'problem', '')}" if mark else reason(error)
    if exported:
        raise GraderError(
            f"{clean(path.name)}, by which Gradescope says whose each folder is, could not be read ({clean(why, 120)}): "
            "mend that, or export the submissions again"
        )
    notes.append(f"{clean(path.name)} could not be read ({clean(why, 120)}); names are taken from the folders")
    return {}


def _records(events: Events) -> dict[str, Submitted]:
    """The records of a stream of one document. Raises ValueError if it is anything but a mapping of records."""
    records: dict[str, Submitted] = {}
    next(events)  # the stream starts
    if isinstance(next(events), yaml.StreamEndEvent):
        return {}
    top: Any = next(events)
    if isinstance(top, yaml.ScalarEvent) and top.value == "":
        return {}
    for key, value in _mapping(top, events, "it is not a mapping"):
        if key in records:
            raise ValueError(f"{key} occurs twice")
        if len(records) >= MAX_PEOPLE:
            raise ValueError(f"it has more than {MAX_PEOPLE} records")
        records[key] = _record(value, events)
    return records


def _record(start: Any, events: Events) -> Submitted:
    record = Submitted()
    if not isinstance(start, yaml.MappingStartEvent):
        _skip(start, events)
        return record
    for key, value in _mapping(start, events):
        name = key.removeprefix(":")
        if name == CREATED and isinstance(value, yaml.ScalarEvent):
            record.created = clean(_plain(value), 40)
        elif name == HISTORY and isinstance(value, yaml.SequenceStartEvent):
            record.earlier = _first_score(value, events)
        elif name == SUBMITTERS and isinstance(value, yaml.SequenceStartEvent):
            record.people = list(_people(value, events))
        else:
            _skip(value, events)
    return record


def _first_score(start: Any, events: Events) -> float | None:
    """The score of the first upload in a history that has its time and its score; None if there is none."""
    scores = [
        (upload[CREATED], float(upload[SCORE]))
        for upload in _texts_of(start, events, (CREATED, SCORE), 40, "uploads")
        if DATED.match(upload.get(CREATED, "")) and re.fullmatch(r"\d{1,6}(\.\d{1,12})?", upload.get(SCORE, ""))
    ]
    return min(scores)[1] if scores else None


def _people(start: Any, events: Events) -> Iterator[Person]:
    for who in _texts_of(start, events, WHO, 200, "submitters"):
        if any(who.values()):
            yield Person(who.get("name", ""), who.get("email", ""), who.get("sid", ""))


def _texts_of(start: Any, events: Events, keys: tuple[str, ...], length: int, what: str) -> Iterator[dict[str, str]]:
    """Of each mapping in a sequence, the texts under these keys, at most ``length`` characters of each.

    Raises ValueError, with the line, for more than ``MAX_PEOPLE`` of them; ``what``: what they are.
    """
    for number, item in enumerate(_items(start, events)):
        if not isinstance(item, yaml.MappingStartEvent):
            _skip(item, events)
            continue
        if number >= MAX_PEOPLE:
            raise ValueError(f"{_line(item)}: more than {MAX_PEOPLE} {what}")
        record = {}
        for key, value in _mapping(item, events):
            name = key.removeprefix(":")
            if name in keys and isinstance(value, yaml.ScalarEvent):
                record[name] = clean(_plain(value), length)
            else:
                _skip(value, events)
        yield record


def _mapping(start: Any, events: Events, otherwise: str = "a mapping was expected") -> Iterator[tuple[str, Any]]:
    """(key, first event of the value) of a mapping; the caller reads the rest of each value before the next."""
    if not isinstance(start, yaml.MappingStartEvent):
        raise ValueError(otherwise)
    _plain(start)
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        if isinstance(event, yaml.ScalarEvent):
            yield _capped(_plain(event)), next(events)
        else:
            raise ValueError(f"{_line(event)}: a name was expected")


def _items(start: Any, events: Events) -> Iterator[Any]:
    _plain(start)
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        yield event


def _capped(text: str) -> str:
    """A key as it stands, for it may be the name of a folder, but no longer than one."""
    return text[:255]


def _plain(event: Any) -> str:
    """A scalar's text, '' for a collection. Raises ValueError for an anchor, an alias or a tag."""
    if isinstance(event, yaml.AliasEvent) or event.anchor or (event.tag and event.tag != "!"):
        raise ValueError(f"{_line(event)}: aliases, anchors and tags are not read")
    return getattr(event, "value", "")


def _skip(event: Any, events: Events) -> None:
    """Read to the end of a value that nobody needs."""
    depth = 0
    while True:
        if isinstance(event, yaml.AliasEvent):
            _plain(event)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if not depth:
            return
        event = next(events)


def _line(event: Any) -> str:
    return f"line {event.start_mark.line + 1}"

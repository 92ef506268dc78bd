"""Which scores a regrade changed: old score, new score, item, reason."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from autograder.batch.gradebook import number
from autograder.batch.people import Person
from autograder.batch.store import Record, Store
from autograder.core.files import is_ordinary, write_private
from autograder.core.tables import csv_text
from autograder.core.text import cell, first_of

OTHER_COURSE, OTHER_POINTS = "course changed", "the item's points changed"
HEADER = ["Submission ID", "Name", "Email", "Item", "Old", "New", "Why"]


class Change(NamedTuple):
    """One score that differs from the last run's; '' stands for no score. ``people``: whose, if not all the submission's."""

    submission: str
    item: str
    old: str
    new: str
    reason: str
    people: tuple[Person, ...] = ()


def score_changes(store: Store, before: dict[str, Record], after: dict[str, Record]) -> list[Change]:
    """Compare the records of the submissions that are in both runs; of the others, see ``moved_people``."""
    changes = []
    for id, new in after.items():
        old = before.get(id)
        if old is None or old == new:
            continue
        old_outcomes, new_outcomes = outcomes_of(store, old), outcomes_of(store, new)
        for item, a, b in differing_scores(old, new):
            outcomes = old_outcomes.get(item, ""), new_outcomes.get(item, "")
            reason = _why_new(old, item, outcomes[1]) if a is None else _reason(old, new, *outcomes)
            changes.append(Change(id, item, number(a), number(b), reason))
    return changes


def differing_scores(old: Record, new: Record) -> Iterator[tuple[str, float | None, float | None]]:
    """(item, old score, new score) of each item whose score is another one."""
    for item in dict.fromkeys([*old.scores, *new.scores]):
        a, b = old.scores.get(item), new.scores.get(item)
        if a != b:
            yield item, a, b


def _why_new(old: Record, item: str, outcome: str) -> str:
    """Why there is a score where there was none: the rubric had no such item, or it was not graded."""
    why = "a new item" if old.scores and item not in old.scores else "was not graded before"
    return f"{why}; now: {outcome}" if outcome else why


def _reason(old: Record, new: Record, old_outcome: str, new_outcome: str) -> str:
    if old.content != new.content:
        return f"new submission: {new_outcome}"
    if not new_outcome:
        return f"not graded now (before: {old_outcome})"
    if old_outcome == new_outcome:
        return f"{OTHER_COURSE} from {old.course} to {new.course}" if old.course != new.course else OTHER_POINTS
    return f"regraded: {new_outcome}" + (f" (before: {old_outcome})" if old_outcome else "")


def outcomes_of(store: Store, record: Record) -> dict[str, str]:
    """Item -> its status and the first line of its feedback."""
    try:
        stored = json.loads(store.find(record.content, record.judging) or "{}")
        return {item["id"]: f"{item['status']}, {item['reason']}" for item in stored.get("items", ())}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}  # of another assignment's items, or damaged: the change is listed without its reason


def other_courses(before: dict[str, Record], courses: dict[str, str]) -> Iterator[str]:
    """A question if submissions of the last run are in another course now; ``courses``: the course of each."""
    moved = [(id, before[id].course, course) for id, course in courses.items() if id in before and before[id].course != course]
    if moved:
        whole = "1 submission is" if len(moved) == 1 else f"{len(moved)} submissions are"
        named = first_of([f"{id} was in {old}, is in {new}" for id, old, new in moved], 3)
        yield f"{whole} in another course than in the last run ({'; '.join(named)}): is that right (--roster, --course)?"


def kinds_of(changes: list[Change]) -> str:
    """How many of the changes are no regrade, in words; '' if there are none."""
    kinds = {"by another course (--roster, --course)": OTHER_COURSE, "by the rubric's points": OTHER_POINTS}
    counts = {words: sum(change.reason.startswith(reason) for change in changes) for words, reason in kinds.items()}
    return "".join(f", {count} of them {words}" for words, count in counts.items() if count)


def write_changes(path: Path, changes: list[Change], people: dict[str, list[Person]]) -> None:
    """Write moved.csv, and keep an earlier one under its date; ``people``: whose each submission is, by its id."""
    rows = [[cell(text) for text in _row(change, change.people or people.get(change.submission, []))] for change in changes]
    text = csv_text([HEADER, *rows])
    keep_earlier(path, text.encode())
    write_private(path, text)


def keep_earlier(path: Path, new: bytes | None) -> str:
    """Rename an earlier file, unless it says the same; returns its new name, or ''.

    What is no ordinary file is left to the writer, which refuses it.
    """
    if not os.path.lexists(path) or not is_ordinary(path) or path.read_bytes() == new:
        return ""
    written = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.timezone.utc).astimezone().strftime("%Y-%m-%d-%H%M%S")
    names = (f"{path.stem}-{written}{f'-{n}' if n > 1 else ''}{path.suffix}" for n in itertools.count(1))
    return path.rename(next(other for name in names if not os.path.lexists(other := path.with_name(name)))).name


def _row(change: Change, people: Iterable[Person]) -> list[str]:
    addresses = ", ".join(person.email for person in people if person.email)
    return [change.submission, ", ".join(person.name for person in people), addresses, *change[1:5]]

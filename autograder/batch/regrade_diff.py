"""Which scores a regrade changed: old score, new score, item, reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from autograder.batch.gradebook import number
from autograder.batch.people import Person
from autograder.batch.store import Record, Store
from autograder.core.tables import write_csv
from autograder.core.text import cell

HEADER = ["Submission ID", "Name", "Email", "Item", "Old", "New", "Why"]


class Change(NamedTuple):
    """One score that differs from the last run's; '' stands for no score."""

    submission: str
    item: str
    old: str
    new: str
    reason: str


def score_changes(store: Store, before: dict[str, Record], after: dict[str, Record]) -> list[Change]:
    """Compare two runs' records, by submission id. New submissions are not changes; removed ones are."""
    changes = []
    for id in [*after, *(removed for removed in before if removed not in after)]:
        old, new = before.get(id), after.get(id)
        if old is None or old == new:
            continue
        if new is None:
            changes += [Change(id, item, number(score), "", "no longer submitted") for item, score in old.scores.items()]
            continue
        old_outcomes, new_outcomes = _outcomes(store, old), _outcomes(store, new)
        for item in dict.fromkeys([*old.scores, *new.scores]):
            a, b = old.scores.get(item), new.scores.get(item)
            if a != b:
                outcomes = old_outcomes.get(item, ""), new_outcomes.get(item, "")
                reason = _why_new(old, item, outcomes[1]) if a is None else _reason(old, new, *outcomes)
                changes.append(Change(id, item, number(a), number(b), reason))
    return changes


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
        return f"course changed from {old.course} to {new.course}" if old.course != new.course else "the item's points changed"
    return f"regraded: {new_outcome}" + (f" (before: {old_outcome})" if old_outcome else "")


def _outcomes(store: Store, record: Record) -> dict[str, str]:
    """Item -> its status and the first line of its feedback."""
    try:
        stored = json.loads(store.find(record.content, record.judging) or "{}")
        return {item["id"]: f"{item['status']}, {item['reason']}" for item in stored.get("items", ())}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}  # of another assignment's items, or damaged: the change is listed without its reason


def write_changes(path: Path, changes: list[Change], people: dict[str, list[Person]]) -> None:
    """Write moved.csv; ``people``: whose each submission is, by its id."""
    write_csv(path, [HEADER] + [[cell(text) for text in _row(change, people.get(change.submission, []))] for change in changes])


def _row(change: Change, people: list[Person]) -> list[str]:
    addresses = ", ".join(person.email for person in people if person.email)
    return [change.submission, ", ".join(person.name for person in people), addresses, *change[1:]]

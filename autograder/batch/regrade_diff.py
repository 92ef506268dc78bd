"""Which scores a regrade changed: old score, new score, item, reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from autograder.batch.gradebook import number
from autograder.batch.store import Record, Store
from autograder.core.tables import write_csv
from autograder.core.text import cell

HEADER = ["Submission ID", "Item", "Old", "New", "Why"]


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
                reason = _reason(old, new, old_outcomes.get(item, ""), new_outcomes.get(item, ""))
                changes.append(Change(id, item, number(a), number(b), reason))
    return changes


def _reason(old: Record, new: Record, old_outcome: str, new_outcome: str) -> str:
    if old.content != new.content:
        return f"new submission: {new_outcome}"
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


def write_changes(path: Path, changes: list[Change]) -> None:
    """Write moved.csv."""
    write_csv(path, [HEADER] + [[cell(text) for text in change] for change in changes])

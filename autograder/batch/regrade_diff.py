"""What a regrade moved: old score, new score, which item, why."""

from __future__ import annotations

import json
from pathlib import Path

from autograder.batch.gradebook import number
from autograder.batch.store import Record, Store
from autograder.core.tables import write_csv
from autograder.core.text import cell

HEAD = ["Submission ID", "Item", "Old", "New", "Why"]


def moves(store: Store, before: dict[str, Record], after: dict[str, Record]) -> list[tuple[str, ...]]:
    """(submission, item, old, new, why) for each item whose score differs from the last run's."""
    found = []
    for id in [*after, *(gone for gone in before if gone not in after)]:
        old, new = before.get(id), after.get(id)
        if old is None or old == new:
            continue
        if new is None:
            found += [(id, item, number(score), "", "no longer handed in") for item, score in old.scores.items()]
            continue
        reasons = [_reasons(store, record) for record in (old, new)]
        for item in dict.fromkeys([*old.scores, *new.scores]):
            a, b = old.scores.get(item), new.scores.get(item)
            if a != b:
                found.append((id, item, number(a), number(b), _why(old, new, *(r.get(item, "") for r in reasons))))
    return found


def _why(old: Record, new: Record, was: str, now: str) -> str:
    if old.content != new.content:
        return f"another submission: {now}"
    if was == now:
        return f"another course: {old.course}, now {new.course}" if old.course != new.course else "its points were changed"
    return f"judged anew: {now} (before: {was})" if was else f"judged anew: {now}"


def _reasons(store: Store, record: Record) -> dict[str, str]:
    """Item -> first line of what its author was told."""
    kept = json.loads(store.find(record.content, record.judging) or "{}")
    return {item["id"]: f"{item['status']}, {item['reason']}" for item in kept.get("items", ())}


def write_moves(path: Path, found: list[tuple[str, ...]]) -> None:
    write_csv(path, [HEAD] + [[cell(text) for text in row] for row in found])

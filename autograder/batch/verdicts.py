"""The store's text of one submission's verdicts: written by whoever grades it, and believed only if it has this form.

A Dask worker or a file that somebody handed over may send anything. Points are no part of it: they follow from a status and
the claims that hold, so that no text earns more than an item is worth.
"""

from __future__ import annotations

import json
from typing import Any

from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.verdict import FAILED, MISSING, NOT_RUN, PASSED, Verdict

MAX_TEXT = 4 << 20  # characters
LONGEST, MOST = 4_000, 2_500  # characters of a text, entries of a list
STATUSES = (PASSED, FAILED, MISSING, NOT_RUN)
ITEM_KEYS = {"id", "status", "reason", "lines", "notes", "tags", "data", "held", "call"}
OURS = {"id", "verdict", "section", "seconds", "text"}  # what results.json says of an item itself
TEXTS, LISTS = ("kind", "type", "place", "mistake", "doubt"), ("flags", "like", "raising_like")


def text_of(verdicts: list[Verdict], notes: list[str]) -> str:
    """The text of these verdicts; the same verdicts always give the same one."""
    items = [
        {
            "id": v.question.id,
            "status": v.status,
            "reason": v.reason,
            "lines": v.lines,
            "notes": v.notes,
            "tags": v.tags,
            "data": v.data,
            "held": v.held,
            "call": v.call,
        }
        for v in verdicts
    ]
    return json.dumps({"items": items, "notes": notes}, separators=(",", ":"))


def refusal(why: str) -> str:
    """The text of a submission with nothing to grade."""
    return json.dumps({"refused": why})


def read_verdicts(assignment: Assignment, text: object) -> tuple[list[Verdict], list[str], str]:
    """(verdicts, notes, why it was refused or '') of a text. Raises GraderError if it has any other form."""
    try:
        if not isinstance(text, str) or len(text) > MAX_TEXT:
            raise ValueError("no text, or too long a one")
        return _read(assignment, json.loads(text, parse_constant=_refused))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise GraderError(f"not verdicts of this assignment ({error})") from None


def _read(assignment: Assignment, tree: Any) -> tuple[list[Verdict], list[str], str]:
    if not isinstance(tree, dict):
        raise ValueError("neither items and notes nor a refusal")
    if tree.keys() == {"refused"}:
        return [], [], _text(tree["refused"])
    if tree.keys() != {"items", "notes"} or [i["id"] for i in tree["items"]] != [q.id for q in assignment.questions]:
        raise ValueError("not the items of this assignment")
    return [_verdict(assignment, item) for item in tree["items"]], _texts(tree["notes"]), ""


def _verdict(assignment: Assignment, item: dict[str, Any]) -> Verdict:
    if item.keys() != ITEM_KEYS or item["status"] not in STATUSES:
        raise ValueError("an item without a verdict")
    question, data = assignment.question(item["id"]), item["data"]
    held = _texts(item["held"])  # names that are no claim earn nothing
    if not isinstance(data, dict) or data.keys() & OURS:
        raise ValueError("data that is none")
    for key in TEXTS:
        _text(data.get(key, ""))
    for key in LISTS:
        _texts(data.get(key, []))
    if not isinstance(data.get("cause", {}), dict):
        raise ValueError("a cause that is none")
    lines, notes, tags, call = (_texts(item[key]) for key in ("lines", "notes", "tags", "call"))
    return Verdict(question, item["status"], _text(item["reason"]), lines, notes, tags, data, held, call)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        raise ValueError("a text that is none, or too long")
    return value


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list) or len(values) > MOST:
        raise ValueError("a list that is none, or too long")
    return [_text(value) for value in values]


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} for a number")

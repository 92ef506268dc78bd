"""What a worker's replies have to look like: whatever else they hold is left out, or ends the worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeGuard

MAX_NAME, MAX_MESSAGE = 80, 2000  # characters of what a worker says about an exception


@dataclass
class Loaded:
    """What a slice left behind. ``snapshots``: (name, statement index, value) in order of execution."""

    bound: dict[str, str] = field(default_factory=dict)
    failures: list[dict[str, Any]] = field(default_factory=list)
    snapshots: list[tuple[str, int, Any]] = field(default_factory=list)


def is_number(value: Any, wanted: int) -> bool:
    """Whether a value that a worker sent, which may be of any kind, is this whole number."""
    return type(value) is int and value == wanted


def is_reply(value: Any, request: int) -> TypeGuard[dict[str, Any]]:
    """Whether a value that a worker sent is a dict of a request's number and one thing more."""
    return isinstance(value, dict) and len(value) == 2 and is_number(value.get("id"), request)


def loaded_of(reply: Any, count: int) -> Loaded:
    """What a program of ``count`` statements left behind, by the worker's reply; raises if that is malformed."""
    failures = [checked_error(f) | {"index": as_index(f["index"], count)} for f in reply["failures"]]
    snapshots = [(as_text(s["name"]), as_index(s["index"], count), s["value"]) for s in reply["snapshots"]]
    return Loaded({as_text(k): as_text(v) for k, v in reply["bound"].items()}, failures, snapshots)


def touch_of(reply: dict[str, Any]) -> tuple[str, str, int] | None:
    """What student code asked Python for, and where: (what, cell, line); None if the reply does not say so."""
    try:
        what, cell, line = reply["touch"]
        return str(what)[:40], str(cell)[:80], int(line)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def as_index(value: Any, count: int) -> int:
    if type(value) is not int or not 0 <= value < count:
        raise TypeError("not the number of a statement")
    return value


def checked_error(error: Any) -> dict[str, Any]:
    """The worker's error report, with every field of its type or left out."""
    report = error if isinstance(error, dict) else {}
    name, message, where = report.get("type"), report.get("message"), report.get("where")
    return {
        "type": name if isinstance(name, str) and name.isidentifier() and len(name) <= MAX_NAME else "Exception",
        "message": message[:MAX_MESSAGE] if isinstance(message, str) else "",
        "where": [line for line in where[-3:] if is_line(line)] if isinstance(where, list) else [],
    }


def is_line(value: Any) -> bool:
    """Whether a value is the cell and line of a statement."""
    return isinstance(value, list) and len(value) == 2 and is_digits(value[0]) and type(value[1]) is int


def is_digits(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10

"""Why an answer has no value: the first statement that it depends on and that failed or was not run, with its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autograder.checks.compare import nothing_returned
from autograder.core.assignment import Question
from autograder.core.text import clean
from autograder.judging import missing_packages
from autograder.submission.clashes import as_written

if TYPE_CHECKING:
    from autograder.judging.feedback import Shown
    from autograder.judging.reading import Plan
    from autograder.judging.sessions import Session

UNDEFINED = re.compile(r"(?:cannot access free variable|name) '(\w+)'")
LAST = 1 << 30  # after every statement
MAX_STEPS = 10  # from an answer that is missing back to what it is missing for

Told = tuple[str, dict[str, str]]  # (why, the data of the statement that failed or {})


def why_absent(question: Question, name: str, shown: Shown) -> Told:
    """(why there is no answer, the data of the failed statement that should have bound it or {})."""
    loaded = shown.session.loaded
    if cause := cause_of(name, shown):
        missing, text, data = cause
        return f"`{missing}` has no value: {text}" + f", so `{name}` has none" * (missing != name), data
    if loaded.bound.get(name) == "function" and not question.value:
        return nothing_returned(name), {}
    if not was_bound(name, shown.session):
        return f"`{name}` is not defined in {clean(shown.parsed.document.name)}: is its TODO cell missing?", {}
    return f"`{name}` is still None: fill in its TODO", {}


def what_came_first(question: Question, shown: Shown) -> str:
    """A sentence about code that would bind or change the answer, or one it builds on, and was not run; '' if all was."""
    causes = (cause_of(name, shown) for name in (*question.context, *question.names))
    return next((f". First, though: {cause[1]}" for cause in causes if cause), "")


def was_bound(name: str, session: Session) -> bool:
    return name in session.loaded.bound or any(bound == name for bound, _, _ in session.loaded.snapshots)


def cause_of(name: str, shown: Shown) -> tuple[str, str, dict[str, str]] | None:
    """(the name that is missing first, why, data) for a name without a value: itself or one that it is computed from."""
    cause: tuple[str, str, dict[str, str]] | None = None
    before, seen = LAST, set[str]()
    while name and name not in seen and len(seen) < MAX_STEPS:
        seen.add(name)
        failed = _failed_binding(name, shown)
        if failed is None:
            lost = shown.parsed.why_absent(name, before)
            return (name, lost.why + quoted(shown.parsed, lost.cell, lost.line), {}) if lost else cause
        text, data, before, needed = failed
        cause, name = (name, text, data), needed
    return cause


def _failed_binding(name: str, shown: Shown) -> tuple[str, dict[str, str], int, str] | None:
    """The first statement that binds ``name`` but hung, ended the process or raised; None without one.

    (text, data, its index in the document, the name that it raised for or '').
    """
    session, place = shown.session, shown.parsed.document.place
    for statement, error in session.killed:
        if name in statement.concerns:
            why = "took too long" if error.kind == "timeout" else "ended the Python process"
            at = place(statement.cell, statement.line)
            return f"the code at {at} {why}", {"kind": error.kind}, statement.index, ""
    for failure in session.loaded.failures:
        statement = session.program.statements[failure["index"]]
        if name in statement.concerns:
            kind, message = clean(failure["type"]), clean(as_written(failure["message"]), 200)
            missing = missing_packages.why(failure["type"], message, shown.parsed, session, shown.available)
            text = (
                f"{place(statement.cell, statement.line)} raised {kind}"
                + (f": {message}" if message else "")
                + (f". {missing}" if missing else "")
            )
            data = {"kind": "timeout" if kind == "Deadline" else "exception", "type": kind}
            return text, data, statement.index, "" if missing else undefined(kind, message)
    return None


def undefined(kind: str, message: str) -> str:
    """The name that a NameError is about; '' for other exceptions."""
    found = UNDEFINED.match(message) if kind == "NameError" else None
    return found[1] if found else ""


def quoted(parsed: Plan, cell: int, line: int) -> str:
    """`` (`x = y`)``: a line of a cell of code; '' if there is no such line."""
    if not 0 <= cell < len(parsed.document.cells):
        return ""
    source = parsed.document.cells[cell]
    lines = source.source.split("\n")
    if not source.source or not 0 < line - source.line <= len(lines):
        return ""
    text = clean(lines[line - source.line - 1].strip(), 100).replace("`", "'")
    return f" (`{text}`)" if text else ""

"""Verdicts in words: what came back, where it went wrong, what to do. Never a hidden input or expected value."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograder.checks.compare import BLANK, MISSING, Failure
from autograder.core.assignment import Question
from autograder.core.text import clean
from autograder.judging import missing_packages
from autograder.judging.question_tests import Outcome
from autograder.sandbox.judge_side.worker import WorkerError

if TYPE_CHECKING:
    from autograder.judging.reading import Plan
    from autograder.judging.sessions import Session

BUILTIN_ERRORS = {
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
}


def is_blank(outcome: Outcome) -> bool:
    """Whether the answer is missing or an untouched TODO."""
    return isinstance(outcome.error, Failure) and outcome.error.kind in (BLANK, MISSING)


def wants_more(outcome: Outcome, question: Question, session: Session) -> bool:
    """Whether a wider slice might help: the name was never bound, or a name is missing inside a call."""
    error, name = outcome.error, question.names[0]
    missing = isinstance(error, WorkerError) and error.type_name in ("NameError", "AttributeError")
    return (is_blank(outcome) and not _was_bound(name, session)) or missing


def _was_bound(name: str, session: Session) -> bool:
    return name in session.loaded.bound or any(bound == name for bound, _, _ in session.loaded.snapshots)


def worth_another_try(outcome: Outcome) -> bool:
    """Whether to repeat the tests: not after a timeout, which would only be waited for twice, nor for a broken test."""
    error = outcome.error
    return isinstance(error, Failure) or (isinstance(error, WorkerError) and error.kind != "timeout")


@dataclass(frozen=True)
class Shown:
    """What a reason may quote.

    ``session``: one whose failures may be shown; ``public_error``: the exception that public inputs raise; ``available``: the
    packages that student code may import.
    """

    parsed: Plan
    session: Session
    public_error: Callable[[Question, WorkerError], WorkerError | None]
    available: list[str]


def reason(question: Question, error: Failure | WorkerError, shown: Shown) -> tuple[str, dict[str, Any]]:
    """(one or two lines for the student, the data behind them)."""
    name, parsed = question.names[0], shown.parsed
    if isinstance(error, Failure):
        if error.kind in (BLANK, MISSING):
            text, cause = _why_absent(question, name, shown)
            return text, {"kind": error.kind, **({"cause": cause} if cause else {})}
        return clean(error.text, 600), {"kind": error.kind, **error.data}
    if error.kind == "timeout":
        return (
            f"`{name}` did not finish in time{_place(error, parsed)}: look for an endless or a very slow loop",
            {"kind": "timeout"},
        )
    if error.kind == "exception":
        kind, message = _shown_exception(error, shown.public_error(question, error))
        missing = missing_packages.why(kind, message.removeprefix(": "), parsed, shown.session, shown.available)
        text = f"`{name}` raised {kind}{message}{_place(error, parsed)}" + (f". {missing}" if missing else "")
        return text, {"kind": "exception", "type": kind, "place": _place(error, parsed)}
    return (
        f"`{name}` ended the Python process (a crash, an exit or too much memory)"
        if error.kind == "died"
        else f"`{name}` gave an answer that could not be read: return what the handout asks for, as plain tensors or numbers"
    ), {"kind": error.kind}


def _shown_exception(error: WorkerError, public: WorkerError | None) -> tuple[str, str]:
    """(type, message) of an exception, as far as a student may see them.

    A message, or a type that the student defined, could carry hidden inputs: they are shown as raised on public inputs.
    """
    if public is not None and (public.type_name == error.type_name or error.type_name not in BUILTIN_ERRORS):
        message = clean(public.message, 300)
        return clean(public.type_name), f": {message}" if message else ""
    return error.type_name if error.type_name in BUILTIN_ERRORS else "an exception", ""


def _why_absent(question: Question, name: str, shown: Shown) -> tuple[str, dict[str, str]]:
    """(why there is no answer, the data of the failed statement that should have bound it or {})."""
    parsed, session = shown.parsed, shown.session
    if failed := _failed_binding(name, shown):
        return failed
    if lost := next((lost for lost in parsed.lost if name in lost.names), None):
        return f"`{name}` has no value: {lost.why}{_quoted(parsed, lost.cell, lost.line)}", {}
    if session.loaded.bound.get(name) == "function" and not question.value:
        return f"`{name}` returned None: its TODO is not filled in yet, or a `return` is missing", {}
    if not _was_bound(name, session):
        also = f" ({parsed.lost[0].why})" if parsed.lost and not parsed.lost[0].names else ""
        return f"`{name}` is not defined in {clean(parsed.document.name)}: is its TODO cell missing?{also}", {}
    return f"`{name}` is still None: fill in its TODO", {}


def _failed_binding(name: str, shown: Shown) -> tuple[str, dict[str, str]] | None:
    """The first statement that binds ``name`` but hung, ended the process or raised: (text, data); None without one."""
    session, place = shown.session, shown.parsed.document.place
    for statement, error in session.killed:
        if name in statement.stores:
            why = "took too long" if error.kind == "timeout" else "ended the Python process"
            return f"`{name}` has no value: the code at {place(statement.cell, statement.line)} {why}", {"kind": error.kind}
    for failure in session.loaded.failures:
        statement = session.program.statements[failure["index"]]
        if name in statement.stores:
            message = clean(failure["message"], 200)
            kind = "timeout" if failure["type"] == "Deadline" else "exception"
            missing = missing_packages.why(failure["type"], message, shown.parsed, session, shown.available)
            return (
                f"`{name}` has no value: {place(statement.cell, statement.line)} raised {clean(failure['type'])}"
                + (f": {message}" if message else "")
                + (f". {missing}" if missing else "")
            ), {"kind": kind, "type": clean(failure["type"])}
    return None


def _place(error: WorkerError, parsed: Plan) -> str:
    """`` at cell 7, line 3 (`x = y`)``: the innermost line of the student's own code; '' without one."""
    for cell, line in reversed(error.where):
        if cell.isdigit() and (quoted := _quoted(parsed, int(cell), line)):
            return f" at {parsed.document.place(int(cell), line)}{quoted}"
    return ""


def _quoted(parsed: Plan, cell: int, line: int) -> str:
    """`` (`x = y`)``: a line of a cell of code; '' if there is no such line."""
    if not 0 <= cell < len(parsed.document.cells):
        return ""
    source = parsed.document.cells[cell]
    lines = source.source.split("\n")
    if not source.source or not 0 < line - source.line <= len(lines):
        return ""
    text = clean(lines[line - source.line - 1].strip(), 100).replace("`", "'")
    return f" (`{text}`)"

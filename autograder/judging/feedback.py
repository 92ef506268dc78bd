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
from autograder.judging.absence import cause_of, quoted, undefined, was_bound, what_came_first, why_absent
from autograder.judging.question_tests import Outcome
from autograder.sandbox.judge_side.worker import WorkerError
from autograder.submission.clashes import as_written

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
    """Whether a wider slice might help: a name was never bound, or is missing inside a call or on the way to a value."""
    error, name = outcome.error, question.names[0]
    missing = isinstance(error, WorkerError) and error.type_name in ("NameError", "AttributeError", "KeyError")  # of globals()
    return (is_blank(outcome) and not was_bound(name, session)) or missing or _lacks_a_name(question, session)


def _lacks_a_name(question: Question, session: Session) -> bool:
    """Whether a name was missing where the value, or one that it builds on, was computed."""
    names, statements = {*question.names, *question.context}, session.program.statements
    failed = [statements[one["index"]] for one in session.loaded.failures if one["type"] == "NameError"]
    return question.value and any(names & (one.binds | one.changes) for one in failed)


def may_lack_effects(outcome: Outcome, question: Question) -> bool:
    """Whether what an answer reads may lack what code did to it whose effects are not seen: at little cost, or by its look."""
    raised = outcome.error.type_name if isinstance(outcome.error, WorkerError) else ""
    return not question.probe or raised in ("KeyError", "IndexError", "LookupError")


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
            text, cause = why_absent(question, name, shown)
            return text, {"kind": error.kind, **({"cause": cause} if cause else {})}
        before = what_came_first(question, shown) if question.value else ""
        return clean(error.text, 600) + before, {"kind": error.kind, **error.data}
    if error.kind == "timeout":
        return (
            f"`{name}` did not finish in time{_place(error, parsed)}: look for an endless or a very slow loop",
            {"kind": "timeout"},
        )
    if error.kind == "exception":
        return _why_raised(question, error, shown)
    return (
        f"`{name}` ended the Python process (a crash, an exit or too much memory): look for exit(), endless recursion and very "
        "large tensors"
        if error.kind == "died"
        else f"`{name}` gave an answer that could not be read: return what the handout asks for, as plain tensors or numbers"
    ), {"kind": error.kind}


def _why_raised(question: Question, error: WorkerError, shown: Shown) -> tuple[str, dict[str, Any]]:
    """``reason`` for an answer that raised an exception."""
    name, parsed = answered_by(question), shown.parsed
    kind, message, called = _shown_exception(error, shown.public_error(question, error))
    missing = missing_packages.why(kind, message.removeprefix(": "), parsed, shown.session, shown.available)
    first = None if missing else cause_of(undefined(kind, message.removeprefix(": ")), shown)
    if missing and missing_packages.left_out(missing):
        text = f"{missing}. Without it, {name} raised {kind}{message}{_place(error, parsed)}"
    elif first:
        text = f"`{first[0]}` has no value: {first[1]}, so {name} raised {kind}{_place(error, parsed)}"
    else:
        text = f"{name} raised {kind}{message}{_place(error, parsed)}{called}" + (f". {missing}" if missing else "")
    return text, {"kind": "exception", "type": kind, "place": _place(error, parsed)}


def answered_by(question: Question) -> str:
    """What runs when the answer is called; of a class, of which a probe calls what it needs, that is one of its functions."""
    name = question.names[0]
    return f"a function of `{name}`" if question.probe and name[:1].isupper() else f"`{name}`"


def _shown_exception(error: WorkerError, public: WorkerError | None) -> tuple[str, str, str]:
    """(type, message, what the call was made with) of an exception, as far as a student may see them.

    A message, or a type that the student defined, could carry hidden inputs: they are shown as raised on public inputs.
    """
    if public is not None and (public.type_name == error.type_name or error.type_name not in BUILTIN_ERRORS):
        message = message_of(public)
        called = f", called with {clean(public.called, 300)}" if public.called else ""
        return clean(public.type_name), f": {message}" if message else "", called
    return error.type_name if error.type_name in BUILTIN_ERRORS else "an exception", "", ""


def message_of(error: WorkerError) -> str:
    """The message of an exception as it is shown."""
    return clean(as_written(error.message), 300).rstrip(".")


def _place(error: WorkerError, parsed: Plan) -> str:
    """`` at cell 7, line 3 (`x = y`)``: the innermost line of the student's own code; '' without one."""
    for cell, line in reversed(error.where):
        if cell.isdigit() and (line_text := quoted(parsed, int(cell), line)):
            return f" at {parsed.document.place(int(cell), line)}{line_text}"
    return ""

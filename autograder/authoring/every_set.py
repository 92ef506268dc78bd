"""Judging one item on every hidden set: no set may be easier than another."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from autograder.checks.compare import Failure
from autograder.core.assignment import Question
from autograder.core.verdict import PASSED, Verdict
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.judging.question_tests import Outcome
from autograder.judging.reading import Reader
from autograder.judging.section import SectionRun

SECONDS = 3600.0  # for one item on all sets
Judged = tuple[bool, float]  # whether the item passed, and its largest error (infinity where it is no number)


def on_every_set(grader: Grader, folder: Path, question: Question, expected: bool) -> dict[int, Judged]:
    """Set -> what becomes of the question's own item in the submission in ``folder``.

    One worker runs the tests on all sets; only what a probe works on has to be new each time. That is quick, but without the
    other ways to judge an answer: where it does not give what is ``expected``, the whole submission is graded.
    """
    judged: dict[int, Judged] = {}
    with Reader(grader.assignment, folder) as reader, contextlib.ExitStack() as sessions:
        found, _ = reader.sections
        run = SectionRun(grader, question.section, found[question.section.id], time.monotonic() + SECONDS)
        session = None
        for number in range(grader.count(question.section)):
            run.judge_on(number)
            if session is None or question.probe or not session.worker.alive:
                sessions.close()
                session = sessions.enter_context(run.sessions.open([question]))
            judged[number] = _of_outcome(run.run_tests(question, session))
            if judged[number][0] != expected:
                judged[number] = _of_verdict(graded_on(grader, number, folder), question)
    return judged


def graded_on(grader: Grader, number: int, submitted: Path) -> list[Verdict]:
    """The verdicts on a submission that is judged on this hidden set."""
    with _only(grader, number):
        return grade(grader, submitted, lambda *_: None)


@contextlib.contextmanager
def _only(grader: Grader, number: int) -> Iterator[None]:
    grader.only = number
    try:
        yield
    finally:
        grader.only = None


def _of_outcome(outcome: Outcome) -> Judged:
    largest = outcome.error.data.get("largest") if isinstance(outcome.error, Failure) else None
    return outcome.passed, largest or float("inf")


def _of_verdict(verdicts: list[Verdict], question: Question) -> Judged:
    verdict = next(v for v in verdicts if v.question.id == question.id)
    return verdict.status == PASSED, verdict.data.get("largest") or float("inf")

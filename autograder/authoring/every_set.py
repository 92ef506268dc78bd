"""Judging one item on every hidden set: no set may be easier than another."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
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
NOTHING: Mapping[int, Judged] = {}


def on_every_set(
    grader: Grader, submitted: Path | Reader, question: Question, expected: bool, known: Mapping[int, Judged] = NOTHING
) -> dict[int, Judged]:
    """Set -> what becomes of the question's own item in the submission; ``known``: of some sets, from its verdicts.

    One worker runs the tests on all sets; only what a probe works on has to be new each time. That is quick, but without the
    other ways to judge an answer: where it does not give what is ``expected``, the whole submission is graded.
    """
    if isinstance(submitted, Path):
        with Reader(grader.assignment, submitted) as reader:
            return on_every_set(grader, reader, question, expected, known)
    judged = dict(known)
    with contextlib.ExitStack() as sessions:
        run, session = section_run(grader, submitted, question), None
        for number in range(grader.count(question.section)):
            if number in judged:
                continue
            run.judge_on(number)
            if session is None or question.probe or not session.worker.alive:
                sessions.close()
                session = sessions.enter_context(run.sessions.open([question]))
            judged[number] = _of_outcome(run.run_tests(question, session))
            if judged[number][0] != expected:
                judged[number] = of_verdict(_verdict(graded_on(grader, number, submitted), question))
    return judged


def largest_error(grader: Grader, reader: Reader, question: Question) -> float:
    """The largest error in any case of the question, on the hidden set on which that is smallest.

    Tests end at the first case that fails, which may be off by less than those behind it.
    """
    run, smallest = section_run(grader, reader, question), float("inf")
    with run.sessions.open([question]) as session:
        for number in range(grader.count(question.section)):
            run.judge_on(number)
            cases = run.hidden["cases"]
            errors = []
            for case in cases[question.id]["own"]:
                run.hidden = {**run.hidden, "cases": {**cases, question.id: {**cases[question.id], "own": [case]}}}
                passed, error = _of_outcome(run.run_tests(question, session))
                errors += [] if passed else [error]
            smallest = min(smallest, max(errors, default=0.0))
    return smallest


def section_run(grader: Grader, reader: Reader, question: Question) -> SectionRun:
    """What judges the question's section of a submission."""
    found, _ = reader.sections
    return SectionRun(grader, question.section, found[question.section.id], time.monotonic() + SECONDS)


def graded_on(grader: Grader, number: int, submitted: Path | Reader) -> list[Verdict]:
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


def _verdict(verdicts: list[Verdict], question: Question) -> Verdict:
    return next(v for v in verdicts if v.question.id == question.id)


def of_verdict(verdict: Verdict) -> Judged:
    return verdict.status == PASSED, verdict.data.get("largest") or float("inf")

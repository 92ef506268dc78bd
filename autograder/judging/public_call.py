"""The smallest public call on which a wrong answer fails, for what a student reads; it decides nothing.

It is looked for when everything has been judged, in a worker to which no hidden input was ever sent.
"""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Iterable
from dataclasses import replace

from autograder.checks.case import STATE, Case
from autograder.checks.compare import BLANK, MISSING, SKIPPED
from autograder.checks.smallest import Ladder, by_size, smallest_call
from autograder.core.assignment import Question
from autograder.core.errors import GraderError
from autograder.core.verdict import FAILED, Verdict
from autograder.judging.environments import environments
from autograder.judging.question_tests import proxy
from autograder.judging.section import SectionRun
from autograder.judging.sessions import Session
from autograder.sandbox.judge_side.clock import charged_seconds
from autograder.submission.clashes import as_written

UNTOLD = {BLANK, MISSING, SKIPPED, "timeout", "died", "protocol"}  # failures that a small call does not explain
SHARE = 0.1  # of the limits of a call and of a statement: how long one call, and all of it, may take


def add_calls(run: SectionRun, verdicts: Iterable[Verdict]) -> None:
    """Set ``call`` of the failed verdicts of one section, as far as there is time, and while the submission can be read."""
    failed = [verdict for verdict in verdicts if verdict.question in run.questions and _is_told(run, verdict)]
    whole = run.grader.assignment.limits
    limits = replace(whole, statement_seconds=SHARE * whole.statement_seconds, call_seconds=SHARE * whole.call_seconds)
    if not failed or run.deadline < time.monotonic() + limits.statement_seconds:
        return
    with contextlib.suppress(GraderError), run.sessions.open(run.sessions.questions, public=True, limits=limits) as session:
        clock = functools.partial(charged_seconds, session.worker.pid, os.getpid())
        end = clock() + limits.statement_seconds
        for verdict in failed:
            if session.loaded.bound.get(verdict.question.names[0]) == "function":
                ladder = _ladder(run, verdict.question, session)
                kind = verdict.data.get("type") or verdict.data.get("kind", "")
                call = smallest_call(ladder, kind, lambda: clock() > end or not session.worker.alive)
                verdict.call = list(map(as_written, call))


def _is_told(run: SectionRun, verdict: Verdict) -> bool:
    """Whether a small call explains this verdict: the answer is a function to call, and the fault its own."""
    question = verdict.question
    return (
        verdict.status == FAILED
        and verdict.data.get("kind", SKIPPED) not in UNTOLD
        and verdict.data.get("diagnosis", {}).get("concept") != STATE  # a call would not fail if it were made alone
        and not question.value
        and not question.probe
        and not run.broken_helpers(question)
    )


def _ladder(run: SectionRun, question: Question, session: Session) -> Ladder:
    grader, name = run.grader, question.names[0]
    public = grader.references["public"]
    environment = environments(run, question, session)[0]

    def attempt(case: Case) -> BaseException | None:
        return grader.tests.run(question, {**public["cases"], question.id: {"own": [vars(case)]}}, environment).error

    return Ladder(
        name=name,
        parameters=public["parameters"].get(question.id, []),
        cases=by_size(*([Case(**case) for case in public["cases"][question.id].get(group, [])] for group in ("ladder", "own"))),
        attempt=attempt,
        answer=proxy(session.worker, name, question.tensor),
        broken=functools.partial(grader.tests.rules.broken_property, question.id),
        right=grader.assignment.show_right_results,
    )

"""Edits of the student's code that repair an answer, tried in workers on public inputs, so that what they show may be said.

How many edits are tried is bounded by number, so that the same submission always gets the same sentences. What a worker says
repairs an answer is tried again in another one, by the question's own tests.
"""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from autograder.checks.case import Case
from autograder.checks.diagnosis.edited import Edit
from autograder.checks.diagnosis.findings import Call, Finding
from autograder.checks.diagnosis.repair import asked, repairing
from autograder.core.assignment import Question
from autograder.core.verdict import Verdict
from autograder.judging.environments import environments
from autograder.judging.question_tests import Outcome
from autograder.sandbox.judge_side.clock import charged_seconds
from autograder.sandbox.judge_side.worker import WorkerError

if TYPE_CHECKING:
    from autograder.judging.edits import Edits
    from autograder.judging.section import SectionRun
    from autograder.judging.sessions import Session

NOT_ASKED: dict[str, list[Any]] = {"float64": [], "traced": []}  # groups of cases that only lead to notes
MOST_CALLS = 6  # of an item's, right and wrong ones each, with which edits are tried
MOST_PROVED, MOST_PROBED, MOST_HUNG = 12, 60, 2
SECONDS, ALL_SECONDS = 1.0, 3.0  # of a statement or a call, and of trying edits for one section


@dataclass
class Tried:
    """A call of an answer on public inputs and what came of it."""

    case: Case
    call: Call
    error: WorkerError | None = None


class Repairs:
    """Workers for the public inputs of one section, and the edits that were tried in them."""

    def __init__(self, run: SectionRun):
        self.run, self.grader = run, run.grader
        self.rules = run.grader.tests.rules
        self.public = run.grader.references["public"]["cases"]
        self.spent = 0.0  # seconds of sessions that were opened, charged so that a busy machine changes no words
        self.spending: Callable[[], float] = float  # the same of the session that is open
        self.proofs: dict[Edit, set[str]] = {}  # of edits tried again, the items that each repairs

    def found(self, lost: list[Verdict], edits: Edits, tried: dict[str, list[Tried]]) -> Iterator[tuple[Verdict, Finding]]:
        """The question about the line that an edit has to change: an edit for all items of an answer, or else for each."""
        working = self.working([verdict.question for verdict in lost], edits, tried)
        together = [lost] if len(lost) > 1 else []
        for group in (*together, *([verdict] for verdict in lost)):
            if finding := self.repaired([verdict.question for verdict in group], edits, working):
                for verdict in group:
                    yield verdict, finding
                if len(group) == len(lost):
                    return

    def working(self, questions: list[Question], edits: Edits, tried: dict[str, list[Tried]]) -> dict[str, list[Edit]]:
        """Question id -> the edits with which it seems to be right."""
        called = [question for question in questions if not question.probe]
        found = self.screened(called, edits, tried) if called else {}
        return found | {question.id: self.observed(question, edits) for question in questions if question.probe}

    def repaired(self, questions: list[Question], edits: Edits, working: dict[str, list[Edit]]) -> Finding | None:
        """The question about the line of the edit that repairs all of these; ``working``: what seems to repair each."""
        index = {edit: number for number, edit in edits.of}
        first, *others = (working[question.id] for question in questions)
        candidates = [edit for edit in first if all(edit in other for other in others)]
        ids = {question.id for question in questions}
        best = repairing(candidates[:MOST_PROVED], lambda edit: ids <= self.proved(edit, index[edit], working))
        if best is None:
            return None
        statement = self.run.slicer.statements[index[best]]
        line = statement.line + best.line - 1
        place = self.run.slicer.document.place(statement.cell, line)
        return replace(asked(best, self.rules.CONCEPTS, place), line=line, place=place)

    def screened(self, questions: list[Question], edits: Edits, tried: dict[str, list[Tried]]) -> dict[str, list[Edit]]:
        """Question id -> the edits with which a worker gets its calls right, those that explain first."""
        calls = [_to_try(tried[question.id]) for question in questions]
        found: dict[str, list[Edit]] = {question.id: [] for question in questions}
        left, hung = list(edits.of), 0
        while left and hung <= MOST_HUNG and self.may_try():
            with self.opened(questions[0]) as session:
                try:
                    while left and self.may_try():
                        for edit, group in self._try(questions[0], session, left, calls):
                            found[questions[group].id].append(edit)
                except WorkerError:
                    hung += 1
        return {id: sorted(some, key=lambda edit: edit.rank) for id, some in found.items()}

    def _try(
        self, question: Question, session: Session, left: list[tuple[int, Edit]], calls: list[Any]
    ) -> list[tuple[Edit, int]]:
        """Those that work of the edits ``left`` of one statement, and for which group of calls.

        They are taken from the list, up to one that hangs.
        """
        number = left[0][0]
        some = [edit for index, edit in left if index == number]
        statement, done = self.run.slicer.statements[number], list[int]()
        fields = {"own": statement.code, "cell": statement.cell, "line": statement.line, "calls": calls}
        try:
            codes = [edit.code for edit in some]
            working = session.worker.try_edits(codes, done, **fields, name=question.names[0], tensor=question.tensor)
        except WorkerError:
            del left[: len(done) + 1]
            raise
        del left[: len(some)]
        return [(some[n], group) for n, group in working]

    def observed(self, question: Question, edits: Edits) -> list[Edit]:
        """The edits with which what a probe observes passes the question's tests; the assignment says how many are worth it."""
        most = self.rules.WORTH.get(question.id, MOST_PROBED)
        found: list[Edit] = []
        for _, group in groupby(edits.of[:most], key=lambda pair: pair[0]):
            if not self.may_try():
                break
            tried = [edit for _, edit in group]
            with self.opened(question) as session:
                seen = session.worker.observe_edits([edit.code for edit in tried], question.probe)
                fresh = [environments(self.run, question, session)[0] for _ in tried]
            for edit, one, environment in zip(tried, seen, fresh):
                environment["probe"].seen = one
                if one is not None and self._passes(question, environment):
                    found.append(edit)
        return found

    def _passes(self, question: Question, environment: dict[str, Any]) -> bool:
        return accepted(self.grader.tests.run(question, self.public, environment))

    def proved(self, edit: Edit, statement: int, working: dict[str, list[Edit]]) -> set[str]:
        """The ids of the items that an edit of a statement repairs, of those that it seems to repair.

        By their own tests on all public calls, in a worker that has seen nothing; once for each edit.
        """
        if edit not in self.proofs:
            claimed = [self.grader.assignment.question(id) for id, some in working.items() if edit in some]
            self.proofs[edit] = set()
            if self.may_try():
                with self.opened(claimed[0], {statement: edit.code}) as session:
                    self.proofs[edit] = {one.id for one in claimed if accepted(self.tested(one, session))}
        return self.proofs[edit]

    def tested(self, question: Question, session: Session) -> Outcome:
        groups = self.public[question.id]
        cases = {**self.public, question.id: {**groups, "own": [*groups.get("ladder", []), *groups["own"]], **NOT_ASKED}}
        return self.grader.tests.run(question, cases, environments(self.run, question, session)[0])

    def may_try(self) -> bool:
        """Whether there is time left to try edits."""
        return self.spent + self.spending() < ALL_SECONDS and time.monotonic() < self.run.deadline

    @contextlib.contextmanager
    def opened(self, question: Question, replaced: dict[int, str] | None = None) -> Iterator[Session]:
        limits = self.grader.assignment.limits
        limits = replace(limits, statement_seconds=SECONDS, call_seconds=SECONDS, probe_seconds=5 * SECONDS)
        with self.run.sessions.open([question], public=True, limits=limits, replaced=replaced or {}) as session:
            clock = functools.partial(charged_seconds, session.worker.pid, os.getpid())
            begun = clock()
            self.spending = lambda: clock() - begun
            try:
                yield session
            finally:
                self.spent, self.spending = self.spent + self.spending(), float


def accepted(outcome: Outcome) -> bool:
    return outcome.passed and not outcome.doubts


def _to_try(tried: list[Tried]) -> list[tuple[Any, ...]]:
    """(args, kwargs, wanted, tolerance) of some calls: those that are wrong now first, small ones before large ones."""
    tried = sorted(tried, key=lambda one: one.call.size)
    some = [one for right in (False, True) for one in [one for one in tried if one.call.right is right][:MOST_CALLS]]
    return [(one.case.args, one.case.kwargs, one.case.expected, one.case.tolerance) for one in some]

"""Why an answer is wrong, found out after all verdicts and without a change of any: see ``checks.diagnosis``.

Works on public inputs only, in workers of its own, so that whatever it says may be shown. How many edits are tried is bounded
by number, so that the same submission always gets the same sentences. What a worker says repairs an answer is tried again in
another one, by the question's own tests.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from autograder.checks.case import Case
from autograder.checks.compare import BLANK, MISSING, numeric, same
from autograder.checks.diagnosis.composition import composition, unused
from autograder.checks.diagnosis.edited import Edit
from autograder.checks.diagnosis.edits import RETURN
from autograder.checks.diagnosis.findings import BANK, RANDOM, RULE, Call, Finding, call_of, comparable, joined
from autograder.checks.diagnosis.keeping import KEPT, may_keep
from autograder.checks.diagnosis.raised import raised
from autograder.checks.diagnosis.repair import asked, leads_away, repairing
from autograder.checks.diagnosis.signatures import signature
from autograder.core.assignment import Question
from autograder.core.errors import GraderError
from autograder.core.text import clean
from autograder.core.verdict import FAILED, Verdict
from autograder.judging import feedback
from autograder.judging.absence import quoted
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
OTHERWISE = "otherwise"  # the symptom of what has no name
UNKNOWN = (MISSING, "timeout", "died", "protocol")


@dataclass
class Tried:
    """A call of an answer on public inputs and what came of it."""

    case: Case
    call: Call
    error: WorkerError | None = None


class Diagnosis:
    """What is known about the lost items of one section."""

    def __init__(self, run: SectionRun):
        self.run, self.grader = run, run.grader
        self.rules = run.grader.tests.rules
        self.public = run.grader.references["public"]["cases"]
        self.spent = 0.0  # seconds of sessions in which edits were tried, charged so that a busy machine changes no words
        self.spending: Callable[[], float] = float  # the same of the session that is open
        self.proofs: dict[Edit, set[str]] = {}  # of edits tried again, the items that each repairs
        self.random: set[str] = set()  # the items whose calls give something else each time

    def verdicts(self) -> Iterator[Verdict]:
        """The verdicts of which something is known, with what it is. A fault in here costs these words, and nothing else."""
        lost = [verdict for verdict in self.run.done.values() if verdict.status == FAILED]
        for names, group in groupby(lost, key=lambda verdict: verdict.question.names):
            try:
                found = list(self.findings(list(group))) if time.monotonic() < self.run.deadline else []
            except (GraderError, WorkerError):  # the reading or a worker has ended
                continue
            except Exception as error:
                print(f"autograder: no diagnosis of {names[0]}: {type(error).__name__}: {clean(str(error))}", file=sys.stderr)
                continue
            for verdict, findings in found:
                if findings:
                    yield told(verdict, findings)

    def findings(self, lost: list[Verdict]) -> Iterator[tuple[Verdict, list[Finding]]]:
        """What is known about items of the same answer, the most certain first."""
        known = {verdict.question.id: self.by_verdict(verdict) for verdict in lost}
        if to_find := [verdict for verdict in lost if self.is_open(verdict)]:
            for verdict, finding in self.by_trying(to_find):
                known[verdict.question.id].append(finding)
        for verdict in lost:
            yield verdict, known[verdict.question.id]

    def by_trying(self, lost: list[Verdict]) -> Iterator[tuple[Verdict, Finding]]:
        """What calls on public inputs show of items of the same answer."""
        edits = self._edits(lost)
        called = [verdict.question for verdict in lost if not verdict.question.probe]
        calls = self.calls(called, edits.parameters) if called else {}
        may = called if may_keep(edits.source) else []
        kept = [question for question in may if self._keeps(question, calls[question.id])]
        yield from ((verdict, KEPT) for verdict in lost if verdict.question in kept)
        yield from self._by_calls([verdict for verdict in lost if verdict.question not in kept], edits, calls)

    def _by_calls(self, lost: list[Verdict], edits: Edits, calls: dict[str, list[Tried]]) -> Iterator[tuple[Verdict, Finding]]:
        """What results and exceptions show, and where an edit would help."""
        found = {
            verdict.question.id: self.by_results(verdict, calls.get(verdict.question.id, []), edits.source) for verdict in lost
        }
        for verdict in lost:
            yield from ((verdict, finding) for finding in found[verdict.question.id])
        unclear = [one for one in lost if self._is_unclear(one, found[one.question.id])]
        for verdict, finding in self.repairs(unclear, edits, calls):
            if not leads_away(finding, found[verdict.question.id]):
                yield verdict, finding

    def _edits(self, lost: list[Verdict]) -> Edits:
        edits = self.run.slicer.edits(lost[0].question)
        if all(verdict.data.get("kind") == BLANK for verdict in lost):  # nothing came back: is it only not returned?
            edits = replace(edits, of=[pair for pair in edits.of if pair[1].concept == RETURN])
        return edits

    def _is_unclear(self, verdict: Verdict, found: list[Finding]) -> bool:
        """Whether to look for a repair: a probe takes a while, and its rule or its exception mostly says enough."""
        return not verdict.question.probe or not (found or self.by_verdict(verdict))

    def by_verdict(self, verdict: Verdict) -> list[Finding]:
        """What the verdict says already: a known mistake, or the concept of the rule that is broken."""
        question, data = verdict.question, verdict.data
        if name := data.get("mistake"):
            return [Finding(BANK, self.about(question, name), "")]
        concept = data.get("concept") or (self.about(question) if data.get("symptom", OTHERWISE) != OTHERWISE else "")
        found = [Finding(RULE, concept, "")] if concept else []
        return [*found, *self.by_value(question)] if question.value else found

    def about(self, question: Question, mistake: str = "") -> str:
        """The concept of an item's known mistakes, or of one of them: the bank's tag first."""
        tagged: str = self.grader.references.get("concepts", {}).get(question.id, {}).get(mistake, "")
        about: dict[str, str] = self.rules.ABOUT
        return tagged or about.get(question.id) or question.title

    def by_value(self, question: Question) -> list[Finding]:
        """What the assignment's rules say about a wrong value."""
        with self._opened(question) as session:
            environment = environments(self.run, question, session)[-1]
        value = environment.pop(question.names[0])
        case = Case(**self.public[question.id]["own"][0])
        told_ = None if value is None else self.rules.reason(question.id, value, case, environment)
        return [Finding(RULE, *told_)] if told_ else []

    def is_open(self, verdict: Verdict) -> bool:
        """Whether there is something to find out: a function or class, of no known mistake, that waits for no other."""
        question, data = verdict.question, verdict.data
        known = question.value or "mistake" in data or data.get("kind") in UNKNOWN
        return not known and not self.run.broken_helpers(question)

    # -- by results

    def calls(self, questions: list[Question], parameters: list[str]) -> dict[str, list[Tried]]:
        """The answer's results on public inputs, by question, the small ones first."""
        with self._opened(questions[0]) as session:
            return {question.id: self._called(question, session, parameters) for question in questions}

    def _called(
        self, question: Question, session: Session, parameters: list[str], cases: list[Case] | None = None
    ) -> list[Tried]:
        found = []
        for case in self._cases(question) if cases is None else cases:
            if not session.worker.alive:
                return []
            names = [*parameters, *(f"argument {n + 1}" for n in range(len(parameters), len(case.args)))]
            got, error = None, None
            try:
                got = session.worker.call(question.names[0], case.args, case.kwargs, question.tensor)
            except WorkerError as problem:
                error = problem
            found.append(Tried(case, call_of(case, names, got), error))
        if self._is_random(question, found, session):
            self.random.add(question.id)
        return found

    def _cases(self, question: Question) -> list[Case]:
        groups = self.public[question.id]
        return comparable(Case(**case) for group in ("ladder", "own") for case in groups.get(group, []))

    def by_results(self, verdict: Verdict, tried: list[Tried], code: str) -> list[Finding]:
        """What the exception that the student reads means, and how wrong results relate to right ones."""
        found: list[Finding | None] = []
        if verdict.data.get("kind") == "exception":
            found.append(self._raised(verdict, tried))
        if verdict.data.get("kind") != BLANK:
            found.append(unused(verdict.question.names[0], code, self.rules.SPARE.get(verdict.question.id, ())))
            found.append(composition(verdict.question.names[0], code, self.rules.STEPS.get(verdict.question.id, ())))
            found.append(RANDOM if verdict.question.id in self.random else signature([one.call for one in tried], code))
        return [finding for finding in found if finding]

    def _is_random(self, question: Question, tried: list[Tried], session: Session) -> bool:
        """Whether the largest wrong call gives something else when it is made again."""
        wrong = (one for one in tried if one.call.got is not None and not one.call.right)
        one = max(wrong, key=lambda one: one.call.size, default=None)
        if one is None or not session.worker.alive:
            return False
        try:
            again = numeric(session.worker.call(question.names[0], one.case.args, one.case.kwargs, question.tensor))
        except WorkerError:
            return False
        return again is not None and not same(again, one.call.got)

    def _keeps(self, question: Question, tried: list[Tried]) -> bool:
        """Whether the largest call that is wrong is right when it is the first."""
        wrong = [one for one in tried if not one.call.right]
        if not wrong or len(wrong) == len(tried):
            return False
        case = max(wrong, key=lambda one: one.call.size).case
        with self._opened(question) as session:
            return any(one.call.right for one in self._called(question, session, [], [case]))

    def _raised(self, verdict: Verdict, tried: list[Tried]) -> Finding | None:
        """What an exception on public inputs means, if it is of the kind that the student reads of."""
        question, kind = verdict.question, verdict.data["type"]
        errors = [one.error for one in reversed(tried)] if not question.probe else [self._of_probe(question)]
        error = next((error for error in errors if error and error.type_name == kind and quoted_in(verdict, error)), None)
        if error is None:
            return None
        for cell, line in reversed(error.where):
            if cell.isdigit() and (code := quoted(self.run.slicer, int(cell), line)):
                inside = self._is_inside(question, int(cell), line)  # and not in a function that it calls
                return raised(kind, error.message, code, line if inside else None)
        return raised(kind, error.message)

    def _of_probe(self, question: Question) -> WorkerError | None:
        with self._opened(question) as session:
            error = self._tested(question, session).error
        return error if isinstance(error, WorkerError) else None

    def _is_inside(self, question: Question, cell: int, line: int) -> bool:
        """Whether a line belongs to the statement that defines the answer."""
        statements = [s for s in self.run.slicer.statements if s.cell == cell and s.line <= line]
        return bool(statements) and bool(statements[-1].binds & set(question.names))

    # -- by repair

    def repairs(self, lost: list[Verdict], edits: Edits, tried: dict[str, list[Tried]]) -> Iterator[tuple[Verdict, Finding]]:
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
        return replace(asked(best, self.rules.CONCEPTS, self.run.slicer.document.place(statement.cell, line)), line=line)

    def screened(self, questions: list[Question], edits: Edits, tried: dict[str, list[Tried]]) -> dict[str, list[Edit]]:
        """Question id -> the edits with which a worker gets its calls right, those that explain first."""
        calls = [_to_try(tried[question.id]) for question in questions]
        found: dict[str, list[Edit]] = {question.id: [] for question in questions}
        left, hung = list(edits.of), 0
        while left and hung <= MOST_HUNG and self.may_try():
            with self._opened(questions[0]) as session:
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
            with self._opened(question) as session:
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
                with self._opened(claimed[0], {statement: edit.code}) as session:
                    self.proofs[edit] = {one.id for one in claimed if accepted(self._tested(one, session))}
        return self.proofs[edit]

    def _tested(self, question: Question, session: Session) -> Outcome:
        groups = self.public[question.id]
        cases = {**self.public, question.id: {**groups, "own": [*groups.get("ladder", []), *groups["own"]], **NOT_ASKED}}
        return self.grader.tests.run(question, cases, environments(self.run, question, session)[0])

    def may_try(self) -> bool:
        """Whether there is time left to try edits."""
        return self.spent + self.spending() < ALL_SECONDS and time.monotonic() < self.run.deadline

    @contextlib.contextmanager
    def _opened(self, question: Question, replaced: dict[int, str] | None = None) -> Iterator[Session]:
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


def quoted_in(verdict: Verdict, error: WorkerError) -> bool:
    """Whether the message that the student reads is this exception's: others of the same type may mean something else."""
    return feedback.message_of(error) in verdict.reason


def _to_try(tried: list[Tried]) -> list[tuple[Any, ...]]:
    """(args, kwargs, wanted, tolerance) of some calls: those that are wrong now first, small ones before large ones."""
    tried = sorted(tried, key=lambda one: one.call.size)
    some = [one for right in (False, True) for one in [one for one in tried if one.call.right is right][:MOST_CALLS]]
    return [(one.case.args, one.case.kwargs, one.case.expected, one.case.tolerance) for one in some]


def told(verdict: Verdict, findings: list[Finding]) -> Verdict:
    """The verdict with what is known: in its reason, for the student, and in its data, for tools."""
    best = next((finding for finding in findings if finding.line is not None), findings[0])
    reason, data = joined(verdict.reason, findings), {**verdict.data, "diagnosis": best.tree()}
    return replace(verdict, reason=reason, bare=verdict.bare or verdict.reason, data=data)

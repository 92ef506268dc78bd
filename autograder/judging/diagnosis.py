"""Why an answer is wrong, found out after all verdicts and without a change of any: see ``checks.diagnosis``.

Works on public inputs only, in workers of its own, so that whatever it says may be shown.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from autograder.checks.case import STATE, Case
from autograder.checks.compare import BLANK, MISSING, numeric, same
from autograder.checks.diagnosis.composition import composition, unused
from autograder.checks.diagnosis.edits import RETURN
from autograder.checks.diagnosis.findings import BANK, RANDOM, RULE, Finding, call_of, comparable, joined
from autograder.checks.diagnosis.keeping import KEPT, may_keep
from autograder.checks.diagnosis.raised import raised
from autograder.checks.diagnosis.repair import leads_away
from autograder.checks.diagnosis.signatures import signature
from autograder.core.assignment import Question
from autograder.core.errors import GraderError
from autograder.core.text import clean
from autograder.core.verdict import FAILED, Verdict
from autograder.judging import feedback
from autograder.judging.absence import quoted
from autograder.judging.environments import environments
from autograder.judging.repairs import Repairs, Tried
from autograder.sandbox.judge_side.worker import WorkerError
from autograder.submission.clashes import as_written

if TYPE_CHECKING:
    from autograder.judging.edits import Edits
    from autograder.judging.section import SectionRun
    from autograder.judging.sessions import Session

OTHERWISE = "otherwise"  # the symptom of what has no name
UNKNOWN = (MISSING, "timeout", "died", "protocol")


class Diagnosis:
    """What is known about the lost items of one section."""

    def __init__(self, run: SectionRun):
        self.run, self.grader = run, run.grader
        self.rules = run.grader.tests.rules
        self.public = run.grader.references["public"]["cases"]
        self.repairs = Repairs(run)
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
            if self._has_more_to_say(verdict) and not known[verdict.question.id]:
                known[verdict.question.id] += self.by_code(verdict.question, self._code_of(verdict.question))
            yield verdict, known[verdict.question.id]

    def _has_more_to_say(self, verdict: Verdict) -> bool:
        """Whether its code may show a mistake of its own, besides the helpers that it waits for."""
        return verdict.data.get("kind") != BLANK and bool(self.run.broken_helpers(verdict.question))

    def _code_of(self, question: Question) -> str:
        """The code of the statements that bind an answer, of those that have run."""
        return "\n".join(one.code for one in self.run.slicer.statements if question.names[0] in one.binds)

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
        for verdict, finding in self.repairs.found(unclear, edits, calls):
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
        with self.repairs.opened(question) as session:
            environment = environments(self.run, question, session)[-1]
        value = environment.pop(question.names[0])
        case = Case(**self.public[question.id]["own"][0])
        told_ = None if value is None else self.rules.reason(question.id, value, case, environment)
        return [Finding(RULE, *told_)] if told_ else []

    def is_open(self, verdict: Verdict) -> bool:
        """Whether there is something to find out: a function or class, of no known mistake, that waits for no other."""
        question, data = verdict.question, verdict.data
        known = question.value or "mistake" in data or data.get("kind") in UNKNOWN or data.get("concept") == STATE
        return not known and not self.run.broken_helpers(question)

    def calls(self, questions: list[Question], parameters: list[str]) -> dict[str, list[Tried]]:
        """The answer's results on public inputs, by question, the small ones first."""
        with self.repairs.opened(questions[0]) as session:
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
            found += self.by_code(verdict.question, code)
            found.append(RANDOM if verdict.question.id in self.random else signature([one.call for one in tried], code))
        return [finding for finding in found if finding]

    def by_code(self, question: Question, code: str) -> list[Finding]:
        """What its code shows without being run, whatever else is wrong."""
        found = (
            unused(question.names[0], code, self.rules.SPARE.get(question.id, ())),
            composition(question.names[0], code, self.rules.STEPS.get(question.id, ())),
        )
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
        with self.repairs.opened(question) as session:
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
                return raised(kind, as_written(error.message), code, line if inside else None)
        return raised(kind, as_written(error.message))

    def _of_probe(self, question: Question) -> WorkerError | None:
        with self.repairs.opened(question) as session:
            error = self.repairs.tested(question, session).error
        return error if isinstance(error, WorkerError) else None

    def _is_inside(self, question: Question, cell: int, line: int) -> bool:
        """Whether a line belongs to the statement that defines the answer."""
        statements = [s for s in self.run.slicer.statements if s.cell == cell and s.line <= line]
        return bool(statements) and bool(statements[-1].binds & set(question.names))


def quoted_in(verdict: Verdict, error: WorkerError) -> bool:
    """Whether the message that the student reads is this exception's: others of the same type may mean something else."""
    return feedback.message_of(error) in verdict.reason


def told(verdict: Verdict, findings: list[Finding]) -> Verdict:
    """The verdict with what is known: in its reason, for the student, and in its data, for tools."""
    best = next((finding for finding in findings if finding.line is not None), findings[0])
    reason, data = joined(verdict.reason, findings), {**verdict.data, "diagnosis": best.tree()}
    return replace(verdict, reason=reason, bare=verdict.bare or verdict.reason, data=data)

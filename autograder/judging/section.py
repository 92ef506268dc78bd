"""Judge all questions of one section of one submission.

A section's functions share one worker. An item that fails there is judged again alone in a fresh worker, so that no item
suffers from what another one did. A composite that fails on broken helpers is judged again with correct ones.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from autograder.checks.case import Case
from autograder.checks.compare import Failure
from autograder.checks.diagnose import mistakes_like, outputs_of, raising_like
from autograder.core.assignment import Question, Section
from autograder.core.text import clean
from autograder.core.verdict import FAILED, MISSING, NOT_RUN, PASSED, Verdict, late
from autograder.judging import charging, feedback
from autograder.judging.environments import environments
from autograder.judging.grader import Grader
from autograder.judging.question_tests import Outcome, is_students_fault, noting_shapes
from autograder.judging.reading import Found
from autograder.judging.sessions import Session, Sessions
from autograder.sandbox.judge_side.apart import Ended
from autograder.sandbox.judge_side.worker import RAISED, WorkerError
from autograder.slicing.known import Malformed, reached_from
from autograder.slicing.slicer import EARLY, SLICE, WIDE
from autograder.slicing.touches import reported, told_once

ROUNDING = 10.0  # tolerances: less than any known mistake (the audit's margin), more than helpers within theirs add up to


class SectionRun:
    """All questions of one section of one submission; ``number``: the hidden set on which they are judged, if any.

    ``done``: question id -> verdict; a question in it is not judged again.
    """

    def __init__(self, grader: Grader, section: Section, found: Found, deadline: float):
        self.grader, self.section, self.deadline = grader, section, deadline
        self.number: int | None = None
        self.found = found
        self.questions = grader.assignment.of_section(section)
        self.done: dict[str, Verdict] = {}
        self.misfits: dict[str, str] = {}  # helper -> the composite for which it had to be replaced, although it passed alone
        if found.plan:
            self.slicer = found.plan
            self.judge_on(grader.choose(section, found.plan.essence))

    def judge_on(self, number: int | None) -> None:
        """Judge on the hidden set of this number from now on (None: on the public one)."""
        self.number, self.hidden = number, self.grader.inputs(number)
        self.sessions = Sessions(self.grader, self.section, self.slicer, self.hidden, self.deadline)

    def verdicts(self) -> Iterator[Verdict]:
        """Yield a verdict for each question, in order, and then those that ``judging.charging`` corrects."""
        try:
            yield from self._verdicts()
        except (Ended, Malformed) as error:  # the slices of this section, and so its questions, cannot be had; others can
            for question in self.questions:
                if question.id not in self.done:
                    yield Verdict(question, MISSING, f"no code to run: {error}")

    def _verdicts(self) -> Iterator[Verdict]:
        if not self.found.plan:
            for question in self.questions:
                yield Verdict(question, MISSING, self.found.problem)
            return
        shared, touched = None, self.slicer.touched
        try:
            for question in [question for question in self.questions if question.id not in self.done]:
                if time.monotonic() > self.deadline:
                    yield late(question)
                    continue
                if shared is None or not shared.worker.alive:
                    shared = self.sessions.open(self.questions)
                verdict = self.done[question.id] = self._in_time(question, shared)
                if touched:  # all answers of a section share a worker: told once, beside the first one
                    verdict.data["flags"] = list(dict.fromkeys([*verdict.data.get("flags", ()), *touched]))
                    touched = []
                yield verdict
            yield from self._corrected()
        finally:
            if shared is not None:
                shared.worker.close()
            self.sessions.close()

    def _in_time(self, question: Question, shared: Session) -> Verdict:
        """The verdict, with the time that it took; "not run" if the deadline was passed on the way."""
        started = time.monotonic()
        verdict = self.judge(question, shared)
        if verdict.status != PASSED and time.monotonic() > self.deadline:
            verdict = late(question)
        verdict.seconds = time.monotonic() - started
        return verdict

    def _corrected(self) -> Iterator[Verdict]:
        for verdict in charging.corrected(self.questions, self.done, self.misfits, self.grader.references["says"]):
            self.done[verdict.question.id] = verdict
            yield verdict

    def judge(self, question: Question, shared: Session) -> Verdict:
        """Judge on the shared worker first, then (composites on broken helpers) with correct helpers, then alone."""
        broken = self.broken_helpers(question)
        if charging.hang(broken, self.done):
            return self._without_hanging(question, broken)
        outcome = self.run_tests(question, shared)
        again = self._judged_again(question, broken, outcome)
        if again and again.status == PASSED:
            return again
        outcome, session = self._retried_alone(question, outcome, shared)
        if not outcome.passed and (fitting := self._with_fitting_helpers(question, broken)):
            return fitting
        if not outcome.passed and (rightly := self._with_right_values(question)):
            return rightly
        verdict = self.explained(question, outcome, session)
        return self._better(verdict, again, broken) if again and not outcome.passed else verdict

    def _with_right_values(self, question: Question) -> Verdict | None:
        """The verdict on a value that is right once another one is, from which it is computed; None if it is not."""
        case = Case(**self.hidden["cases"][question.id]["own"][0])
        values, wrong = {}, []
        for owner in self.questions if question.value else ():
            done = self.done.get(owner.id)
            right = self.grader.tests.rules.right_value(owner.names[0], case) if owner.names[0] in question.context else None
            if done and done.status == FAILED and right is not None:
                values[owner.names[0]] = right
                wrong.append(owner)
        if not values:
            return None
        with self.sessions.open([question], values=values) as session:
            if not (outcome := self.run_tests(question, session)).passed:
                return None
            return charging.right_once(self.explained(question, outcome, session), wrong)

    def _without_hanging(self, question: Question, broken: list[Question]) -> Verdict:
        """The verdict where a helper hangs or crashes, as it would again in everything that uses it."""
        again = self.with_right_helpers(question, broken)
        if again.status != PASSED:
            again.notes.append(charging.tried_with(broken, again, alone=True))
            return self._with_fitting_helpers(question, broken) or again
        return again

    def _better(self, verdict: Verdict, again: Verdict, broken: list[Question]) -> Verdict:
        """Of two failures, with the student's helpers and with right ones: the one that says or keeps more."""
        if "like" in again.data:
            return again
        better = again if self._points(again) > self._points(verdict) else verdict
        better.notes.append(charging.tried_with(broken, again))
        better.data = {key: again.data[key] for key in again.data if key == "raising_like"} | better.data
        if told := again.data.get("unhelped"):
            charging.unhelped(better, told)
        return better

    def _points(self, verdict: Verdict) -> float:
        return sum(verdict.score(course) for course in self.grader.assignment.courses)

    def _judged_again(self, question: Question, broken: list[Question], outcome: Outcome) -> Verdict | None:
        """The verdict with correct helpers, if the student's are broken, or if each is right but their rounding adds up."""
        if outcome.passed:
            return None
        if broken:
            return self.with_right_helpers(question, broken)
        if question.prerequisites and self._is_rounding(question, outcome):
            verdict = self.with_right_helpers(question, self._helpers(question))
            if verdict.status == PASSED:
                return replace(verdict, reason="correct; the rounding in your other functions adds up to more than is allowed")
        return None

    def _retried_alone(self, question: Question, outcome: Outcome, shared: Session) -> tuple[Outcome, Session]:
        """The outcome that counts, and its session: a failure is retried in a fresh worker, if that may help."""
        if outcome.passed or not feedback.worth_another_try(outcome):
            return outcome, shared
        first = outcome, shared
        widen = feedback.wants_more(outcome, question, shared)
        if widen or shared.worker.requests > 2:  # otherwise nothing else has run there
            second = self._run_alone(question, WIDE if widen else SLICE)
            if second[0].passed:
                return second
            first = second if widen else first
        elsewhere = None if widen else self._with_all_effects(question, outcome)
        return elsewhere or self._retried_early(question, first)

    def _retried_early(self, question: Question, first: tuple[Outcome, Session]) -> tuple[Outcome, Session]:
        """The first outcome, or a better one without later code that may give a name another meaning."""
        if not self.slicer.rebinds_late(question):
            return first
        third = self._run_alone(question, EARLY)
        better = third[0].passed or (isinstance(third[0].error, Failure) and not isinstance(first[0].error, Failure))
        return third if better else first

    def _with_all_effects(self, question: Question, outcome: Outcome) -> tuple[Outcome, Session] | None:
        """The outcome, if it passes, in a session that does all that the section's part does; None where that is no use."""
        whole = self.sessions.whole(question) if feedback.may_lack_effects(outcome, question) else None
        passed = whole and (outcome := self.run_tests(question, whole)).passed
        return (outcome, whole) if whole and passed else None

    def _run_alone(self, question: Question, width: str) -> tuple[Outcome, Session]:
        session = self.sessions.alone(question, width)
        return self.run_tests(question, session), session

    def run_tests(self, question: Question, session: Session, group: str = "own") -> Outcome:
        """Run the tests on each value that may count (functions: once); returns the first pass or the last failure."""
        for environment in environments(self, question, session):
            outcome = self.grader.tests.run(question, self.hidden["cases"], environment, group)
            if outcome.passed:
                break
        return outcome

    def broken_helpers(self, question: Question) -> list[Question]:
        """The wrong helpers of a composite, as far as the code behind it mentions them."""
        wrong = [helper for helper in self._helpers(question) if self.done[helper.id].status != PASSED]
        reached = reached_from(question.names, self.slicer.statements) if wrong else set()
        return [helper for helper in wrong if reached.intersection(helper.names)]

    def _is_rounding(self, question: Question, outcome: Outcome) -> bool:
        """Whether a failure is so close to the tolerance that right helpers, each within it, can have made it."""
        largest = outcome.error.data.get("largest") if isinstance(outcome.error, Failure) else None
        return largest is not None and largest <= ROUNDING * question.section.tolerance

    def _helpers(self, question: Question) -> list[Question]:
        """The questions that grade the helpers of a composite, as far as they have been judged."""
        return [self.grader.assignment.question(id) for id in question.prerequisites if id in self.done]

    def _with_fitting_helpers(self, question: Question, broken: list[Question]) -> Verdict | None:
        """The verdict on a composite that passes with right versions of some helpers that passed alone; None if it does not.

        They passed because of the way a broken one is, or with doubts: only in the latter case are they charged, as misfits.
        """
        passed = [self.done[helper.id] for helper in self._helpers(question) if self.done[helper.id].status == PASSED]
        doubtful = [verdict.question for verdict in passed if "doubt" in verdict.data]
        linked = _judged_with(broken, passed)
        for misfits in ([], *([helper] for helper in doubtful), doubtful):
            if linked or misfits:
                verdict = self.with_right_helpers(question, [*broken, *misfits], linked)
                if verdict.status == PASSED:
                    self.misfits = {helper.id: question.id for helper in misfits} | self.misfits
                    return verdict
        return None

    def with_right_helpers(self, question: Question, broken: list[Question], linked: Sequence[Question] = ()) -> Verdict:
        """Judge a composite on inputs used nowhere else, while the judge answers calls of its broken helpers.

        ``linked``: helpers to replace with them, because they were judged together.
        """
        replaced = [*broken, *(helper for helper in linked if helper not in broken)]
        verdict = self._judged_with_right(question, replaced, SLICE)
        if verdict.status != PASSED and self.slicer.rebinds_late(question):
            early = self._judged_with_right(question, replaced, EARLY)
            verdict = early if early.status == PASSED or "like" in early.data else verdict
        if verdict.status == PASSED:
            charging.right_once(verdict, broken)
        return verdict

    def _judged_with_right(self, question: Question, broken: list[Question], width: str) -> Verdict:
        """Composites with the same broken helpers share a worker; one that fails there is judged again in its own."""
        session, shared = self.sessions.with_right(question, broken, width)
        verdict = self.explained(question, self.run_tests(question, session, "fresh"), session, "fresh")
        if verdict.status != PASSED and shared:
            session.worker.close()
            return self._judged_with_right(question, broken, width)
        if verdict.status != PASSED and session.worker.refused:
            charging.unhelped(verdict, charging.refusals(session.worker.refused))
            verdict.data["misgiven"] = all(why.startswith(RAISED) for why in session.worker.refused.values())
        return verdict

    def _name_mistake(self, question: Question, verdict: Verdict, session: Session, group: str) -> None:
        """Add the known mistakes that give the same outputs, and the sentence of the one if there is only one."""
        known = {name: groups[group] for name, groups in self.hidden["bank"].get(question.id, {}).items() if group in groups}
        if not known or not session.worker.alive:
            return
        # In the plain memory layout: an answer that also fails on another one still shows which mistake it is.
        cases = [Case(**{**case, "layout": ""}) for case in self.hidden["cases"][question.id][group]]
        answer = environments(self, question, session)[0]["probe" if question.probe else question.names[0]]
        signature = functools.partial(self.grader.tests.rules.signature, question.id)
        outputs = outputs_of(answer, cases, signature)
        like = mistakes_like(outputs, known)
        if like:
            verdict.data["like"] = like
        elif raising := raising_like(outputs, known):
            verdict.data["raising_like"] = raising
        if len(like) == 1:
            charging.name(verdict, like[0], self.grader.references["says"])

    def explained(self, question: Question, outcome: Outcome, session: Session, group: str = "own") -> Verdict:
        """The verdict in words. If the test itself is broken, the item counts as not run, and its reason says so."""
        error = outcome.error
        if outcome.passed:
            verdict = Verdict(question, PASSED, "correct")
        elif is_students_fault(error):
            with self._quotable(question, outcome, session) as quotable:
                shown = feedback.Shown(self.slicer, quotable, self._public_error, self.grader.available)
                reason, data = feedback.reason(question, error, shown)
            verdict = Verdict(question, FAILED, reason, data=data)
        else:
            told = clean(f"{type(error).__name__}: {error}", 300)
            print(f"autograder: the test of {question.id} is broken: {told}", file=sys.stderr)
            verdict = Verdict(question, NOT_RUN, "not run: the test itself failed; please tell the staff", tags=["grader"])
        if verdict.status == FAILED and (isinstance(error, Failure) or self._raises_in_a_part(question, error)):
            self._name_mistake(question, verdict, session, group)
        verdict.lines = outcome.lines()
        verdict.held = outcome.held
        verdict.notes = list(outcome.notes)
        if outcome.doubts:
            verdict.data["doubt"] = outcome.doubts[0]
        mentioned = self.slicer.flagged[question.id]
        touched = told_once(reported(self.slicer.document, *touch) for touch in session.worker.touches)
        if flags := list(dict.fromkeys([*mentioned, *outcome.flags, *touched])):
            verdict.data["flags"] = flags
        return verdict

    def _raises_in_a_part(self, question: Question, error: BaseException | None) -> bool:
        """Whether one of several questions about the same function raises: the others may tell by which mistake."""
        parts = [other for other in self.questions if other.names == question.names]
        return isinstance(error, WorkerError) and error.kind == "exception" and len(parts) > 1 and not question.probe

    def _quotable(self, question: Question, outcome: Outcome, session: Session) -> AbstractContextManager[Session]:
        """The session whose failures may be quoted: this one, or one in the public world if this one's is hidden."""
        if self.section.probes and feedback.is_blank(outcome):
            return self.sessions.open([question], public=True)
        return contextlib.nullcontext(session)

    def _public_error(self, question: Question, error: WorkerError) -> WorkerError | None:
        """The exception that public inputs raise, which may be shown; None if they raise none."""
        if question.value:
            return error
        with self.sessions.open([question], public=True) as session:
            for environment in environments(self, question, session):
                name = question.names[0]
                if callable(answer := environment[name]):
                    environment[name] = noting_shapes(
                        answer, self.grader.references["public"]["parameters"].get(question.id, [])
                    )
                public = self.grader.tests.run(question, self.grader.references["public"]["cases"], environment).error
                if isinstance(public, WorkerError) and public.kind == "exception":
                    return public
        return None


def _judged_with(broken: list[Question], passed: list[Verdict]) -> list[Question]:
    """The questions that passed in tests which also call one of these broken helpers."""
    names = {name for helper in broken for name in helper.names}
    return [verdict.question for verdict in passed if names.intersection(verdict.question.context)]

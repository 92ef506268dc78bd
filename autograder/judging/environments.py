"""What the tests of a question may see of a submission: values for ``value`` questions, proxies for functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograder.core.assignment import Question
from autograder.judging.question_tests import Probe, proxy
from autograder.judging.sessions import Session
from autograder.sandbox.judge_side.worker import WorkerError
from autograder.slicing import candidates

if TYPE_CHECKING:
    from autograder.judging.section import SectionRun


def environments(run: SectionRun, question: Question, session: Session) -> list[dict[str, Any]]:
    """What the tests may see, at least one: values for ``value`` questions, proxies for functions, None where missing."""
    if not question.value:
        names, bound = (*question.names, *question.context), session.loaded.bound
        probe = {}
        if question.probe:
            teller = run.grader.tests.rules.teller(question.probe, session.world)
            probe["probe"] = Probe(session.worker, question, bound, run.sessions.hung.get(question.id), teller)
        return [probe | {n: proxy(session.worker, n, question.tensor) if bound.get(n) == "function" else None for n in names}]
    context = {name: _value_of(run, name, session) for name in question.context}
    values = _candidates(run, question, session)
    return [{**context, question.names[0]: value} for value in values or [None]]


def _value_of(run: SectionRun, name: str, session: Session) -> Any:
    """The value that counts for a name, by the question that owns it; None without one."""
    owner = next((q for q in run.questions if name in q.names), None)
    values = _candidates(run, owner, session) if owner else []
    return values[0] if values else None


def _candidates(run: SectionRun, question: Question, session: Session) -> list[Any]:
    values = candidates.values_for(run.slicer.statements, session.program, session.loaded.snapshots, question, run.questions)
    if all(value is None for value in values):
        for function, name in question.calls.items():
            if name == question.names[0] and session.loaded.bound.get(function) == "function":
                try:
                    return [session.worker.call(function, [], {})]
                except WorkerError:
                    return values
    return values

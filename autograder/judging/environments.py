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
        bound = session.loaded.bound
        probe = {}
        if question.probe:
            teller = run.grader.tests.rules.teller(question.probe, session.world)
            probe["probe"] = Probe(session.worker, question, bound, run.sessions.hung.get(question.id), teller)
        own = {n: proxy(session.worker, n, question.tensor) if bound.get(n) == "function" else None for n in question.names}
        return [probe | _context(run, question, session) | own]
    context = _context(run, question, session)
    values = _candidates(run, question, session)
    return [{**context, question.names[0]: value} for value in values or [None]]


def _context(run: SectionRun, question: Question, session: Session) -> dict[str, Any]:
    """The further names that the question's tests take: a proxy for a function, otherwise the value."""
    functions = [name for name in question.context if session.loaded.bound.get(name) == "function"]
    proxies = {name: proxy(session.worker, name, question.tensor) for name in functions}
    return {name: proxies[name] if name in proxies else _value_of(run, name, session) for name in question.context}


def _value_of(run: SectionRun, name: str, session: Session) -> Any:
    """The value that counts for a name, by the question that owns it, otherwise its last one; None without one."""
    owner = next((q for q in run.questions if name in q.names and q.value), None)
    if owner is None:
        return next((value for known, _, value in reversed(session.loaded.snapshots) if known == name), None)
    values = _candidates(run, owner, session)
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

"""What one slip may cost: the corrections of a section's verdicts once all of them are known.

A slip costs one item. A mistake that is recognised in several questions about one function is charged in the one with the most
points. A helper that passes alone, but departs from the handout in a way that does not fit the student's other functions, is
charged instead of the function that calls it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from autograder.checks.compare import KIND
from autograder.core.assignment import Question
from autograder.core.verdict import FAILED, PASSED, Verdict


def hang(helpers: list[Question], done: dict[str, Verdict]) -> bool:
    """Whether one of these hangs or crashes: it would do so again in every question that uses it."""
    return any(done[helper.id].data.get("kind") in ("timeout", "died") for helper in helpers)


def corrected(questions: list[Question], done: dict[str, Verdict], misfits: dict[str, str]) -> Iterator[Verdict]:
    """The verdicts to correct; ``misfits``: helpers that passed with a doubt -> the question that passes without them.

    Charged helpers are corrected in ``done``, too.
    """
    for id, composite in misfits.items():
        done[id] = misfit(done[id], composite)
        yield done[id]
    yield from once(questions, done)


def once(questions: list[Question], done: dict[str, Verdict]) -> Iterator[Verdict]:
    """The verdicts on questions that fail by a slip which is charged in another question about the same function."""
    for verdict in list(done.values()):
        own = verdict.question
        group = [done[q.id] for q in questions if q.names == own.names and q.id in done]
        same = [other for other in group if _slips(other) & _slips(verdict)]
        charged = max(same, key=lambda other: sum(other.question.points.values()), default=verdict)
        if charged is not verdict and not own.value and not own.probe:
            yield replace(
                verdict,
                status=PASSED,
                tags=[*verdict.tags, "charged once"],
                reason=f"the same mistake as in {charged.question.id}, and only charged there: {verdict.reason}",
            )


def right_once(verdict: Verdict, broken: list[Question]) -> Verdict:
    """The verdict on an answer that is right with right answers to these questions in place of the student's."""
    verb = "are" if len({helper.names for helper in broken}) > 1 else "is"
    verdict.reason = f"right once {listed(broken)} {verb} right: full points here, the mistake is only charged there"
    verdict.tags.append("right prerequisites")
    return verdict


def listed(questions: list[Question]) -> str:
    """The names of their answers."""
    return ", ".join(f"`{name}`" for name in dict.fromkeys(q.names[0] for q in questions))


def misfit(verdict: Verdict, composite: str) -> Verdict:
    """The verdict on a helper that passed with a doubt, and without which the question ``composite`` passes."""
    doubt, name = verdict.data["doubt"], verdict.question.names[0]
    return replace(
        verdict,
        status=FAILED,
        reason=f"{doubt}. {composite} fails with this `{name}`, and passes with a correct one",
        lines=[line.replace("✓", "✗") for line in verdict.lines],
        notes=[note for note in verdict.notes if note != doubt],
    )


def _slips(verdict: Verdict) -> set[str]:
    """What may be the slip behind a lost item: known mistakes with its outputs, no tensor as an answer, a line that raises."""
    if verdict.status != FAILED:
        return set()
    kind = verdict.data.get("kind")
    raised = [f"{verdict.data['type']}{verdict.data['place']}"] if kind == "exception" and verdict.data["place"] else []
    return {*verdict.data.get("like", ()), *([KIND] if kind == KIND else []), *raised}

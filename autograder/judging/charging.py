"""What one slip may cost: the corrections of a section's verdicts once all of them are known.

A slip costs one item. A mistake that is recognised in several questions about one function is charged in the one with the most
points, also where it raises there and is recognised in another one. A helper that passes alone, but departs from the handout in
a way that does not fit the student's other functions, is charged instead of the function that calls it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from autograder.checks.compare import KIND
from autograder.checks.diagnosis.findings import ended
from autograder.core.assignment import Question
from autograder.core.verdict import FAILED, PASSED, Verdict


def hang(helpers: list[Question], done: dict[str, Verdict]) -> bool:
    """Whether one of these hangs or crashes: it would do so again in every question that uses it."""
    return any(done[helper.id].data.get("kind") in ("timeout", "died") for helper in helpers)


def corrected(
    questions: list[Question], done: dict[str, Verdict], misfits: dict[str, str], says: dict[str, dict[str, str]]
) -> Iterator[Verdict]:
    """The verdicts to correct; ``misfits``: helpers that passed with a doubt -> the question that passes without them.

    ``says``: question id -> known mistake -> message for its author. Charged helpers are corrected in ``done``, too.
    """
    for id, composite in misfits.items():
        done[id] = misfit(done[id], composite)
        yield done[id]
    for verdict in list(done.values()):
        if mistake := named_elsewhere(verdict, done):
            name(verdict, mistake, says)
            yield verdict
    yield from once(questions, done)


def once(questions: list[Question], done: dict[str, Verdict]) -> Iterator[Verdict]:
    """The verdicts on questions that fail by a slip that another one about the same function, with more points, pays for."""
    charged: list[Verdict] = []
    for verdict in sorted((done[q.id] for q in questions if q.id in done), key=lambda v: -sum(v.question.points.values())):
        own = verdict.question
        same = (other for other in charged if other.question.names == own.names and _is_one_slip(other, verdict))
        there = None if own.value or own.probe else next(same, None)
        if there is None:
            charged.append(verdict)
            continue
        yield replace(
            verdict,
            status=PASSED,
            tags=[*verdict.tags, "charged once"],
            reason=f"the same mistake as in {there.question.id}, and only charged there: {verdict.reason}",
        )


def named_elsewhere(verdict: Verdict, done: dict[str, Verdict]) -> str:
    """The mistake as which this item raises, and which another one about the same function is; '' if there is none."""
    raising = set() if verdict.status != FAILED else set(verdict.data.get("raising_like", ()))
    others = [other for other in done.values() if other.question.names == verdict.question.names]
    found = {other.data.get("mistake", "") for other in others if other.status == FAILED} & raising
    return found.pop() if len(found) == 1 else ""


def name(verdict: Verdict, mistake: str, says: dict[str, dict[str, str]]) -> None:
    """Put a known mistake into a verdict: into its data, and what is said of it into its reason."""
    question = verdict.question
    see = f" ({question.see})" if question.see else ""
    verdict.data["mistake"] = mistake
    verdict.bare = verdict.bare or verdict.reason
    verdict.reason = f"{ended(verdict.reason)} Likely: {says[question.id][mistake]}{see}"


def right_once(verdict: Verdict, broken: list[Question]) -> Verdict:
    """The verdict on an answer that is right with right answers to these questions in place of the student's."""
    own = verdict.question.names[0]
    verb = "are" if len({helper.names for helper in broken}) > 1 or broken[0].names[0] == own else "is"
    verdict.reason = f"right once {listed(broken, own)} {verb} right: full points here, the mistake is only charged there"
    verdict.tags.append("right prerequisites")
    return verdict


def refusals(refused: dict[str, str]) -> str:
    """What staff read about correct versions (name -> why not) that did not answer every call of a composite."""
    return "; ".join(f"the correct `{name}` did not answer every call: {why}" for name, why in refused.items())


def unhelped(verdict: Verdict, told: str) -> None:
    """Record for staff why a composite that failed was not judged with correct helpers only; see ``refusals``."""
    verdict.data["unhelped"] = told
    verdict.data["flags"] = list(dict.fromkeys([*verdict.data.get("flags", ()), told]))


def tried_with(broken: list[Question], again: Verdict, alone: bool = False) -> str:
    """What to say of a composite that failed with correct versions of these helpers, too; ``alone``: it ran only with them.

    If one of them did not answer a call, nobody knows what the composite would have done, and no more is said than that.
    """
    right = f"correct versions of {listed(broken, again.question.names[0])}"
    if again.data.get("misgiven"):
        return f"{right} raise an exception on what this function gives them: of which shape and kind is that?"
    if "unhelped" in again.data:
        return f"{right} could not answer every call that this function made: ask the staff to look at it"
    return f"tested with {right}" if alone else f"tested with your own functions, and again with {right}: wrong both times"


def listed(questions: list[Question], own: str = "") -> str:
    """The names of their answers; of a class with several questions, ``own``, the others of its functions are meant."""
    names = dict.fromkeys(q.names[0] for q in questions)
    return ", ".join(f"other functions of `{name}`" if name == own else f"`{name}`" for name in names)


def misfit(verdict: Verdict, composite: str) -> Verdict:
    """The verdict on a helper that passed with a doubt, and without which the question ``composite`` passes."""
    doubt, name = verdict.data["doubt"], verdict.question.names[0]
    return replace(
        verdict,
        status=FAILED,
        reason=f"{doubt}. {composite} fails with this `{name}`, and passes with a correct one",
        lines=[line.replace("✓", "✗") for line in verdict.lines],
        notes=[note for note in verdict.notes if note != doubt],
        bare="",
    )


def _is_one_slip(one: Verdict, other: Verdict) -> bool:
    """Whether two lost items have a slip in common. Which mistake raises in one may be known by the other."""
    raising = [set(verdict.data.get("raising_like", ())) for verdict in (one, other)]
    slips = [_slips(one), _slips(other)]
    return bool(slips[0] & slips[1] or slips[0] & raising[1] or raising[0] & slips[1])


def _slips(verdict: Verdict) -> set[str]:
    """What may be the slip behind a lost item: known mistakes with its outputs, no tensor as an answer, a line that raises."""
    if verdict.status != FAILED:
        return set()
    kind = verdict.data.get("kind")
    raised = [f"{verdict.data['type']}{verdict.data['place']}"] if kind == "exception" and verdict.data["place"] else []
    return {*verdict.data.get("like", ()), *([KIND] if kind == KIND else []), *raised}

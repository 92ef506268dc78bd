"""What an assignment lets through that no audit can see, and what its audit does not prove."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from autograder.authoring.baking.bank import BankEntry
from autograder.checks.values import to_json
from autograder.core.assignment import Assignment, Question
from autograder.core.references import unpacked
from autograder.core.text import clean

NO_ARGUMENTS = "[[], {}]"
Set = dict[str, Any]  # a baked set, see ``baking.bake``


def warnings(assignment: Assignment, bank: dict[str, list[BankEntry]]) -> list[str]:
    """What is missing, and what that leaves unproved; [] if nothing is."""
    found = []
    without = {kind: _without(assignment, entries) for kind, entries in bank.items()}
    if not bank["mistake"]:
        found.append("0 mistakes in the bank: the audit proves nothing yet about wrong answers (assignment/bank/)")
    elif without["mistake"]:
        found.append(f"no mistake in the bank for {', '.join(without['mistake'])}: a wrong answer there may pass")
    if not bank["alternative"]:
        found.append("0 alternatives in the bank: right answers that look unlike the solutions may fail (assignment/bank/)")
    if lost := [item.id for item in assignment.written.items if assignment.written.part_of(item.id) is None]:
        found.append(f"no [[part]] for {', '.join(lost)}: `autograder rubric` leaves them out of what readers get")
    if assignment.written.items and not assignment.written.chapters:
        found.append("no [[chapter]]: students get no template of a write-up for the items that people read")
    if not (assignment.folder / "smoke").is_dir():
        found.append(
            "no assignment/smoke/: a new image is tested by the cage's probes alone, and grades nothing before it is used"
        )
    return found


def _without(assignment: Assignment, entries: list[BankEntry]) -> list[str]:
    names = {name for entry in entries for name in (entry["item"], *entry.get("also_costs", ()))}
    return [question.id for question in assignment.questions if question.id not in names]


def weak_inputs(assignment: Assignment, references: dict[str, Any]) -> list[str]:
    """Why inputs cannot tell a right answer from a wrong one; one line each.

    Those are functions of which every call expects the same, although the arguments differ; functions for which a hidden set
    is the public one; and hidden sets that do not differ at all. (Of functions that take sizes alone, all hidden sets are
    equal: the sizes are.)
    """
    hidden, public = [*map(unpacked, references["sets"])], references["public"]
    called = [q for q in assignment.questions if not (q.value or q.probe)]
    calls = {q.id: [_calls(q, baked) for baked in (*hidden, public)] for q in called}
    found = [line for q in called for line in (*_weak(q, calls[q.id], [*hidden, public]), *_telling(q, hidden))]
    if len(hidden) > 1 and _all_equal([sets[:-1] for sets in calls.values()]):
        return [*found, "inputs: all hidden sets are equal: draw() should use its seed"]
    return [*found, *(_constant(called, calls, hidden[0]) if len(hidden) > 1 else ())]


def _telling(question: Question, hidden: list[Set]) -> Iterator[str]:
    """Whether the labels of cases, which students read, tell what was drawn."""
    labels = [[case.get("label", "") for case in baked["cases"][question.id]["own"]] for baked in hidden]
    other = next((new for one in labels for new, old in zip(one, labels[0]) if new != old), None)
    if other is not None:
        yield f"inputs: {question.id}: its labels differ between hidden sets ({clean(other, 60)!r}): students read them"


def _constant(called: list[Question], calls: dict[str, list[list[str]]], first: Set) -> Iterator[str]:
    """A line for each function that is called alike in all hidden sets, and not with sizes alone."""
    for question in called:
        if _all_equal([calls[question.id][:-1]]) and not _sizes_alone(question, first):
            yield f"inputs: {question.id}: its cases are the same in all hidden sets: draw() should use its seed"


def _sizes_alone(question: Question, baked: Set) -> bool:
    """Whether all arguments of a question's calls are whole numbers, as are those of `sizes`, which all hidden sets share."""
    cases = baked["cases"][question.id]["own"]
    return all(isinstance(value, int) for case in cases for value in (*case["args"], *case["kwargs"].values()))


def _all_equal(calls: list[list[list[str]]]) -> bool:
    """Whether functions with arguments are called alike in all hidden sets; ``calls``: of each function, by set."""
    some = [sets for sets in calls if set(sets[0]) != {NO_ARGUMENTS}]
    return bool(some) and all(one == sets[0] for sets in some for one in sets)


def _calls(question: Question, baked: Set) -> list[str]:
    return [_text([case["args"], case["kwargs"]]) for case in baked["cases"][question.id]["own"]]


def _weak(question: Question, calls: list[list[str]], sets: list[Set]) -> Iterator[str]:
    """``calls``: of each set, the public one last."""
    results = itertools.chain(*(baked["cases"][question.id]["own"] for baked in sets))
    expected = {_text(case["expected"]) for case in results} - {"null"}
    if len(set(itertools.chain(*calls))) > 1 and len(expected) == 1:
        yield f"inputs: {question.id}: all calls expect the same result, so an answer that ignores its arguments passes"
    *hidden, public = calls
    if public in hidden and set(public) != {NO_ARGUMENTS}:
        yield (
            f"inputs: {question.id}: hidden set {hidden.index(public)} is the public set, which students have; "
            "draw() should use its seed where `public` is false"
        )


def _text(tree: Any) -> str:
    return json.dumps(to_json(tree), sort_keys=True)

"""A slip is charged once, in an item that stays charged."""

import itertools

import pytest

from autograder.core.verdict import FAILED, PASSED, Verdict
from autograder.judging.charging import once
from support.reading import ASSIGNMENT

STEPS = [q for q in ASSIGNMENT.questions if q.id.startswith("2.1.self_attention")]


def charged(*like: str) -> list[list[str]]:
    """For each step, in order of points: the ids in which it says that its mistake is charged ([]: in itself)."""
    order = sorted(STEPS, key=lambda q: sum(q.points.values()))
    done = {q.id: Verdict(q, FAILED, "wrong", data={"like": slips.split()}) for q, slips in zip(order, like)}
    forgiven = {verdict.question.id: verdict for verdict in once(STEPS, done)}
    assert all(verdict.status == PASSED for verdict in forgiven.values())
    return [[id for id in done if id != q.id and id in getattr(forgiven.get(q.id), "reason", "")] for q in order]


@pytest.mark.parametrize("like", list(itertools.product(["a", "a b", "b", "b c"], repeat=len(STEPS))))
def test_whatever_is_forgiven_is_charged_elsewhere(like):
    there = charged(*like)
    order = sorted(STEPS, key=lambda q: sum(q.points.values()))
    for slips, ids in zip(like, there):
        for id in ids:
            number = [q.id for q in order].index(id)
            assert not there[number] and set(slips.split()) & set(like[number].split())
    assert any(not ids for ids in there)

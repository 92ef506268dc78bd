"""The ladder: small public calls of each function of section 2.1, on one of which every known mistake shows."""

import numpy as np
import pytest
import torch

from autograder.checks.case import Case
from autograder.checks.values import on_arrays

FUNCTIONS = """
pairwise_similarities attn_scaled attn_softmax compute_outputs make_causal_mask apply_causal_mask split_heads merge_heads
self_attention.step1 self_attention.step2 self_attention.step3
""".split()
SMALL = 24  # numbers in a call that a person takes in at a glance


@pytest.fixture(scope="module")
def public(grader):
    return grader.references["public"]["cases"]


def rungs(public: dict, function: str) -> list[Case]:
    return [Case(**case) for case in public[f"2.1.{function}"]["ladder"]]


def size(case: Case) -> int:
    return sum(np.size(arg) for arg in case.args)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_ladder_rises_from_one_number_and_varies_every_argument(public, function):
    cases = rungs(public, function)
    assert len(cases) >= 12 and [size(case) for case in cases] == sorted(map(size, cases))
    assert size(cases[0]) <= 6 and all(case.expected is not None for case in cases)
    for position, first in enumerate(cases[0].args):
        seen = {np.shape(case.args[position]) if isinstance(first, np.ndarray) else case.args[position] for case in cases}
        assert len(seen) >= 3, position
    varied = {"step1": {1}, "step2": {1}, "step3": {2, 3, 4}}.get(function.rpartition(".")[2])
    assert varied is None or {case.kwargs["n_heads"] for case in cases} == varied
    assert "step3" not in function or {case.kwargs["causal"] for case in cases} == {False, True}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_numbers_of_a_ladder_are_simple_and_of_both_precisions(public, function):
    arrays = [arg for case in rungs(public, function) for arg in case.args if isinstance(arg, np.ndarray)]
    assert all(np.array_equal(array, array.round(1)) for array in arrays)
    assert not arrays or {array.dtype.name for array in arrays} == {"float32", "float64"}


def test_no_hidden_set_has_a_ladder(grader):
    assert not any("ladder" in groups for groups in grader.inputs(0)["cases"].values())


def answers(code: str) -> dict:
    names = {"torch": torch}
    exec("import math, torch, numpy as np\nimport torch.nn.functional as F\nfrom torch import nn\n" + code, names)
    return {name: on_arrays(value) if callable(value) else value for name, value in names.items()}


def fails(grader, question, names: dict, case: dict) -> bool:
    tree = {**grader.references["public"]["cases"], question.id: {"own": [case]}}
    return not grader.tests.run(question, tree, {name: names.get(name) for name in (*question.names, *question.context)}).passed


def test_every_known_mistake_that_fails_on_public_inputs_fails_on_a_small_call(grader, bank, s2, public):
    smallest = {}
    for mistake in (m for m in bank["mistake"] if m["item"].startswith("2.1.")):
        question = grader.assignment.question(mistake["item"])
        names = answers(s2 + "\n" + mistake["code"])
        if any(fails(grader, question, names, case) for case in public[question.id]["own"]):
            found = [size(Case(**case)) for case in public[question.id]["ladder"] if fails(grader, question, names, case)]
            smallest[mistake["item"], mistake["id"]] = min(found, default=0)
    assert len(smallest) > 50 and 0 not in smallest.values()
    assert {id for (_, id), count in smallest.items() if count > SMALL} <= {"half precision"}  # which takes larger numbers


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_right_result_breaks_a_property_and_rounding_does_not_either(grader, public, function):
    broken = grader.tests.rules.broken_property
    for case in (Case(**case) for group in public[f"2.1.{function}"].values() for case in group):
        for noise in (0,) if function == "make_causal_mask" else (0, 1e-6, -1e-6):
            assert broken(f"2.1.{function}", case, case.expected + noise) is None, (case, noise)

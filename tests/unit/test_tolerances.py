"""What counts as rounding: one number for each section, which every text says; messages show on which side a number lies."""

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checks.compare import Failure, beyond, difference_of, exactly, side, size_text
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.references import read_references, unpacked
from autograder.core.trusted import INPUTS, load_part, load_rules
from autograder.sandbox.judge_side.bounds import most_for
from autograder.written.render import render_handout
from support.project import ROOT, TOY

ASSIGNMENT = load_assignment(ROOT / "assignment")
QUERIES, ROUNDING = (section.tolerance for section in ASSIGNMENT.sections[:2])
sizes = st.floats(min_value=1e-12, max_value=9e5, allow_subnormal=False)  # above 1e6 an error is only said to be huge


@given(sizes, sizes)
def test_a_number_beside_a_limit_shows_on_which_side_it_lies(error, limit):
    shown = float(size_text(error, limit))
    assert side(shown, limit) == side(error, limit) and math.isclose(shown, error, rel_tol=0.1)


@given(sizes, st.integers(-8, 8))
def test_a_number_within_a_hair_of_its_limit_shows_it_too(limit, hairs):
    error = limit
    for _ in range(abs(hairs)):
        error = math.nextafter(error, math.inf if hairs > 0 else 0)
    assert side(float(size_text(error, limit)), limit) == side(error, limit)


@given(sizes, sizes)
def test_a_failed_comparison_never_quotes_an_error_that_looks_allowed(error, tolerance):
    try:
        difference_of(np.array([error, 0.0]), np.array([0.0, 0.0]), tolerance, "the result")
    except Failure as failure:
        quoted, allowed = re.search(r"error (\S+) \(allowed (\S+)\)", failure.text).groups()
        assert float(quoted) > float(allowed) == tolerance
    else:
        assert error <= tolerance


@pytest.mark.parametrize(
    "error, tolerance, text",
    [
        (0.0501, 0.05, "0.0501 (allowed 0.05)"),
        (0.26, 0.05, "0.26 (allowed 0.05)"),
        (0.050000001, 0.05, "0.050000001 (allowed 0.05)"),
        (0.000101, 1e-4, "0.000101 (allowed 0.0001)"),
        (math.inf, 0.05, "infinite (allowed 0.05)"),
    ],
)
def test_a_number_gets_as_many_digits_as_it_needs(error, tolerance, text):
    assert beyond(error, tolerance) == text


@given(sizes)
def test_a_limit_is_written_without_loss(limit):
    assert float(exactly(limit)) == limit


def test_every_case_is_judged_with_its_sections_tolerance(references):
    read = read_references(references)
    for tree in [read["public"], *(unpacked(packed) for packed in read["sets"])]:
        for id, groups in tree["cases"].items():
            allowed = {case["tolerance"] for cases in groups.values() for case in cases}
            question = ASSIGNMENT.question(id)
            assert allowed == ({0.0} if question.probe else {question.section.tolerance}), id


SAID = {
    "solutions/A2S1.ipynb": (r"target is at most \*\*([\d.e-]+)\*\*", QUERIES),
    "assignment/rubric.toml": (r"no number of the output is more than ([\d.e-]+) away", QUERIES),
    "solutions/A2S2.ipynb": (r"at most ([\d.e-]+)(?: counts as| is) .{0,2}close to zero", ROUNDING),
    "student/A2S1.ipynb": (r"target is at most \*\*([\d.e-]+)\*\*", QUERIES),
    "student/A2S2.ipynb": (r"at most ([\d.e-]+)(?: counts as| is) .{0,2}close to zero", ROUNDING),
}


@pytest.mark.parametrize("name", SAID)
def test_texts_say_the_tolerance_that_is_enforced(name):
    pattern, enforced = SAID[name]
    said = re.findall(pattern, (ROOT / name).read_text(encoding="utf-8"))
    assert said and {float(number) for number in said} == {enforced}


def test_the_handout_says_both_tolerances():
    text = render_handout(ASSIGNMENT, ROOT / "solutions" / "README.student.md", ROOT / "assignment" / "course.toml")
    assert {float(n) for n in re.findall(r"more than \*\*([\d.e-]+)\*\* away", text)} == {QUERIES}
    assert {float(n) for n in re.findall(r"differences up to ([\d.e-]+) are rounding", text)} == {ROUNDING}


def test_the_length_of_a_unit_key_is_the_one_that_the_texts_say():
    allowed = load_rules(ASSIGNMENT).queries.UNIT_TOLERANCE
    for name in ("solutions/A2S1.ipynb", "solutions/README.student.md"):
        said = re.findall(r"within ([\d.]+)\)", (ROOT / name).read_text(encoding="utf-8"))
        assert said and {float(number) for number in said} == {allowed}, name


def test_students_check_with_the_same_tolerances():
    cases = json.loads((ROOT / "student" / "a2checks" / "cases.json").read_text(encoding="utf-8"))["cases"]
    for question in ASSIGNMENT.questions:
        if not question.probe:
            assert {c["tolerance"] for group in cases[question.id].values() for c in group} == {question.section.tolerance}


def test_a_negative_tolerance_is_refused(tmp_path):
    (tmp_path / "questions").mkdir()
    rubric = (TOY / "assignment" / "rubric.toml").read_text()
    (tmp_path / "rubric.toml").write_text(rubric.replace("[[section]]\n", "[[section]]\ntolerance = -1\n", 1))
    with pytest.raises(GraderError, match="tolerance should not be negative"):
        load_assignment(tmp_path)


def test_hidden_inputs_of_any_seed_tell_half_precision_from_rounding_and_stay_within_what_the_judge_computes():
    draw = load_part(ASSIGNMENT.folder, INPUTS).attention
    for seed in range(60):
        rng = np.random.default_rng([seed, 447])
        drawn = draw.section2(rng, draw.sizes(rng, False))
        first, *others = drawn["2.1.self_attention.step3"]["own"]
        exact = attention(first)
        assert np.abs(attention(first, scores=np.float16) - exact).max() >= 10 * ROUNDING, seed
        for case in (first, *others):
            assert np.abs(attention(case, digits=4) - attention(case)).max() <= ROUNDING, seed
        query, _, value = (split(array, first["kwargs"]["n_heads"]) for array in first["args"])
        most = most_for({**case, "expected": None} for groups in drawn.values() for cases in groups.values() for case in cases)
        assert most.allows([query @ query.swapaxes(-2, -1), value]), seed


def split(array, n_heads):
    batch, n_tok, n_embd = array.shape
    return array.reshape(batch, n_tok, n_heads, n_embd // n_heads).swapaxes(1, 2)


def attention(case, scores=np.float32, digits=None):
    """Multi-head attention, with scores in another precision or a scale rounded to so many digits."""
    query, key, value = (split(array, case["kwargs"]["n_heads"]) for array in case["args"])
    scale = math.sqrt(query.shape[-1]) if digits is None else round(math.sqrt(query.shape[-1]), digits)
    weights = (query.astype(scores) @ key.astype(scores).swapaxes(-2, -1)).astype(np.float32) / np.float32(scale)
    weights = weights.astype(scores).astype(np.float32)
    if case["kwargs"]["causal"]:
        weights = np.where(np.tril(np.ones(weights.shape[-2:])) == 0, -np.inf, weights)
    weights = np.exp(weights - weights.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ value

"""How a wrong result relates to the right one is told where it holds in every public call, and never of a right result."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checks.diagnosis.findings import Call
from autograder.checks.diagnosis.signatures import signature

SIZES = [(1, 3, 1, 4), (2, 4, 2, 6), (2, 5, 3, 6), (3, 2, 2, 8)]  # batch, n_tok, n_heads, n_embd


def calls(wrong, right=lambda a: a, draw=None) -> list[Call]:
    """Calls on scores (batch, n_heads, n_tok, n_tok), with the results of a right and of a wrong function."""
    rng, found = np.random.default_rng(3), []
    for batch, n_tok, n_heads, n_embd in SIZES:
        label = f"batch {batch}, n_tok {n_tok}, n_heads {n_heads}, n_embd {n_embd}"
        given = (
            rng.standard_normal((batch, n_heads, n_tok, n_tok)) if draw is None else draw(rng, batch, n_heads, n_tok, n_embd)
        )
        call = Call({"A": given}, np.zeros(1), right(given), label)
        call.got = wrong(given, call.quantities)
        found.append(call)
    return found


def softmax(a, axis=-1):
    powers = np.exp(a - a.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def masked(a, fill=-np.inf):
    return np.where(np.tril(np.ones(a.shape[-2:])) > 0, a, fill)


def heads(a):
    return a.transpose(0, 2, 1, 3)


RELATIONS = {
    "another axis": (lambda a, q: softmax(a, -2), softmax, "softmax axis", "sum to one over dimension -2"),
    "over everything": (lambda a, q: softmax(a.ravel()).reshape(a.shape), softmax, "softmax axis", "together sum to one"),
    "exponentials alone": (lambda a, q: np.exp(a), softmax, "softmax axis", "rows do not sum to one"),
    "a logarithm": (lambda a, q: np.log(softmax(a)), softmax, "logarithm", "logarithm of the right one"),
    "nothing done": (lambda a, q: a, lambda a: a / 2, "nothing done", "is `A` itself"),
    "twice as large": (lambda a, q: 2 * a, lambda a: a, "scale", "2 times the right one"),
    "a root too many": (lambda a, q: a / q["n_embd"] ** 0.5, lambda a: a, "scale", "1/√n_embd"),
    "the number of tokens": (lambda a, q: a * q["n_tok"], lambda a: a, "scale", "times n_tok"),
    "half of a root": (lambda a, q: a / (2 * q["n_embd"] ** 0.5), lambda a: a, "scale", "0.5 times 1/√n_embd"),
    "a sign": (lambda a, q: -a, lambda a: a, "sign", "wrong way round"),
    "one added": (lambda a, q: a + 1, lambda a: 2 * a + 0 * a.sum() - a, "offset", "A constant is added"),
    "transposed": (lambda a, q: a.swapaxes(-1, -2), lambda a: a, "dimension order", "dimensions -2 and -1 of it are swapped"),
    "heads and tokens swapped": (lambda a, q: heads(a), lambda a: a, "dimension order", "dimensions -3 and -2"),
    "joined": (lambda a, q: a.reshape(len(a), -1), lambda a: a, "shape", "right order, but the shape is another one"),
    "mixed up": (lambda a, q: heads(a).reshape(a.shape), lambda a: a, "dimension order", "in other places"),
    "no batch": (lambda a, q: a[0], lambda a: a, "batch", "Only the first element of the batch"),
    "summed": (lambda a, q: a.sum(-1), lambda a: a, "shape", "summed over its dimension -1"),
    "one head for all": (lambda a, q: np.repeat(a[:, :1], a.shape[1], 1), lambda a: a, "heads", "Only the first head is right"),
    "the diagonal": (lambda a, q: np.diagonal(a, axis1=-2, axis2=-1), lambda a: a, "shape", "only the diagonal"),
    "the input added": (lambda a, q: softmax(a) + a, softmax, "one step too many", "the right one plus `A`"),
    "the input taken away": (lambda a, q: softmax(a) - a, softmax, "one step too many", "the right one minus `A`"),
    "times the input": (lambda a, q: softmax(a) * a, softmax, "one step too many", "the right one times `A`"),
    "zeros to hide": (lambda a, q: masked(a, 0.0), masked, "mask fill", "Future entries are 0 and not -inf"),
    "little to hide": (lambda a, q: masked(a, -3.0), masked, "mask fill", "e^-3"),
    "the mask added": (lambda a, q: masked(a) + 1, masked, "offset", "A constant is added to the right result (1 in one call)"),
    "nothing hidden": (lambda a, q: a, masked, "nothing done", "is `A` itself"),
    "the past hidden": (lambda a, q: np.where(np.isinf(masked(a)), a, -np.inf), masked, "mask side", "other way round"),
    "a fixed size": (lambda a, q: np.ones((10, 10)), lambda a: a, "fixed size", "(10, 10) whatever the input"),
    "one row wrong": (
        lambda a, q: np.concatenate([a[..., :1, :] + 1, a[..., 1:, :]], -2),
        lambda a: 3 * a - 2 * a,
        "first token",
        "first",
    ),
    "rows not normalised": (
        lambda a, q: a * np.arange(1, a.shape[-2] + 1)[:, None],
        lambda a: a,
        "normalisation",
        "factor of its own",
    ),
}


@pytest.mark.parametrize("wrong, right, concept, words", RELATIONS.values(), ids=RELATIONS)
def test_a_relation_is_told_in_words(wrong, right, concept, words):
    found = signature(calls(wrong, right))
    assert found is not None
    assert words in found.says
    assert found.concept == concept


@pytest.mark.parametrize("part, words", [(0, "the first row of"), (-1, "the last row of")])
def test_a_result_of_rows_has_no_batch(part, words):
    made = [Call({"n": n}, np.tril(np.ones((n, n)))[part][None], np.tril(np.ones((n, n))), f"n_tok={n}") for n in (2, 3, 5)]
    found = signature(made)
    assert found is not None and words in found.says and "batch" not in found.says


NO_RESULT = {
    "another layout": lambda a, q: None if q["n_heads"] > 2 else heads(a).reshape(a.shape),
    "the first head": lambda a, q: None if q["n_heads"] == 1 else np.repeat(a[:, :1], a.shape[1], 1),
    "a factor": lambda a, q: None if q["n_tok"] == 5 else 2 * a,
    "a batch": lambda a, q: None if len(a) == 3 else a[0],
}


@pytest.mark.parametrize("wrong", NO_RESULT.values(), ids=NO_RESULT)
def test_no_relation_is_told_where_one_wrong_call_raises(wrong):
    found = signature(calls(wrong))
    assert found is None or found.concept == "some inputs only"


def test_rows_of_zeros_are_right_up_to_no_factor():
    def of_the_first(a, q):
        return np.where(np.arange(a.shape[-2])[:, None] < 2, a, 0.0)

    found = signature(calls(of_the_first, lambda a: a))
    assert found is None or "factor" not in found.says


def test_rows_that_sum_to_one_are_not_said_to_sum_to_something_else():
    def softened(a, q):
        powers = np.exp(a) + 1e-3
        return powers / powers.sum(-1, keepdims=True)

    found = signature(calls(softened, softmax))
    assert found is None or "sum" not in found.says


def test_the_numbers_of_the_first_head_are_named():
    def first(a, q):
        width = int(q["n_embd"] / q["n_heads"])
        return np.tile(a[..., :width], int(q["n_heads"]))

    made = calls(first, draw=lambda rng, batch, n_heads, n_tok, n_embd: rng.standard_normal((batch, n_tok, n_embd)))
    found = signature([call for call in made if call.quantities["n_heads"] > 1])
    assert found is not None and "those of the first head" in found.says


MASKS = {
    "the other triangle": (lambda n: np.triu(np.ones((n, n))), "other triangle"),
    "no diagonal": (lambda n: np.tril(np.ones((n, n)), -1), "Only the diagonal"),
    "ones everywhere": (lambda n: np.ones((n, n)), "all ones"),
    "inverted": (lambda n: 1 - np.tril(np.ones((n, n))), "swapped"),
    "additive": (lambda n: np.triu(np.full((n, n), -9.0), 1), "other than 0 and 1"),
    "always ten": (lambda n: np.tril(np.ones((10, 10))), "(10, 10) whatever the input"),
}


@pytest.mark.parametrize("make, words", MASKS.values(), ids=MASKS)
def test_what_is_wrong_with_a_mask_is_told(make, words):
    found = signature([Call({"n_tok": n}, make(n), np.tril(np.ones((n, n)))) for n in range(2, 7)])
    assert found is not None
    assert words in found.says


def test_what_sets_wrong_calls_apart_is_told():
    def wrong(a, q):
        return a if q["n_heads"] == 1 else a + a[..., ::-1] ** 2

    few = signature(calls(wrong))
    assert few is None or "n_heads" not in few.says  # one right call says too little
    apart = signature([*calls(wrong), *calls(wrong)[:1]])
    assert apart is not None
    assert "where n_heads is more than 1" in apart.says


@given(st.integers(0, 10_000), st.sampled_from([(2, 3), (1, 4, 4), (2, 2, 3, 3)]), st.floats(0.5, 1.5))
def test_nothing_is_told_of_right_results(seed, shape, scale):
    rng = np.random.default_rng(seed)
    wanted = [(scale * rng.standard_normal(shape)).astype(np.float32) for _ in range(3)]
    assert signature([Call({"A": want}, want + 1e-6, want) for want in wanted]) is None


@given(st.integers(0, 10_000))
def test_numbers_that_have_nothing_to_do_with_each_other_are_related_by_nothing(seed):
    rng = np.random.default_rng(seed)
    pairs = [(rng.standard_normal((2, 4, 4)), rng.standard_normal((2, 4, 4))) for _ in range(3)]
    assert signature([Call({}, got, wanted) for got, wanted in pairs]) is None


def test_a_finite_fill_is_not_said_to_have_weight_where_it_has_none():
    found = signature(calls(lambda a, q: masked(a, -1e9), masked))
    assert found is not None
    assert "e^" not in found.says

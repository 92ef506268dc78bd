"""Verdict rules of section 2.1's masks, by what the softmax makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.checks.compare import Failure, as_array, check_shape, difference_of, name_of, shape_text

VANISHES = -1e4  # a finite fill at or below this is zero after the softmax
UNDERFLOW = -104.0  # e to the power of this is zero in float32, and so is the softmax of a score this far below another one
LARGE = 1000.0  # scores that a mask still has to hide


def judge_mask(check: Any, case: Any, make: Callable, apply: Callable | None) -> None:
    """A mask must mark exactly the valid entries of the expected one: with ones, with True, or with zeros if it is additive.

    True and an additive mask are not what the handout asks for, so they must fit the student's own ``apply``.
    """
    n_tok = case.args[0]
    mask = case.call(make)
    array = as_mask(check, mask, f"the mask for n_tok={n_tok}")
    want = case.expected != 0
    if array.shape != want.shape:
        check.fail(
            "shape",
            f"the mask for n_tok={n_tok} has shape {shape_text(array.shape, want.shape)}, "
            f"expected {shape_text(want.shape, want.shape)}",
        )
    if np.isnan(array.astype(np.float64)).any():
        check.fail("nan", "the mask contains NaN (0 · inf is NaN)")
    if mask.shape != want.shape:
        check.doubt(f"the mask has {mask.ndim} dimensions, and the handout asks for two: n_tok rows and n_tok columns")
    check.same_dtype(array, case.expected, "the mask")
    ones = array != 0
    if (ones == want).all() or additive(array, want):
        if has := unlike_ones(array, want):
            fits(check, make, apply, has)
        return
    if (ones == ~want).all():
        check.fail(
            "rule", "the mask is inverted: the handout asks for ones (or True) where attention is valid and zeros elsewhere"
        )
    wrong = np.argwhere(ones != want)
    place = f", first at [{wrong[0][0]}, {wrong[0][1]}]" if len(wrong) else ""
    check.fail(
        "numbers",
        f"the mask for n_tok={n_tok} is wrong in {len(wrong)} of {want.size} entries{place} "
        "(row: the token that attends, column: the token attended to)",
        off=len(wrong),
    )


def additive(array: np.ndarray, want: np.ndarray) -> bool:
    """Whether a mask has zeros where attention is valid and large negative numbers elsewhere."""
    return array.dtype.kind == "f" and bool((array[want] == 0).all() and (array[~want] <= VANISHES).all())


def unlike_ones(array: np.ndarray, want: np.ndarray) -> str:
    """What a mask has for entries, if not the ones and zeros that the handout asks for, as floats; '' if it has these."""
    if array.dtype.kind != "f":
        return f"entries of type {array.dtype}"
    if additive(array, want):
        return "zeros and large negative numbers"
    return "" if (array == want).all() else "numbers other than 0 and 1"


def as_mask(check: Any, mask: Any, what: str) -> np.ndarray:
    """The mask as an array; leading dimensions of size 1 are dropped. Raises Failure."""
    if mask is None:
        check.fail("blank", f"{what} is None")
    if not isinstance(mask, np.ndarray) or mask.dtype.kind not in "biuf":
        check.fail("kind", f"{what} should be a tensor, but is {name_of(mask)}", concept="return value")
    while mask.ndim > 2 and mask.shape[0] == 1:
        mask = mask[0]
    return mask


def fits(check: Any, make: Callable, apply: Callable | None, has: str) -> None:
    """A mask of another kind than the handout's must work with the student's own ``apply``, if that masks rightly at all.

    ``has``: what is unlike the handout's. Numbers of another type are as the handout asks for, if ``apply`` is for True only.
    """
    if apply is None:
        return
    for case in check.cases("2.1.apply_causal_mask"):
        kinds = ("ones",) if makes_ones(case, make) else ("ones", "bool")
        if masking_problem(check, case, apply, make, "own") and not all(
            masking_problem(check, case, apply, None, kind) for kind in kinds
        ):
            check.fail(
                "rule",
                f"the mask has {has}, and your apply_causal_mask does not mask the scores correctly with it, but does with "
                "ones (or True) where attention is valid and zeros elsewhere, as the handout asks for",
                concept="mask values",
            )


def judge_masking(check: Any, case: Any, apply: Callable, make: Callable | None) -> None:
    """Scores must be masked rightly with a mask of ones or with the student's own.

    With one of True, too, unless the student's own is one of ones, which then does not work.
    """
    if apply is None:
        check.fail("missing", "the function is not defined")
    problem = masking_problem(check, case, apply, make, "ones")
    if problem and not masking_problem(check, case, apply, make, "own"):
        check.note("judged together with your own make_causal_mask, because it uses a convention other than ones = valid")
    elif problem and (makes_ones(case, make) or masking_problem(check, case, apply, make, "bool")):
        raise problem


def makes_ones(case: Any, make: Callable | None) -> bool:
    """Whether the student's own mask is as the handout asks for, with numbers for entries."""
    try:
        mask = make(case.args[0].shape[-1]) if make is not None else None
    except Exception:
        return False
    if not isinstance(mask, np.ndarray) or mask.dtype.kind == "b" or mask.size != case.args[0].size:
        return False
    return np.array_equal(mask.reshape(case.args[0].shape), case.args[0])


def masking_problem(check: Any, case: Any, apply: Callable, make: Callable | None, kind: str) -> Exception | None:
    """What is wrong with scores masked with ``ones``, with a ``bool`` mask, or with the student's ``own``; None if nothing."""
    mask, scores = case.args
    if kind == "own" and make is None:
        return Failure("missing", "make_causal_mask is not defined")
    try:
        used = {"ones": lambda: mask, "bool": lambda: mask != 0, "own": lambda: make(mask.shape[-1])}[kind]()
        masked_right(check, case, lambda given: apply(used, given.copy()), scores)
    except Exception as error:
        return error
    return None


def masked_right(check: Any, case: Any, masked: Callable[[np.ndarray], Any], scores: np.ndarray) -> None:
    """Masked scores must have no weight after the softmax where the expected ones are -inf, and equal those elsewhere.

    A finite fill has to hide large scores, too, from small ones.
    """
    got = as_array(masked(scores), "the masked scores")
    check_shape(got, case.expected.shape, "the masked scores")
    check.same_dtype(got, case.expected, "the masked scores")
    want = case.expected.astype(np.float64)
    hidden = np.isneginf(want)
    if np.isnan(got.astype(np.float64)).any():
        check.fail("nan", "the masked scores contain NaN (0 · inf is NaN: fill with -inf instead of multiplying)")
    if count := visible(got, hidden):
        check.fail(
            "numbers",
            f"{count} of {int(hidden.sum())} future entries still get weight in the softmax: they must be -inf before it",
            off=count,
        )
    difference_of(np.where(hidden, 0.0, got), np.where(hidden, 0.0, want), case.tolerance, "the visible scores")
    if hides_zeros(masked, scores, hidden):
        check.note(
            "scores that are exactly 0 are masked as well (no points depend on it): what is hidden is chosen by the scores and "
            "not by the mask"
        )
    if np.isneginf(got[hidden]).all():
        return
    large = as_array(masked(np.where(hidden, LARGE, -LARGE).astype(scores.dtype)), "the masked scores")
    check_shape(large, case.expected.shape, "the masked scores")
    if count := visible(large, hidden):
        check.fail(
            "numbers",
            f"future entries vanish in the softmax while scores are small, but where they are {LARGE:g} and the visible ones "
            f"-{LARGE:g}, {count} of {int(hidden.sum())} still get weight: they must be -inf before the softmax",
            off=count,
        )
    check.note("a finite fill value instead of -inf: it vanishes in the softmax here, but only -inf always does")


def hides_zeros(masked: Callable[[np.ndarray], Any], scores: np.ndarray, hidden: np.ndarray) -> bool:
    """Whether visible scores are masked where all scores are 0, as by ``A == 0`` after a multiplication with the mask."""
    try:
        got = as_array(masked(np.zeros_like(scores)), "the masked scores")
        return bool(got.shape == hidden.shape and np.isneginf(got[~hidden]).all())
    except Exception:
        return False  # only a note hangs on it


def visible(scores: np.ndarray, hidden: np.ndarray) -> int:
    """How many hidden entries a softmax over the rows of these scores does not turn into zero."""
    highest = np.where(hidden, -np.inf, scores.astype(np.float64)).max(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return int((~(scores - highest < UNDERFLOW) & hidden).sum())

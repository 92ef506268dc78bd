"""Formulas and verdict rules that the tests of sections 1 and 2 share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.checks.compare import (
    Failure,
    as_array,
    beyond,
    check_shape,
    difference_of,
    is_blank,
    name_of,
    rounded,
    side,
    size_text,
)

SELECT_THIRD = 2  # the row of K that 1.4 may change
UNIT_TOLERANCE = 0.01
VANISHES = -1e4  # a finite fill at or below this is zero after the softmax
UNDERFLOW = -104.0  # e to the power of this is zero in float32, and so is the softmax of a score this far below another one
LARGE = 1000.0  # scores that a mask still has to hide


def weights(query: np.ndarray, key: np.ndarray, kind: type = np.float64) -> np.ndarray:
    """softmax(q Kᵀ), unscaled (handout 1.1). query (..., 3), key (4, 3) -> (..., 4)."""
    with np.errstate(over="ignore", invalid="ignore"):
        logits = query.astype(kind) @ key.astype(kind).T
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)


def attention_error(query: np.ndarray, key: np.ndarray, value: np.ndarray, target: np.ndarray) -> float:
    """Largest absolute difference between softmax(q Kᵀ) V and the target.

    With queries near 1e6, float32 kernels differ by up to 0.017, so the smaller of the float32 and float64 errors counts.
    """
    errors = []
    for kind in (np.float64, np.float32):
        out = weights(query, key, kind) @ value.astype(kind)
        errors.append(float(np.abs(out.astype(np.float64) - target).max()))
    return min(errors)


def read_query(check: Any, value: Any, name: str, rows: int | None) -> np.ndarray:
    """The query as an array, (3,) or (rows, 3). Without ``rows``, (1, 3) is accepted too. Raises Failure."""
    query = as_numbers(check, value, name)
    if rows is None and query.shape == (1, 3):
        query = query[0]
    want = (3,) if rows is None else (rows, 3)
    if query.shape != want:
        hint = "one query vector of three numbers" if rows is None else "one query vector in each row"
        check.fail(
            "shape",
            f"{name} has shape {tuple(query.shape)}, expected {want}: {hint}. Broadcasting inside "
            "attention can hide this, so it is checked first",
            shape=list(query.shape),
        )
    return query


def as_numbers(check: Any, value: Any, name: str) -> np.ndarray:
    """The value as a finite float64 array. Raises Failure."""
    if is_blank(value):
        check.fail("blank", f"{name} is still None")
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        check.fail("kind", f"{name} should be a tensor of numbers")
    if not np.isfinite(array).all():
        check.fail("nan", f"{name} contains NaN or infinity; a large finite number is enough")
    return array


def judge_query(check: Any, id: str, value: Any, name: str, rows: int | None = None) -> None:
    """1.2 and 1.3: attention with this query must return the target within the tolerance."""
    case = check.cases(id)[0]
    key, values, target = case.args
    query = read_query(check, value, name, rows)
    error = attention_error(query, key, values, target)
    if error > case.tolerance:
        check.fail(
            "numbers",
            f"attention with {name} misses the target by {beyond(error, case.tolerance)}. {weights_text(query, key)}",
            largest=rounded(error),
        )


def weights_text(query: np.ndarray, key: np.ndarray) -> str:
    """A sentence with the student's own attention weights."""
    rows = np.atleast_2d(weights(query, key))
    lines = [", ".join(f"{w:.2f}" for w in row) for row in rows]
    if len(lines) == 1:
        return f"Your attention weights on v0…v3 are {lines[0]}"
    return "Your attention weights on v0…v3, row by row, are " + "; ".join(lines)


def judge_key(check: Any, id: str, m_key: Any, query132: Any, unit: bool) -> None:
    """1.4: with row 2 of K replaced, the unchanged query of 1.3.2 must reach the target.

    Where that query cannot be used (see ``stand_ins``), another right one counts in its place.
    """
    case = check.cases(id)[0]
    key, values, target = case.args[:3]
    k2 = read_key(check, m_key, key)
    if unit:
        check_length(check, k2)
    changed = replaced(key, k2)
    query, problem = None, ""
    try:
        query = read_query(check, query132, "query132", None)
    except AssertionError as failure:
        problem = str(failure)
    if query is not None and attention_error(query, changed, values, target) <= case.tolerance:
        return
    others, hint = stand_ins(query, case, unit)
    for other, why in others:
        if attention_error(other, changed, values, target) <= case.tolerance:
            check.note(why)
            return
    if query is None:
        check.fail("rule", f"1.4 builds on query132: {problem}")
    error = attention_error(query, changed, values, target)
    check.fail(
        "numbers",
        f"with row 2 of key replaced, attention with your query132 misses the target by {beyond(error, case.tolerance)}. "
        f"{weights_text(query, changed)}{hint}",
        largest=rounded(error),
    )


def check_length(check: Any, k2: np.ndarray) -> None:
    """1.4.2 asks for length 1. Raises Failure."""
    norm = float(np.linalg.norm(k2))
    bound = 1 + UNIT_TOLERANCE if norm > 1 else 1 - UNIT_TOLERANCE
    if side(norm, bound) == side(bound, 1):
        check.fail(
            "rule", f"the new k2 has length {size_text(norm, bound)}, but 1.4.2 asks for length 1 (within {UNIT_TOLERANCE})"
        )


def stand_ins(query: np.ndarray | None, case: Any, unit: bool) -> tuple[list[tuple[np.ndarray, str]], str]:
    """Right queries that may take the place of the student's, each with a note, and a hint if none of them helps.

    There are some if the student's is missing or wrong in 1.3.2; or right, but such that no k2 of length 1 reaches v2 with
    it. (1.4.1 has no such queries: the best weight of v2 brings any right one closer to the new target than to the old.)
    Public cases lack the reference query.
    """
    key, values, target, average, reference = case.args
    stuck = unit and query is not None and least_error(query, key, values, target) > case.tolerance
    if query is None or attention_error(query, key, values, average) > case.tolerance:
        why = "judged with a correct query for 1.3.2, because yours is missing or not correct yet"
        hint = ". No k2 of length 1 can do it with your query132: go back to 1.3.2" if stuck else ""
        return [(reference, why)] if reference is not None else [], hint
    if not stuck:
        return [], ""
    why = "judged with a longer query132: yours is right in 1.3.2, but no k2 of length 1 selects v2 with it"
    others = [(other, why) for other in (made_longer(query, case), reference) if other is not None]
    no_key = ". No k2 of length 1 can do it with your query132"
    return others, f"{no_key}; this one does not do it with a longer query either" if others else f"{no_key}: make it longer"


def least_error(query: np.ndarray, key: np.ndarray, values: np.ndarray, target: np.ndarray) -> float:
    """The smallest error that any k2 of length 1 reaches with this query, if the target is v2.

    k2 matters only through its similarity s to the query, and the error is (1 - w2) times a number that does not depend on
    k2, where its weight w2 grows with s. So the best k2 is the one with the largest s: q / |q|.
    """
    return attention_error(query, replaced(key, query / (np.linalg.norm(query) or 1)), values, target)


def made_longer(query: np.ndarray, case: Any) -> np.ndarray | None:
    """The shortest multiple of the query (in small steps) with which some k2 of length 1 comes twice as close as it has to.

    None if that is no longer right in 1.3.2.
    """
    key, values, target, average, _ = case.args
    for longer in (factor * query for factor in np.geomspace(1, 1000, 200)):
        if attention_error(longer, key, values, average) > case.tolerance:
            return None
        if least_error(longer, key, values, target) <= case.tolerance / 2:
            return longer
    return None


def replaced(key: np.ndarray, k2: np.ndarray) -> np.ndarray:
    """K with row 2 replaced."""
    changed = key.astype(np.float64).copy()
    changed[SELECT_THIRD] = k2
    return changed


def read_key(check: Any, m_key: Any, key: np.ndarray) -> np.ndarray:
    """Row 2 of the changed K. k2 alone, (3,) or (1, 3), is accepted too. Raises Failure."""
    array = as_numbers(check, m_key, "m_key")
    if array.shape in ((3,), (1, 3)):
        return array.reshape(3)
    if array.shape != key.shape:
        check.fail(
            "shape",
            f"m_key has shape {tuple(array.shape)}, expected {tuple(key.shape)} (K with row 2 replaced)",
            shape=list(array.shape),
        )
    others = [row for row in range(len(key)) if row != SELECT_THIRD]
    if np.abs(array[others] - key[others]).max() > 0.005:
        check.note("rows of m_key other than row 2 were changed too; it was judged with only row 2 replaced")
    return array[SELECT_THIRD]


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
            f"the mask for n_tok={n_tok} has shape {tuple(array.shape)}, expected {tuple(want.shape)}",
            shape=list(array.shape),
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
    if not isinstance(mask, np.ndarray):
        check.fail("kind", f"{what} should be a tensor, but is {name_of(mask)}")
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
                f"the mask has {has}, and your apply_causal_mask does not mask the scores rightly with it, but does with "
                "one of ones (or True) where attention is valid and zeros elsewhere, as the handout asks for",
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
    if np.isneginf(got[hidden]).all():
        return
    large = np.where(hidden, LARGE, -LARGE).astype(scores.dtype)
    if count := visible(as_array(masked(large), "the masked scores"), hidden):
        check.fail(
            "numbers",
            f"future entries vanish in the softmax while scores are small, but where they are {LARGE:g} and the visible ones "
            f"-{LARGE:g}, {count} of {int(hidden.sum())} still get weight: they must be -inf before the softmax",
            off=count,
        )
    check.note("a finite fill value instead of -inf: it vanishes in the softmax here, but only -inf always does")


def visible(scores: np.ndarray, hidden: np.ndarray) -> int:
    """How many hidden entries a softmax over the rows of these scores does not turn into zero."""
    highest = np.where(hidden, -np.inf, scores.astype(np.float64)).max(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return int((~(scores - highest < UNDERFLOW) & hidden).sum())


def wanted_weights(id: str, case: Any) -> np.ndarray | None:
    """The correct attention weights, which the notebooks draw; None if the question is not about weights."""
    if id in ("2.1.attn_softmax", "2.1.make_causal_mask"):
        return case.expected
    evenly, half = np.full(4, 0.25), np.array([0.5, 0.5, 0.0, 0.0])
    return {"1.2.1": np.eye(4)[0], "1.2.2": np.eye(4), "1.3.1": evenly, "1.3.2": half}.get(id)

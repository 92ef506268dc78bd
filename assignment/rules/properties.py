"""What must hold of the results of section 2.1, whatever the numbers: said of a wrong one beside the call that gave it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .masks import VANISHES, additive


def broken(id: str, case: Any, result: Any) -> str | None:
    """The property that a result with finite inputs breaks, in words; None if it breaks none of those known here."""
    rule = RULES.get(id.removeprefix("2.1."))
    same = isinstance(result, np.ndarray) and result.dtype.kind in "biuf" and result.shape == case.expected.shape
    if rule is None or not same:
        return None
    return rule(case, result.astype(np.float64))


def sums(case: Any, result: np.ndarray) -> str | None:
    """Attention weights: each row sums to one, and none is negative."""
    with np.errstate(invalid="ignore"):
        rows = result.sum(axis=-1)
    wrong = np.argwhere(~(np.abs(rows - 1) <= case.tolerance * result.shape[-1]))
    if len(wrong):
        return f"each row should sum to one; row {list(map(int, wrong[0]))} sums to {rows[tuple(wrong[0])]:.3g}"
    return None


def averages(case: Any, result: np.ndarray, values: int) -> str | None:
    """An output is an average of rows of V, so in each column it lies between the smallest and the largest number."""
    given = case.args[values].astype(np.float64)
    low, high = given.min(axis=-2, keepdims=True), given.max(axis=-2, keepdims=True)
    wrong = np.argwhere(~((result >= low - case.tolerance) & (result <= high + case.tolerance)))
    if not len(wrong):
        return None
    place = tuple(wrong[0])
    column = *place[:-2], 0, place[-1]
    least, most = (f"{end[column]:.3g}" for end in (low, high))
    should = f"be {least}" if least == most else f"lie between {least} and {most}"
    return f"each output is an average of rows of V, so {list(map(int, place))} should {should}, but is {result[place]:.3g}"


def outputs(case: Any, result: np.ndarray) -> str | None:
    """compute_outputs: the rows of A, which are weights, sum to one here."""
    return averages(case, result, values=1)


def attention(case: Any, result: np.ndarray) -> str | None:
    """self_attention: averages of V, and with a causal mask the first token attends to itself alone."""
    first, values = result[:, 0], case.args[2][:, 0].astype(np.float64)
    if case.kwargs["causal"] and not (np.abs(first - values) <= case.tolerance).all():
        return "with a causal mask token 0 attends to itself alone, so the first row of the output should be the first row of V"
    return averages(case, result, values=2)


def mask(case: Any, result: np.ndarray) -> str | None:
    """make_causal_mask: ones on and below the diagonal, zeros above it."""
    want = case.expected != 0
    wrong = np.argwhere((result != 0) != want)
    if not len(wrong) or additive(result, want):
        return None
    row, column = map(int, wrong[0])
    may = "may" if want[row, column] else "may not"
    return f"row {row}, column {column} is {result[row, column]:.3g}: token {row} {may} attend to token {column}"


def masked(case: Any, result: np.ndarray) -> str | None:
    """apply_causal_mask: -inf for each later token, the score itself for all others."""
    want = case.expected.astype(np.float64)
    stays = np.abs(result - np.where(np.isinf(want), 0, want)) <= case.tolerance
    wrong = np.argwhere(~np.where(np.isinf(want), result <= VANISHES, stays))
    if not len(wrong):
        return None
    place = tuple(wrong[0])
    row, column = map(int, place[-2:])
    if np.isneginf(want[place]):
        return f"token {column} comes after token {row}, so its score in row {row} should be -inf, but is {result[place]:.3g}"
    return f"token {row} may attend to token {column}, so that score should stay {want[place]:.3g}, but is {result[place]:.3g}"


RULES: dict[str, Callable[[Any, np.ndarray], str | None]] = {
    "attn_softmax": sums,
    "compute_outputs": outputs,
    "make_causal_mask": mask,
    "apply_causal_mask": masked,
    "self_attention.step1": attention,
    "self_attention.step2": attention,
    "self_attention.step3": attention,
}

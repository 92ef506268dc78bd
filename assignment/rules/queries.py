"""Formulas and verdict rules of section 1: queries and keys."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.checks.compare import beyond, is_blank, rounded, side, size_text

SELECT_THIRD = 2  # the row of K that 1.4 may change
UNIT_TOLERANCE = 0.01
WITH_REFERENCE = 5  # arguments of a case of 1.4, of which the reference query is the last one


def weights(query: np.ndarray, key: np.ndarray, kind: type = np.float64) -> np.ndarray:
    """softmax(q Kᵀ), unscaled (handout 1.1). query (..., 3), key (4, 3) -> (..., 4)."""
    with np.errstate(over="ignore", invalid="ignore"):
        logits = query.astype(kind) @ key.astype(kind).T
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)


def direction(query: np.ndarray) -> np.ndarray:
    """The query or queries, (..., 3), with length one; zeros stay zeros."""
    with np.errstate(over="ignore", invalid="ignore"):  # inf has no direction: nan, which no rule accepts
        length = np.linalg.norm(query, axis=-1, keepdims=True)
        return np.divide(query, length, out=np.zeros_like(query), where=length > 0)


def attention_error(query: np.ndarray, key: np.ndarray, value: np.ndarray, target: np.ndarray) -> float:
    """Largest absolute difference between softmax(q Kᵀ) V and the target.

    With queries near 1e6, float32 kernels differ by up to 0.017, so the smaller of the float32 and float64 errors counts.
    """
    errors = []
    for kind in (np.float64, np.float32):
        out = weights(query, key, kind) @ value.astype(kind)
        error = float(np.abs(out.astype(np.float64) - target).max())
        errors.append(np.inf if np.isnan(error) else error)  # a query so long that its weights are no numbers
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
            concept="shape",
        )
    return query


def as_numbers(check: Any, value: Any, name: str) -> np.ndarray:
    """The value as a finite float64 array. Raises Failure."""
    if is_blank(value):
        check.fail("blank", f"{name} is still None")
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError, RecursionError):
        check.fail("kind", f"{name} should be a tensor or an array of numbers")
    if not np.isfinite(array).all():
        check.fail("nan", f"{name} contains NaN or infinity; a large finite number is enough", concept="query length")
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
            table=weights_table(query, key),
        )


def weights_table(query: np.ndarray, key: np.ndarray) -> dict[str, Any]:
    """The student's own attention weights as a table, in place of the sentence."""
    rows = np.atleast_2d(weights(query, key))
    body = [[*([f"q{number}"] if len(rows) > 1 else []), *(f"{w:.2f}" for w in row)] for number, row in enumerate(rows)]
    head = [*([""] if len(rows) > 1 else []), *(f"v{number}" for number in range(rows.shape[1]))]
    return {"caption": "Your attention weights:", "head": head, "rows": body, "text": weights_text(query, key)}


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
        note_other_query(check, query, case)
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
        table=weights_table(query, changed),
    )


def note_other_query(check: Any, query: np.ndarray, case: Any) -> None:
    """Note, in a notebook, a query132 that is not right for 1.3.2: a grader may have found there the one that is."""
    key, values, _, average, reference = case.args
    if reference is None and attention_error(query, key, values, average) > case.tolerance:
        check.note("query132, as it is now, is not right for 1.3.2, and m_key has to do this with one that is")


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
            concept="shape",
        )
    others = [row for row in range(len(key)) if row != SELECT_THIRD]
    if np.abs(array[others] - key[others]).max() > 0.005:
        check.note("rows of m_key other than row 2 were changed; it was judged with only row 2 replaced")
    return array[SELECT_THIRD]


def wanted_weights(id: str) -> np.ndarray | None:
    """The correct attention weights; None if the question is not about weights."""
    evenly, half = np.full(4, 0.25), np.array([0.5, 0.5, 0.0, 0.0])
    return {"1.2.1": np.eye(4)[0], "1.2.2": np.eye(4), "1.3.1": evenly, "1.3.2": half}.get(id)

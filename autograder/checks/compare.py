"""Compare what came with what should have come; speaks to students, never shows an expected value.

Needs numpy only: the judge and the notebooks' own check cells run the very same code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Kinds of failure; "rule" (a condition of the question's own) is used by tests.
MISSING, BLANK, KIND, SHAPE, DTYPE, NAN, NUMBERS = "missing", "blank", "kind", "shape", "dtype", "nan", "numbers"


@dataclass
class Failure(AssertionError):
    """Why an answer is not accepted. ``kind`` is one of the constants above; ``data`` holds figures."""

    kind: str
    text: str
    data: dict = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text


def is_blank(value: Any) -> bool:
    """None, or the ``...`` of an untouched TODO."""
    return value is None or value is Ellipsis or (isinstance(value, dict) and value == {"$object": "ellipsis"})


def as_array(value: Any, what: str) -> np.ndarray:
    """A numeric array from an answer: array, number, or nested list of numbers.

    Raises Failure (kind: blank or kind) for anything else.
    """
    if is_blank(value):
        raise Failure(BLANK, f"None came instead of {what}")
    if isinstance(value, (bool, int, float)):
        return np.asarray(value)
    if isinstance(value, list):
        try:
            array = np.array(value, dtype=np.float64)
        except (TypeError, ValueError):
            array = None
        if array is not None and array.size:
            return array
    if not isinstance(value, np.ndarray):
        raise Failure(KIND, f"{what} should be a tensor of numbers, but is {name_of(value)}")
    return value


def name_of(value: Any) -> str:
    """A short name for the type of a value that arrived from a worker or stands in a notebook."""
    if isinstance(value, dict) and set(value) == {"$object"}:
        text = "".join(c for c in str(value["$object"])[:80] if c.isalnum() or c in "_ .,()[]:")
        return f"of type {text}" if " " not in text else f"{'an' if text[0] in 'aeiou' else 'a'} {text}"
    if isinstance(value, dict):
        return "a dict"
    if isinstance(value, list):
        return f"a list or tuple of {len(value)}"
    return f"a {type(value).__name__}"


def shape_text(shape: tuple) -> str:
    """``(2, 3)`` as a student would write it."""
    return str(tuple(int(n) for n in shape))


def check_shape(got: np.ndarray, shape: tuple, what: str, hint: str = "") -> None:
    """Raise Failure (kind: shape) unless the shapes are equal."""
    if got.shape != tuple(shape):
        text = f"{what}: shape {shape_text(got.shape)}, expected {shape_text(shape)}"
        raise Failure(SHAPE, f"{text}; {hint}" if hint else text, {"shape": list(got.shape), "expected_shape": list(shape)})


def compare(value: Any, expected: np.ndarray, tolerance: float, what: str) -> np.ndarray:
    """Return the answer as an array when it equals ``expected`` within ``tolerance`` everywhere.

    Infinities must stand at the same places; NaN is never right. Raises Failure with the first differing
    index, the largest and the median error and how many elements are off.
    """
    got = as_array(value, what)
    check_shape(got, expected.shape, what)
    if got.dtype.kind == "b" and expected.dtype.kind == "f":
        raise Failure(DTYPE, f"{what} holds True/False, expected numbers", {"dtype": str(got.dtype)})
    got64, want64 = got.astype(np.float64), expected.astype(np.float64)
    if np.isnan(got64).any():
        count = int(np.isnan(got64).sum())
        raise Failure(
            NAN,
            f"{what} contains NaN ({count} of {got64.size} numbers, first at index {first(np.isnan(got64))})",
            {"nan": count},
        )
    difference_of(got64, want64, tolerance, what)
    return got


def difference_of(got: np.ndarray, expected: np.ndarray, tolerance: float, what: str) -> float:
    """The largest absolute difference (equal infinities differ by 0); raises Failure over ``tolerance``."""
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.where(got == expected, 0.0, np.abs(got - expected))
    error = np.nan_to_num(error, nan=np.inf, posinf=np.inf)
    off = error > tolerance
    largest = float(error.max()) if error.size else 0.0
    if not off.any():
        return largest
    finite = error[np.isfinite(error)]
    median = float(np.median(finite)) if finite.size else float("inf")
    place = f", first at index {first(off)}" if error.ndim else ""
    if error.size == 1:
        text = f"{what}: off by {size_text(largest)} (allowed {tolerance:g})"
    else:
        text = (
            f"{what}: {int(off.sum())} of {error.size} numbers are off{place}; "
            f"largest error {size_text(largest)}, median {size_text(median)} (allowed {tolerance:g})"
        )
    raise Failure(
        NUMBERS,
        text,
        {
            "largest": rounded(largest),
            "median": rounded(median),
            "off": int(off.sum()),
            "size": int(error.size),
            "first": [int(i) for i in np.argwhere(off)[0]],
        },
    )


def first(where: np.ndarray) -> str:
    """The first True of a mask as ``[i, j]``."""
    return "[" + ", ".join(str(int(i)) for i in np.argwhere(where)[0]) + "]"


def size_text(error: float) -> str:
    """Two significant digits: enough to learn from, too few to read an expected value off."""
    return "infinite" if not np.isfinite(error) else f"{error:.2g}"


def rounded(error: float) -> float | None:
    """The same two digits as a number for results.json (None for infinite)."""
    return float(f"{error:.2g}") if np.isfinite(error) else None

"""Compares answers with expected values. Messages are addressed to students and never reveal an expected value.

Needs numpy only: the judge and the check cells run the same code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import shown
from .values import Map

# Kinds of failure; tests also use "rule" for conditions specific to their question.
# SKIPPED: not judged, because of what another test of the same question reports.
SKIPPED, MISSING, BLANK, KIND, SHAPE, DTYPE, NAN, NUMBERS = (
    "skipped",
    "missing",
    "blank",
    "kind",
    "shape",
    "dtype",
    "nan",
    "numbers",
)
HUGE = 1e6  # larger errors all look alike
# What an encoder (``checks.values``) says about values that it cannot send, beside the names of types.
PHRASES = frozenset(
    [
        "ellipsis",
        "very large int",
        "NumPy array",
        "tensor without data",
        "tensor of too many numbers",
        "array of too many numbers",
    ]
    + [f"Python {kind}" for kind in ("list", "tuple", "dict", "set", "str", "bool", "int", "float", "complex")]
    + [f"array of {what}" for what in ("complex numbers", "objects", "text", "bytes", "records", "dates", "other things")]
)

NO_TENSOR = {"NumPy array", *(f"Python {kind}" for kind in ("list", "tuple", "bool", "int", "float"))}  # where one is asked for


@dataclass
class Failure(AssertionError):
    """Why an answer is not accepted. ``kind`` is one of the constants above; ``data`` holds details for results.json."""

    kind: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text


def is_blank(value: Any) -> bool:
    """Whether the value is None or the ``...`` of an untouched TODO."""
    return value is None or value is Ellipsis or object_of(value) == "ellipsis"


def nothing_returned(name: str) -> str:
    """What is known of a function without a result."""
    return f"`{name}` returned None: its TODO is not filled in yet, or a `return` is missing"


def object_of(value: Any) -> str:
    """What a worker says about a value that it cannot send; '' for any other value."""
    text = value.get("$object") if type(value) is dict and len(value) == 1 else None
    return text if isinstance(text, str) else ""


def as_array(value: Any, what: str) -> np.ndarray:
    """Convert an answer (an array, a number or a nested list of numbers) to a numeric array.

    Raises Failure (kind: blank or kind) for anything else.
    """
    if is_blank(value):
        raise Failure(BLANK, f"got None instead of {what}")
    if isinstance(value, (bool, int, float)) or (isinstance(value, list) and _holds_numbers(value)):
        try:
            array = np.array(value, dtype=None if isinstance(value, bool) else np.float64)
        except (TypeError, ValueError, OverflowError, RecursionError):
            array = None
        if array is not None and array.size:
            return array
    found = numeric(value)
    if found is None:
        wanted = "a tensor" if object_of(value) in NO_TENSOR else "a tensor or an array of numbers"
        text = f"{what} should be {wanted}, but is {name_of(value)}"
        raise Failure(KIND, text, {"concept": "return value"})
    return found


def _holds_numbers(values: list[Any]) -> bool:
    """Whether nothing but numbers is in nested lists: NumPy would read texts as numbers, too, and None as NaN."""
    waiting: list[Any] = [values]
    while waiting:
        for item in waiting.pop():
            if isinstance(item, (list, tuple)):
                waiting.append(item)
            elif not isinstance(item, (bool, int, float, np.ndarray, np.generic)):
                return False
    return True


def same(a: np.ndarray | None, b: np.ndarray | None, tolerance: float = 1e-4) -> bool:
    """Whether two arrays have the same shape and, up to a tolerance, the same numbers, NaN and infinities included."""
    if a is None or b is None or a.shape != b.shape:
        return False
    return bool(np.allclose(a.astype(np.float64), b.astype(np.float64), rtol=tolerance, atol=tolerance, equal_nan=True))


def numbers_of(value: Any) -> np.ndarray | None:
    """An answer as an array if it is one, a number or a list of numbers; None for anything else."""
    try:
        return as_array(value, "the answer")
    except Failure:
        return None


def numeric(value: Any) -> np.ndarray | None:
    """The value if it is an array of truth values or real numbers; None for anything else."""
    return value if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" else None


def name_of(value: Any) -> str:
    """A short description of a value's type, for values from a worker or a notebook."""
    if text := object_of(value):
        if text in PHRASES:
            return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"
        return f"of type {text}" if shown.is_known(text) else "of a type of your own"
    if isinstance(value, dict):
        return "a dict"
    if isinstance(value, list):
        return f"a list or tuple of {len(value)}" if len(value) <= 20 else "a long list or tuple"
    if isinstance(value, np.ndarray):
        return "an array"
    return f"a {shown.named(type(value).__name__, 'value of a type of your own')}"


def shape_text(shape: tuple[int, ...], expected: tuple[int, ...] = ()) -> str:
    """A shape as a student would write it: ``(2, 3)``; sizes that have nothing to do with what is expected stay out."""
    if len(shape) > len(expected) + 3:
        return f"of {len(shape)} dimensions"
    return str(shown.sizes(shape, expected)).replace("None", "…")


def check_shape(got: np.ndarray, shape: tuple[int, ...], what: str, hint: str = "") -> None:
    """Raise Failure (kind: shape) unless the shapes are equal."""
    if got.shape != tuple(shape):
        text = f"{what}: shape {shape_text(got.shape, shape)}, expected {shape_text(shape, shape)}"
        data = {
            "concept": "shape",
            "shape": list(shown.sizes(got.shape, shape))[: len(shape) + 3],
            "expected_shape": list(shape),
        }
        raise Failure(SHAPE, f"{text}; {hint}" if hint else text, data)


def compare(value: Any, expected: np.ndarray, tolerance: float, what: str) -> np.ndarray:
    """Return the answer as an array if it equals ``expected`` within ``tolerance`` everywhere.

    Infinities must be in the same places; NaN is never right. Otherwise raises Failure with the index of the first error,
    the largest and the median error, and the number of wrong elements.
    """
    got = as_array(value, what)
    check_shape(got, expected.shape, what)
    if got.dtype.kind == "b" and expected.dtype.kind == "f":
        raise Failure(DTYPE, f"{what} contains True/False, expected numbers", {"dtype": str(got.dtype)})
    got64, want64 = got.astype(np.float64), expected.astype(np.float64)
    if np.isnan(got64).any():
        count = int(np.isnan(got64).sum())
        raise Failure(
            NAN,
            f"{what} contains NaN ({count} of {got64.size} numbers, first at index {first(np.isnan(got64))})",
            {"nan": count},
        )
    difference_of(got64, want64, tolerance, what, whole=expected.dtype.kind in "iu")
    return got


def match(value: Any, expected: Any, tolerance: float, what: str) -> Any:
    """Return the answer if it equals ``expected``: plain data of any kind, numbers and arrays within ``tolerance``.

    Dicts and lists are compared item by item. Raises Failure otherwise; no text shows what was expected.
    """
    if isinstance(expected, np.ndarray):
        return compare(value, expected, tolerance, what)
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        return compare(value, np.asarray(expected), tolerance, what)
    if is_blank(value) and expected is not None:
        raise Failure(BLANK, f"got None instead of {what}")
    if isinstance(expected, dict):
        return _match_dict(value, expected, tolerance, what)
    if isinstance(expected, list):
        return _match_list(value, expected, tolerance, what)
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, (np.ndarray, list, dict)) or value != expected:
        raise Failure(NUMBERS, f"{what} is not right")
    return value


def _match_dict(value: Any, expected: dict[Any, Any], tolerance: float, what: str) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise Failure(KIND, f"{what} should be a dict, but is {name_of(value)}")
    if value.keys() != expected.keys():
        raise Failure(SHAPE, f"{what} has the wrong keys")
    # What a probe observes has names that the assignment chose; the keys of an answer may be a hidden input's own words.
    own = isinstance(expected, Map)
    return {k: match(value[k], expected[k], tolerance, f"{what}: {'one of its values' if own else k}") for k in expected}


def _match_list(value: Any, expected: list[Any], tolerance: float, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise Failure(KIND, f"{what} should be a list, but is {name_of(value)}")
    if len(value) != len(expected):
        raise Failure(SHAPE, f"{what} has the wrong length ({shown.number(len(value), 2 * len(expected) + 20)})")
    return [match(v, e, tolerance, f"{what}, item {n}") for n, (v, e) in enumerate(zip(value, expected))]


def difference_of(got: np.ndarray, expected: np.ndarray, tolerance: float, what: str, whole: bool = False) -> float:
    """The largest absolute difference (0 for equal infinities); raises Failure if it exceeds ``tolerance``.

    ``whole``: only whole numbers are expected.
    """
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
    exact = whole and tolerance < 1  # a tolerance that no whole number makes use of would only be read as a riddle
    size = size_text(largest, tolerance) if exact else beyond(largest, tolerance)
    if error.size == 1:
        text = f"{what}: off by {size}; it should be exact" if exact else f"{what}: off by {size}"
    else:
        text = (
            f"{what}: {int(off.sum())} of {error.size} numbers are off{place}; "
            f"largest error {size}, median {size_text(median)}{'; they should be exact' if exact else ''}"
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
    """The index of the first True in a mask, as ``[i, j]``."""
    return "[" + ", ".join(str(int(i)) for i in np.argwhere(where)[0]) + "]"


def beyond(error: float, tolerance: float) -> str:
    """An error beside the tolerance that it was compared with, as in ``0.0501 (allowed 0.05)``."""
    return f"{size_text(error, tolerance)} (allowed {exactly(tolerance)})"


def size_text(error: float, limit: float | None = None) -> str:
    """An error with two significant digits: enough to be useful, too few to reconstruct the expected value.

    Beside a ``limit`` it gets as many as it takes to show on which side of it the error lies.
    """
    if not np.isfinite(error):
        return "infinite"
    if error > HUGE and (limit is None or limit < HUGE):
        return f"more than {HUGE:g}"
    texts = (f"{error:.{digits}g}" for digits in range(2, 18))
    return next(text for text in texts if limit is None or side(float(text), limit) == side(error, limit))


def side(number: float, limit: float) -> int:
    """-1, 0 or 1: the number is below, at or above the limit."""
    return (number > limit) - (number < limit)


def exactly(number: float) -> str:
    """A number as people write it, and without loss: ``0.05``, ``10``."""
    text = f"{number:g}"
    return text if float(text) == number else repr(float(number))


def rounded(error: float) -> float | None:
    """The same two significant digits as a number for results.json (None if infinite)."""
    return float(f"{min(error, HUGE):.2g}") if np.isfinite(error) else None

"""Relations between a wrong result and the right one that has the same shape (see ``signatures``)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..compare import same
from .findings import Call, Relation, distinct, pairs, same_shape
from .places import first_head, only_somewhere, other_places

CONSTANTS = (0.5, 2.0, 0.25, 4.0)
FAINT = -50.0  # e to the power of this is too little to be seen
POWERS = (1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 1.5, -1.5)


@same_shape
def unchanged(wrong: list[Call]) -> tuple[str, str] | None:
    names = [
        name for name in wrong[0].arrays if all(name in call.arrays and same(call.got, call.arrays[name]) for call in wrong)
    ]
    return ("nothing done", f"The result is `{names[0]}` itself: nothing has happened to it") if names else None


@same_shape
def hidden_entries(wrong: list[Call]) -> tuple[str, str] | None:
    """What stands where the right result is -inf."""
    hidden = [np.isneginf(call.wanted) for call in wrong]
    if any(where.mean() in (0, 1) for where in hidden):
        return None
    both = [(got, want, where) for (got, want), where in zip(pairs(wrong), hidden)]
    if all(_inverted(got, where) for got, _, where in both):
        return "mask side", "Past entries are -inf and future entries are visible: it is the other way round"
    if all(np.isnan(got).any() for got, _, _ in both):
        return "mask fill", "There is NaN in it: 0 · inf is NaN, so -inf cannot be multiplied in"
    if not all(same(got[~where], want[~where]) for got, want, where in both):
        return None
    return _in_place_of_hidden(wrong, [(got, where) for got, _, where in both])


def _inverted(got: np.ndarray, where: np.ndarray) -> bool:
    return bool(np.isneginf(got[~where]).all() and not np.isneginf(got[where]).any())


def _in_place_of_hidden(wrong: list[Call], both: list[tuple[np.ndarray, np.ndarray]]) -> tuple[str, str] | None:
    """What stands at the entries to hide, where all others are right. ``both``: (result, where to hide)."""
    originals = [_original(call) for call in wrong]
    if all(a is not None and same(got[where], a[where]) for (got, where), a in zip(both, originals)):
        return "mask fill", "Future entries keep their scores: nothing is masked"
    values = {float(value) for got, where in both for value in np.unique(got[where])[:3]}
    return _filled_with(values.pop()) if len(values) == 1 else None


def _original(call: Call) -> np.ndarray | None:
    """The argument that the right result is made of by hiding entries."""
    return next((a for a in call.arrays.values() if a.shape == call.wanted.shape and not same(a, call.wanted)), None)


def _filled_with(value: float) -> tuple[str, str] | None:
    if not np.isfinite(value):
        return None
    if value < FAINT:
        return "mask fill", f"Future entries are {value:g} and not -inf: beside very small scores they would still get weight"
    return "mask fill", f"Future entries are {value:g} and not -inf: after the softmax they still have weight (e^{value:g})"


@same_shape
def nan_rows(wrong: list[Call]) -> tuple[str, str] | None:
    if not any(np.isnan(got).any() and not np.isnan(want).any() for got, want in pairs(wrong)):
        return None
    return "nan", "NaN comes from a softmax over a row in which all is -inf, from 0 · inf, or from inf - inf"


@same_shape
def ones_and_zeros(wrong: list[Call]) -> tuple[str, str] | None:
    """For masks of zeros and ones."""
    if any(not np.isin(want, (0, 1)).all() or want.ndim < 2 for _, want in pairs(wrong)):
        return None
    return next(((concept, says) for holds, concept, says in MASKS if all(holds(*pair) for pair in pairs(wrong))), None)


def _only_on_diagonal(got: np.ndarray, want: np.ndarray) -> bool:
    rows, columns = np.nonzero(got != want)[-2:]
    return bool(len(rows)) and bool((rows == columns).all())


MASKS: tuple[tuple[Callable[[np.ndarray, np.ndarray], Any], str, str], ...] = (
    (lambda got, want: not np.isin(got, (0, 1)).all(), "mask values", "It has numbers other than 0 and 1"),
    (lambda got, want: (got == 1 - want).all(), "mask side", "Ones and zeros are swapped"),
    (
        lambda got, want: (got == np.swapaxes(want, -1, -2)).all(),
        "mask side",
        "It is the other triangle: ones stand where the column (the token attended to) comes after the row",
    ),
    (lambda got, want: got.all(), "mask side", "It is all ones: every token sees the future"),
    (lambda got, want: not got.any(), "mask side", "It is all zeros: no token sees anything"),
    (_only_on_diagonal, "diagonal", "Only the diagonal is wrong: may a token attend to itself?"),
)


@same_shape
def normalised_elsewhere(wrong: list[Call]) -> tuple[str, str] | None:
    """Weights that sum to one along another dimension than the right ones."""
    if not all(want.ndim > 1 and _sums_to_one(want, -1) and (got >= 0).all() for got, want in pairs(wrong)):
        return None
    if any(_sums_to_one(got, -1) for got, _ in pairs(wrong)):
        return None
    return "softmax axis", _sums(wrong)


def _sums(wrong: list[Call]) -> str:
    """Over which dimension weights sum to one, as far as it is the same in all calls."""
    for axis in [*range(-2, -5, -1), *range(3)]:
        if all(-got.ndim <= axis < got.ndim and _sums_to_one(got, axis) for got, _ in pairs(wrong)):
            return f"The weights sum to one over dimension {axis}, not over the last one: each row has to"
    if all(np.isclose(got.sum(), 1) for got, _ in pairs(wrong)):
        return "All weights together sum to one, but each row has to"
    row = float(np.asarray(wrong[-1].got).reshape(-1, wrong[-1].wanted.shape[-1])[0].sum())
    return f"The rows do not sum to one: in one call the first sums to {row:.3g}"


def _sums_to_one(array: np.ndarray, axis: int) -> bool:
    return bool(np.allclose(array.sum(axis=axis), 1, atol=1e-3))


@same_shape
def scaled(wrong: list[Call]) -> tuple[str, str] | None:
    """A factor between the results, constant or a formula of the calls' quantities."""
    factors = [_factor(got, want) for got, want in pairs(wrong)]
    if any(f is None or f == 0 for f in factors):
        return None
    known = [f for f in factors if f is not None]
    if np.allclose(known, -1, rtol=1e-3):
        return "sign", "The sign is the wrong way round"
    if np.allclose(known, known[0], rtol=1e-3) and _varied(wrong):
        return "scale", f"The result is {known[0]:.3g} times the right one"
    formulas = list(_formulas(wrong, known))
    if formulas:
        return "scale", f"The result is the right one times {formulas[0]}"
    return "scale", "The result is the right one times a factor (" + ", ".join(f"{f:.3g}" for f in known[:4]) + ")"


def _factor(got: np.ndarray, want: np.ndarray) -> float | None:
    """The factor between two arrays; None if there is none, or if that would say little."""
    a, b = got.astype(np.float64).ravel(), want.astype(np.float64).ravel()
    if len(np.unique(b)) < 3 or not np.isfinite(a).all() or not np.isfinite(b).all() or not a.any():
        return None
    factor = float(a @ b / (b @ b))
    close = np.allclose(a, factor * b, rtol=1e-3, atol=1e-3 * max(float(np.abs(a).max()), 1e-6))
    return factor if close and abs(factor - 1) > 1e-3 else None


def _varied(wrong: list[Call]) -> bool:
    return len({tuple(sorted(call.quantities.items())) for call in wrong}) > 1 or len(wrong) == 1


def _formulas(wrong: list[Call], factors: list[float]) -> Iterator[str]:
    """Powers of one quantity, or products of powers of two, that give these factors; only if the calls tell them apart."""
    if len(set(np.round(factors, 6))) < 2:
        return
    powers = _powers(wrong)
    for constant, (text, values, _) in itertools.product((1.0, *CONSTANTS), powers):
        if _close(constant * values, factors):
            yield text if constant == 1 else f"{constant:g} times {text}"
    for (one, first, a), (other, second, b) in itertools.combinations(powers, 2):
        if a != b and _close(first * second, factors):
            yield f"{one} times {other}"


def _powers(wrong: list[Call]) -> list[tuple[str, np.ndarray, str]]:
    """(text, its values in the calls, the quantity) of powers of the quantities that differ between calls."""
    known = {name: [call.quantities.get(name, 0.0) for call in wrong] for name in wrong[0].quantities}
    varied = {name: np.array(values) for name, values in known.items() if min(values) > 0 and len(set(values)) > 1}
    return [(_power(name, power), values**power, name) for name, values in varied.items() for power in POWERS]


def _close(values: np.ndarray, factors: list[float]) -> bool:
    return bool(np.allclose(values, factors, rtol=1e-3))


def _power(name: str, power: float) -> str:
    name = f"({name})" if " " in name else name
    base = {0.5: f"√{name}", 1.0: name, 1.5: f"{name}^1.5", 2.0: f"{name}²"}[abs(power)]
    return base if power > 0 else f"1/{base}"


@same_shape
def shifted(wrong: list[Call]) -> tuple[str, str] | None:
    """What is masked, the same in both, is left out."""
    offsets = []
    for got, want in pairs(wrong):
        visible = np.isfinite(want)
        if not same(got[~visible], want[~visible]):
            return None
        offsets.append(got[visible].astype(np.float64) - want[visible])
    if all(np.isfinite(o).all() and o.size > 3 and np.allclose(o, o[0], atol=1e-4) for o in offsets):
        return "offset", f"A constant is added to the right result ({offsets[0][0]:.3g} in one call)"
    return None


@same_shape
def with_argument(wrong: list[Call]) -> tuple[str, str] | None:
    """The right result, combined with an argument."""
    for name in wrong[0].arrays:
        given = [call.arrays.get(name) for call in wrong]
        for word, combined in COMBINED.items():
            if all(
                a is not None and a.shape == want.shape and np.isfinite(a).all() and same(got, combined(want, a))
                for (got, want), a in zip(pairs(wrong), given)
            ):
                return "one step too many", f"The result is the right one {word} `{name}`"
    return None


COMBINED: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "plus": np.add,
    "minus": np.subtract,
    "times": np.multiply,
}


@same_shape
def function_of(wrong: list[Call]) -> tuple[str, str] | None:
    """An elementwise function or a softmax of the right result."""
    if not distinct(wrong):
        return None
    for concept, says, function in FUNCTIONS:
        images = [function(want.astype(np.float64)) for _, want in pairs(wrong)]
        if all(np.isfinite(image).any() for image in images) and all(
            same(got, image) for (got, _), image in zip(pairs(wrong), images)
        ):
            return concept, f"The result is {says} of the right one"
    return None


def _softmax(array: np.ndarray) -> np.ndarray:
    powers = np.exp(array - array.max(axis=-1, keepdims=True))
    softened: np.ndarray = powers / powers.sum(axis=-1, keepdims=True)
    return softened


FUNCTIONS: list[tuple[str, str, Callable[[np.ndarray], np.ndarray]]] = [
    ("one step too many", "a softmax over the rows", _softmax),
    ("logarithm", "the logarithm", np.log),
    ("one step too many", "the exponential", np.exp),
    ("one step too many", "the square root", np.sqrt),
    ("one step too many", "the square", np.square),
    ("one step too many", "the absolute value", np.abs),
    ("one step too many", "the positive part", lambda a: np.maximum(a, 0)),
    ("rounding", "the rounded value", np.round),
    ("rounding", "the whole-number part", np.trunc),
    ("one step too many", "the hyperbolic tangent", np.tanh),
    ("one step too many", "the sigmoid", lambda a: 1 / (1 + np.exp(-a))),
]


@same_shape
def rows_scaled(wrong: list[Call]) -> tuple[str, str] | None:
    """Weights of which each row is right up to a factor of its own; rows of one or two numbers say too little."""
    long = [
        (got.astype(np.float64), want.astype(np.float64)) for got, want in pairs(wrong) if want.ndim > 1 and want.shape[-1] > 2
    ]
    if not long or not all(map(_is_rowwise, *zip(*long))):
        return None
    says = "Each row is right up to a factor of its own"
    if all(_sums_to_one(want, -1) and not _sums_to_one(got, -1) for got, want in long):
        says += ": its weights do not sum to one"
    return "normalisation", says


def _is_rowwise(got: np.ndarray, want: np.ndarray) -> bool:
    if not np.isfinite(got).all() or not np.isfinite(want).all():
        return False
    squares = (want * want).sum(-1, keepdims=True)
    factors = (got * want).sum(-1, keepdims=True) / np.maximum(squares, 1e-12)
    if (np.abs(factors[squares > 0]) < 1e-3).any():
        return False  # a row of zeros is right up to nothing
    left, before = (float(np.abs(got - other).max()) for other in (factors * want, want))
    return left < 1e-3 and left < 0.05 * before


NUMBERS: tuple[Relation, ...] = (
    unchanged,
    ones_and_zeros,
    hidden_entries,
    nan_rows,
    normalised_elsewhere,
    scaled,
    shifted,
    with_argument,
    function_of,
    other_places,
    rows_scaled,
    first_head,
    only_somewhere,
)

"""Relations between a wrong result and the right one that has another shape (see ``signatures``)."""

from __future__ import annotations

import itertools

import numpy as np

from ..compare import same
from .findings import Call, Relation, distinct, pairs


def fixed_size(wrong: list[Call]) -> tuple[str, str] | None:
    shapes, wanted = {got.shape for got, _ in pairs(wrong)}, {want.shape for _, want in pairs(wrong)}
    if len(shapes) != 1 or len(wanted) < 2 or any(got.shape == want.shape for got, want in pairs(wrong)):
        return None
    shape = next(iter(shapes))
    return ("fixed size", f"The result has shape {shape} whatever the input: a size is fixed in the code") if shape else None


def other_order(wrong: list[Call]) -> tuple[str, str] | None:
    """The dimensions of the right result in another order, the same in all calls."""
    ranks = {call.wanted.ndim for call in wrong}
    if not distinct(wrong) or max(ranks) > 4 or any(got.ndim != want.ndim for got, want in pairs(wrong)):
        return None
    for axes in itertools.permutations(range(-min(ranks), 0)):
        if all(same(got, _moved(want, axes)) for got, want in pairs(wrong)):
            swapped = [axis for axis, from_ in zip(range(-min(ranks), 0), axes) if axis != from_]
            if len(swapped) == 2:
                return (
                    "dimension order",
                    f"The numbers are right, but dimensions {swapped[0]} and {swapped[1]} of it are swapped",
                )
            return "dimension order", "The numbers are right, but its dimensions come in another order"
    return None


def _moved(array: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """The array with its last dimensions in this order."""
    moved: np.ndarray = np.transpose(array, (*range(array.ndim - len(axes)), *axes))
    return moved


def other_shape(wrong: list[Call]) -> tuple[str, str] | None:
    if any(got.shape == want.shape or got.size != want.size for got, want in pairs(wrong)):
        return None
    if all(same(got.ravel(), want.ravel()) for got, want in pairs(wrong)):
        return "shape", "The numbers are right and in the right order, but the shape is another one"
    if all(same(np.sort(got, axis=None), np.sort(want, axis=None)) for got, want in pairs(wrong)):
        return "dimension order", "It holds the right numbers, but in other places"
    return None


def one_of_a_batch(wrong: list[Call]) -> tuple[str, str] | None:
    """One entry along the first dimension; a result of two dimensions, such as a mask, has rows there and no batch."""
    for part, says in ((0, "first"), (-1, "last")):
        if all(want.ndim > 1 and (same(got, want[part]) or same(got, want[part][None])) for got, want in pairs(wrong)):
            if any(want.ndim == 2 for _, want in pairs(wrong)):
                return "shape", f"It is only the {says} row of the right result"
            return "batch", f"Only the {says} element of the batch is in the result"
    return None


def diagonal(wrong: list[Call]) -> tuple[str, str] | None:
    """One number for each row, where a row belongs."""
    if not distinct(wrong) or any(want.ndim < 2 or want.shape[-1] != want.shape[-2] for _, want in pairs(wrong)):
        return None
    if all(same(got, np.diagonal(want, axis1=-2, axis2=-1)) for got, want in pairs(wrong)):
        return (
            "shape",
            "It is only the diagonal of the right result: what belongs to (i, i), and nothing of the other pairs (i, j)",
        )
    return None


def summed(wrong: list[Call]) -> tuple[str, str] | None:
    for reduce, says in ((np.sum, "summed"), (np.mean, "averaged")):
        for axis in range(-4, 0):
            if all(want.ndim >= -axis and same(got, reduce(want, axis=axis)) for got, want in pairs(wrong)):
                return "shape", f"The right result is {says} over its dimension {axis}"
    return None


def sizes_by_name(wrong: list[Call]) -> tuple[str, str] | None:
    """Which quantity stands where another one belongs, if the number of dimensions is right."""
    if len({len(shape) for got, want in pairs(wrong) for shape in (got.shape, want.shape)}) != 1 or len(wrong) < 2:
        return None
    for axis in range(-wrong[0].wanted.ndim, 0):
        got, want = ([array.shape[axis] for array in arrays] for arrays in zip(*pairs(wrong)))
        is_, belongs = _named(wrong, got), _named(wrong, want)
        if is_ and belongs and is_ != belongs:
            return "shape", f"Dimension {axis} of the result has size {is_}, where {belongs} belongs"
    return None


def _named(wrong: list[Call], sizes: list[int]) -> str:
    """The only quantity that has these sizes in these calls; '' if none or several have."""
    names = [n for n in wrong[0].quantities if all(c.quantities.get(n) == size for c, size in zip(wrong, sizes))]
    return names[0] if len(names) == 1 and len(set(sizes)) > 1 else ""


SHAPES: tuple[Relation, ...] = (fixed_size, one_of_a_batch, diagonal, summed, other_order, other_shape, sizes_by_name)

"""Relations between a wrong result and the right one that has another shape (see ``signatures``)."""

from __future__ import annotations

import itertools

import numpy as np

from .findings import Call, Relation, distinct, pairs, same


def fixed_size(wrong: list[Call]) -> tuple[str, str] | None:
    shapes, wanted = {got.shape for got, _ in pairs(wrong)}, {want.shape for _, want in pairs(wrong)}
    if len(shapes) != 1 or len(wanted) < 2 or any(got.shape == want.shape for got, want in pairs(wrong)):
        return None
    shape = next(iter(shapes))
    return ("fixed size", f"The result has shape {shape} whatever the input: a size is fixed in the code") if shape else None


def other_order(wrong: list[Call]) -> tuple[str, str] | None:
    """The dimensions of the right result in another order, the same in all calls."""
    if any(got.ndim != want.ndim or want.ndim > 4 for got, want in pairs(wrong)):
        return None
    if any(got.shape == want.shape for got, want in pairs(wrong)) and len({call.wanted.ndim for call in wrong}) > 1:
        return None
    ndim = min(call.wanted.ndim for call in wrong)
    for axes in itertools.permutations(range(-ndim, 0)):
        moved = [[i - ndim_ for i in range(ndim_ - ndim)] + list(axes) for ndim_ in (call.wanted.ndim for call in wrong)]
        both = list(zip(pairs(wrong), moved))
        if all(same(got, np.transpose(want, axes_)) for (got, want), axes_ in both) and distinct(wrong):
            swapped = [i for i in range(-ndim, 0) if axes[i + ndim] != i]
            if len(swapped) == 2:
                return (
                    "dimension order",
                    f"The numbers are right, but dimensions {swapped[0]} and {swapped[1]} of it are swapped",
                )
            return "dimension order", "The numbers are right, but its dimensions come in another order"
    return None


def other_shape(wrong: list[Call]) -> tuple[str, str] | None:
    if any(got.shape == want.shape or got.size != want.size for got, want in pairs(wrong)):
        return None
    if all(same(got.ravel(), want.ravel()) for got, want in pairs(wrong)):
        return "shape", "The numbers are right and in the right order, but the shape is another one"
    if all(same(np.sort(got, axis=None), np.sort(want, axis=None)) for got, want in pairs(wrong)):
        return (
            "dimension order",
            "It holds the right numbers in other places: view and reshape do not move numbers between dimensions, "
            "transpose and permute do",
        )
    return None


def one_of_a_batch(wrong: list[Call]) -> tuple[str, str] | None:
    for part, says in ((0, "first"), (-1, "last")):
        if all(want.ndim > 1 and (same(got, want[part]) or same(got, want[part][None])) for got, want in pairs(wrong)):
            return "batch", f"Only the {says} element of the batch is in the result"
    return None


def summed(wrong: list[Call]) -> tuple[str, str] | None:
    for reduce, says in ((np.sum, "summed"), (np.mean, "averaged")):
        for axis in range(-4, 0):
            if all(want.ndim >= -axis and same(got, reduce(want, axis=axis)) for got, want in pairs(wrong)):
                return "shape", f"The right result is {says} over its dimension {axis}"
    return None


def sizes_by_name(wrong: list[Call]) -> tuple[str, str] | None:
    """Which quantity stands where another one belongs, if the number of dimensions is right."""
    if any(got.ndim != want.ndim or got.shape == want.shape for got, want in pairs(wrong)):
        return None
    if len({got.ndim for got, _ in pairs(wrong)}) != 1 or len(wrong) < 2:
        return None
    for axis in range(-wrong[0].wanted.ndim, 0):
        sizes = [(got.shape[axis], want.shape[axis]) for got, want in pairs(wrong)]
        if all(a == b for a, b in sizes):
            continue
        is_, belongs = _named(wrong, [a for a, _ in sizes]), _named(wrong, [b for _, b in sizes])
        if is_ and belongs and is_ != belongs:
            return "shape", f"Dimension {axis} of the result has size {is_}, where {belongs} belongs"
    return None


def _named(wrong: list[Call], sizes: list[int]) -> str:
    """The only quantity that has these sizes in these calls; '' if none or several have."""
    names = [n for n in wrong[0].quantities if all(c.quantities.get(n) == size for c, size in zip(wrong, sizes))]
    return names[0] if len(names) == 1 and len(set(sizes)) > 1 else ""


SHAPES: tuple[Relation, ...] = (fixed_size, one_of_a_batch, summed, other_order, other_shape, sizes_by_name)

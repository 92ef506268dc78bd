"""Relations between a wrong result and the right one that are about where it is wrong (see ``signatures``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..compare import same
from .findings import Call, distinct, pairs, same_shape


def _off(wrong: list[Call]) -> list[np.ndarray]:
    """Where each result is wrong."""
    return [~np.isclose(got.astype(np.float64), want, rtol=1e-4, atol=1e-4, equal_nan=True) for got, want in pairs(wrong)]


@same_shape
def only_somewhere(wrong: list[Call]) -> tuple[str, str] | None:
    """Where the numbers are wrong, if that is a part with a name."""
    off = _off(wrong)
    if any(o.ndim < 2 for o in off):
        return None
    return next(((concept, says) for holds, concept, says in PLACES if all(map(holds, off))), None)


PLACES: tuple[tuple[Callable[[np.ndarray], Any], str, str], ...] = (
    (lambda off: off.shape[0] > 1 and not off[0].any(), "batch", "Only the first element of the batch is right"),
    (lambda off: off.shape[-2] > 1 and not off[..., 1:, :].any(), "first token", "Only the first token's row is wrong"),
    (lambda off: off.shape[-2] > 1 and not off[..., :-1, :].any(), "last token", "Only the last token's row is wrong"),
    (
        lambda off: off.shape[-2] > 2 and not off[..., -1, :].any(),
        "future",
        "Only the last token's row is right, the one that may see all others: does something of the future leak in?",
    ),
)


@same_shape
def other_places(wrong: list[Call]) -> tuple[str, str] | None:
    if distinct(wrong) and all(same(np.sort(got, axis=None), np.sort(want, axis=None)) for got, want in pairs(wrong)):
        return "dimension order", "It holds the right numbers, but in other places"
    return None


@same_shape
def first_head(wrong: list[Call]) -> tuple[str, str] | None:
    """Of several heads only the first is right, in a dimension of its own or as the first numbers of each row."""
    off = _off(wrong)
    widths = [int(call.quantities.get("n_embd / n_heads", 0)) for call in wrong if call.got is not None]
    if all(map(_only_first_head, off)):
        return "heads", "Only the first head is right: is another part taken for each of the others?"
    if all(map(_only_first_numbers, off, widths)):
        return "heads", "Only the first n_embd / n_heads numbers of each row are right, those of the first head"
    return None


def _only_first_head(off: np.ndarray) -> bool:
    return off.ndim == 4 and off.shape[1] > 1 and not off[:, 0].any() and bool(off[:, 1:].any((0, 2, 3)).all())


def _only_first_numbers(off: np.ndarray, width: int) -> bool:
    return off.ndim == 3 and 0 < width < off.shape[-1] and not off[..., :width].any() and bool(off[..., width:].any())

"""Other ways to write what einsum and einops are told: "...ij,...jd->...id", "b n (h d) -> b h n d"."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

EINOPS = ("rearrange", "reduce", "repeat")
CALLS = ("einsum", *EINOPS)


def others(called: str, text: str) -> Iterator[str]:
    """The text with two of its names swapped on one side of the arrow, or in einsum another letter in the result.

    The result comes first: what is wrong there explains more.
    """
    left, arrow, right = text.partition("->")
    name = r"\w+" if called in EINOPS else r"\w"
    for swapped in _swapped(right, name):
        yield f"{left}{arrow}{swapped}"
    if called not in EINOPS:
        for replaced in _replaced(right, sorted(set(re.findall(name, left)) - set(right))):
            yield f"{left}{arrow}{replaced}"
    for swapped in _swapped(left, name):
        yield f"{swapped}{arrow}{right}"


def _swapped(side: str, name: str) -> Iterator[str]:
    """Two different names of one operand exchanged."""
    for a, b in itertools.combinations(re.finditer(name, side), 2):
        if a[0] != b[0] and "," not in side[a.end() : b.start()]:
            yield side[: a.start()] + b[0] + side[a.end() : b.start()] + a[0] + side[b.end() :]


def _replaced(side: str, letters: list[str]) -> Iterator[str]:
    for place in re.finditer(r"\w", side):
        for letter in letters:
            yield side[: place.start()] + letter + side[place.end() :]

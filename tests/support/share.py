"""How much is tried of what is random or repeats itself: all of it, or the SHARE (0 to 1) that the environment asks for.

A share is drawn anew in each run, by its SEED, which all processes of the run have and which the report's first line names.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import TypeVar

SHARE = float(os.environ.get("SHARE", "1"))
SEED = int(os.environ.get("SEED", "0"))
T = TypeVar("T")


def number(whole: int) -> int:
    """The share of so many, at least one."""
    return max(1, round(whole * SHARE))


def some(items: Sequence[T]) -> list[T]:
    """The share of these, drawn at random, in their order."""
    if SHARE >= 1:
        return list(items)
    return [items[k] for k in sorted(random.Random(SEED).sample(range(len(items)), number(len(items))))]


def every() -> tuple[int, int]:
    """(first, step) of a walk through a list that visits the share of it."""
    step = max(1, round(1 / SHARE))
    return SEED % step, step

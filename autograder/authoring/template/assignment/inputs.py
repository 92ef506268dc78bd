"""Draws the inputs of every question from a seed. Only `bake` runs it; no archive and no student has it.

There are several hidden sets and one public set, which the notebook's checks use. A case says how a function is called; what it
should return is computed with the solution, by naming its ``function``.
"""

from __future__ import annotations

import numpy as np

SIZES = [(4, 2, 2), (7, 3, 4), (5, 4, 3)]  # (points, dimensions, centres): the same for every set, so that none is easier
LIMIT = 0.5  # of 1.1: how far from its nearest centre a point may be


def draw(seed: int, public: bool, names: dict) -> dict[str, dict[str, list[dict]]]:
    """Question id -> group -> cases. ``names``: what the solutions' answers are made of.

    Group ``own`` is what a question is tried with; a composite needs ``fresh``, too, which only the grader uses.
    """
    from tools import POINTS  # the notebook's own module; it can be imported while inputs are drawn

    rng = np.random.default_rng(seed)  # of the public set, the seed is always the same
    return {
        "1.1": {"own": [{"args": [POINTS, LIMIT], "kwargs": {}}]},  # judged by a rule: nothing is expected
        "1.2": {"own": [called("distances", rng, size) for size in SIZES]},
        "1.3": {group: [called("nearest", rng, size) for size in SIZES] for group in ("own", "fresh")},
    }


def called(function: str, rng: np.random.Generator, size: tuple[int, int, int]) -> dict:
    """One call with points (n, d) and centres (k, d)."""
    n, d, k = size
    label = f"{n} points in {d} dimensions, {k} centres"
    return {"function": function, "args": [rng.normal(size=(n, d)), rng.normal(size=(k, d))], "kwargs": {}, "label": label}


def second_opinion(cases: dict) -> str:
    """Where the solution disagrees with another way to compute the same; '' if it does not."""
    for case in cases["1.2"]["own"]:
        points, centres = case["args"]
        other = [[np.linalg.norm(p - c) ** 2 for c in centres] for p in points]
        if not np.allclose(case["expected"], other):
            return "distances is not the square of numpy's norm"
    return ""

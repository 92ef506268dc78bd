"""Draws the inputs of every question from a seed. Used only while baking; no archive contains it.

Each module here may define ``draw(seed, public, names, stages, sizes)``, which draws the cases of some questions,
``worlds(seed, sizes)``, which draws what its section's probes work on, ``sizes(rng, public)``, which draws how large that is,
and ``second_opinion(cases)``, which compares the solution with another one.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import numpy as np

from .case import PUBLIC_SEED

PARTS = [importlib.import_module(f".{module.name}", __name__) for module in pkgutil.iter_modules(__path__)]


def sizes(seed: int, public: bool) -> dict[str, Any]:
    """Module -> its sizes. All hidden sets have the same; each item has a case that is larger than its public ones."""
    rng = np.random.default_rng(PUBLIC_SEED if public else seed)
    return {part.__name__: part.sizes(rng, public) for part in PARTS if hasattr(part, "sizes")}


def worlds(seed: int, public: bool, sizes: dict[str, Any]) -> dict[str, dict]:
    """Section -> the world that its probes work on."""
    seed, parts = PUBLIC_SEED if public else seed, [part for part in PARTS if hasattr(part, "worlds")]
    return {section: world for part in parts for section, world in part.worlds(seed, sizes[part.__name__]).items()}


def draw(
    seed: int, public: bool, names: dict[str, Any], stages: dict[str, Any], sizes: dict[str, Any]
) -> dict[str, dict[str, list[dict]]]:
    """Question id -> group -> cases.

    Groups: ``own``, ``again`` (called twice), ``long`` (of many tokens), ``fresh`` (for composites with right prerequisites),
    ``float64``, ``elsewhere`` (on another device), ``traced`` (with tensors that require gradients).

    ``names``: everything that the solutions define; ``stages``: section -> its probes' stage, set up with its world.
    """
    seed = PUBLIC_SEED if public else seed
    drawn = [part.draw(seed, public, names, stages, sizes[part.__name__]) for part in PARTS if hasattr(part, "draw")]
    return {id: groups for questions in drawn for id, groups in questions.items()}


def second_opinion(tree: dict) -> str:
    """A description of the first disagreement with the solution, or ''."""
    opinions = (part.second_opinion(tree) for part in PARTS if hasattr(part, "second_opinion"))
    return next((opinion for opinion in opinions if opinion), "")

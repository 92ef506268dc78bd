"""Draws the inputs of every question from a seed. Used only while baking; no archive contains it.

Each module here may define ``draw(seed, public, names, stages)``, which draws the cases of some questions, ``worlds(seed)``,
which draws what its section's probes work on, and ``second_opinion(cases)``, which compares the solution with another one.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from .case import PUBLIC_SEED

PARTS = [importlib.import_module(f".{module.name}", __name__) for module in pkgutil.iter_modules(__path__)]


def worlds(seed: int | None, public: bool) -> dict[str, dict]:
    """Section -> the world that its probes work on."""
    seed = PUBLIC_SEED if public else seed
    return {section: world for part in PARTS if hasattr(part, "worlds") for section, world in part.worlds(seed).items()}


def draw(seed: int | None, public: bool, names: dict[str, Any], stages: dict[str, Any]) -> dict[str, dict[str, list[dict]]]:
    """Question id -> group -> cases. Groups: ``own``, ``fresh`` (for composites with right prerequisites), ``float64``.

    ``names``: everything that the solutions define; ``stages``: section -> its probes' stage, set up with its world.
    """
    seed = PUBLIC_SEED if public else seed
    drawn = [part.draw(seed, public, names, stages) for part in PARTS if hasattr(part, "draw")]
    return {id: groups for questions in drawn for id, groups in questions.items()}


def second_opinion(tree: dict) -> str:
    """A description of the first disagreement with the solution, or ''."""
    opinions = (part.second_opinion(tree) for part in PARTS if hasattr(part, "second_opinion"))
    return next((opinion for opinion in opinions if opinion), "")

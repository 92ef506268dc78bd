"""What is drawn for which question, and from which seed. Read by the bake alone: it ships in no archive.

Every module here that has ``draw(seed, public, names, stages)`` draws for some questions; ``worlds(seed)`` draws for its
section's probes, and ``second_opinion(cases)`` holds the solution against another one.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from .case import PUBLIC_SEED

PARTS = [importlib.import_module(f".{module.name}", __name__) for module in pkgutil.iter_modules(__path__)]


def worlds(seed: int | None, public: bool) -> dict[str, dict]:
    """Section -> what its probes work on."""
    seed = PUBLIC_SEED if public else seed
    return {section: world for part in PARTS if hasattr(part, "worlds") for section, world in part.worlds(seed).items()}


def draw(seed: int | None, public: bool, names: dict[str, Any], stages: dict[str, Any]) -> dict[str, dict[str, list[dict]]]:
    """Question id -> group -> cases. Groups: ``own``, ``fresh`` (composites with right prerequisites), ``float64``.

    ``names``: all that the solutions define; ``stages``: section -> the stage of its probes in the world drawn for it.
    """
    seed = PUBLIC_SEED if public else seed
    drawn = [part.draw(seed, public, names, stages) for part in PARTS if hasattr(part, "draw")]
    return {id: groups for questions in drawn for id, groups in questions.items()}


def second_opinion(tree: dict) -> str:
    """'' when nothing speaks against the solution, else what does."""
    opinions = (part.second_opinion(tree) for part in PARTS if hasattr(part, "second_opinion"))
    return next((opinion for opinion in opinions if opinion), "")

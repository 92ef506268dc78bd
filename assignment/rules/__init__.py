"""Verdict rules of this assignment and the messages they give; shipped with the public checks.

Tests reach the package as ``check.rules``. It imports the checks package, which has another name in the students' copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import finetuning, masks, queries
from .concepts import ABOUT, CONCEPTS, EDITS, STATEMENTS, STEPS, WORTH
from .properties import broken as broken_property
from .queries import wanted_weights
from .reasons import reason
from .told import Teller

__all__ = [
    "ABOUT",
    "CONCEPTS",
    "EDITS",
    "STATEMENTS",
    "STEPS",
    "WORTH",
    "broken_property",
    "finetuning",
    "masks",
    "queries",
    "reason",
    "right_value",
    "signature",
    "teller",
    "wanted_weights",
]


def teller(probe: str, world: dict) -> Teller | None:
    """Who answers what this probe asks while it runs; ``world``: what its section's probes work on. None if it asks nothing."""
    return Teller(world["told"]["scores"]) if probe == "loop.observe" else None


def right_value(name: str, case: Any) -> np.ndarray | None:
    """A right answer of this name, on which the answer to the question of this case builds; None if there is none.

    ``query132``: (3,), in 1.4. Public cases have none.
    """
    return case.args[-1] if name == "query132" and len(case.args) == queries.WITH_REFERENCE else None


def signature(id: str, value: Any, case: Any) -> np.ndarray | None:
    """What mistakes are recognised by, or None if it is the answer itself.

    1.2 and 1.3: the attention weights, (4,) or (4, 4). 1.4: the changed keys, because their effect depends on the student's own
    query too. Section 3: the symptoms of what a probe observed.
    """
    if id in finetuning.RULES:
        return finetuning.symptoms(id, value, case)
    if not id.startswith(("1.2", "1.3", "1.4")):
        return None
    array = np.asarray(value, dtype=np.float64)
    if id.startswith("1.4"):
        return array
    return queries.weights(array, case.args[0]) if array.ndim and array.shape[-1] == 3 else None

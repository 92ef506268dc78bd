"""Verdict rules of this assignment and the messages they give; shipped with the public checks.

Tests reach the package as ``check.rules``. It imports the checks package, which has another name in the students' copy.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np

from .concepts import ABOUT, CONCEPTS, EDITS, SPARE, STATEMENTS, STEPS, WORTH

if TYPE_CHECKING:
    from . import finetuning, masks, properties, queries, reasons
    from .told import Teller

__all__ = [
    "ABOUT",
    "CONCEPTS",
    "EDITS",
    "SPARE",
    "STATEMENTS",
    "STEPS",
    "WORTH",
    "broken_property",
    "finetuning",
    "masks",
    "pictured",
    "queries",
    "reason",
    "right_value",
    "signature",
    "teller",
    "wanted_weights",
    "weights_of",
]

# A notebook carries the rules of its own section only: those that its tests name, and what builds on these.
for _name in ("finetuning", "masks", "properties", "queries", "reasons"):
    if importlib.util.find_spec(f"{__name__}.{_name}"):
        globals()[_name] = importlib.import_module(f".{_name}", __name__)


def teller(probe: str, world: dict) -> Teller | None:
    """Who answers what this probe asks while it runs; ``world``: what its section's probes work on. None if it asks nothing."""
    from .told import Teller

    return Teller(world["told"]["scores"]) if probe == "loop.observe" else None


def right_value(name: str, case: Any) -> np.ndarray | None:
    """A right answer of this name, on which the answer to the question of this case builds; None if there is none.

    ``query132``: (3,), in 1.4. Public cases have none.
    """
    return case.args[-1] if name == "query132" and len(case.args) == queries.WITH_REFERENCE else None


def wanted_weights(id: str, case: Any) -> np.ndarray | None:
    """The right attention weights, or the right mask, which the notebooks draw; None if the question is not about these."""
    if id.startswith("2.1."):
        return case.expected if id in ("2.1.attn_softmax", "2.1.make_causal_mask") else None
    return queries.wanted_weights(id) if id.startswith("1.") else None


def pictured(id: str) -> str:
    """What a picture shows that has ``wanted_weights`` beside it."""
    return "mask" if id == "2.1.make_causal_mask" else "attention weights"


def reason(id: str, value: Any, case: Any, context: dict[str, Any]) -> tuple[str, str] | None:
    """(concept, sentence) about a wrong value of section 1; None where nothing is known."""
    return reasons.reason(id, value, case, context) if id.startswith("1.") else None


def broken_property(id: str, case: Any, result: Any) -> str | None:
    """The property that a result of section 2.1 breaks, in words; None if it breaks none of those known."""
    return properties.broken(id, case, result) if id.startswith("2.1.") else None


def signature(id: str, value: Any, case: Any) -> np.ndarray | None:
    """What mistakes are recognised by, or None if it is the answer itself.

    1.2 and 1.3: the attention weights and the direction of each query, (7,) or (4, 7): many queries have the same weights. 1.4:
    the changed keys, because their effect depends on the student's own query too. Section 3: the symptoms of what a probe
    observed.
    """
    if id.startswith("3."):
        return finetuning.symptoms(id, value, case)
    if not id.startswith(("1.2", "1.3", "1.4")):
        return None
    array = np.asarray(value, dtype=np.float64)
    if id.startswith("1.4"):
        return array
    weights = weights_of(id, array, case)
    return None if weights is None else np.concatenate([weights, queries.direction(array)], axis=-1)


def weights_of(id: str, value: Any, case: Any) -> np.ndarray | None:
    """The attention weights of a query of 1.2 or 1.3, (4,) or (4, 4), which the notebooks draw; None of any other answer."""
    array = np.asarray(value, dtype=np.float64) if id.startswith(("1.2", "1.3")) else np.zeros(())
    return queries.weights(array, case.args[0]) if array.ndim and array.shape[-1] == 3 else None

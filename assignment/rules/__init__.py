"""Verdict rules of this assignment and their sentences; travels with the public checks.

Tests reach it as ``check.rules``. It imports the engine's checks, which the students' copy has under another name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import attention, finetuning
from .attention import wanted_weights

__all__ = ["attention", "finetuning", "signature", "wanted_weights"]


def signature(id: str, value: Any, case: Any) -> np.ndarray | None:
    """What an answer to section 1 does, for comparing mistakes: its attention weights, (4,) or (4, 4).

    For 1.4 the changed keys themselves: their effect depends on the student's own query too. For section 3 the symptoms of
    what a probe observed.
    """
    if id in finetuning.RULES:
        return finetuning.symptoms(id, value, case)
    if not id.startswith(("1.2", "1.3", "1.4")):
        return None
    array = np.asarray(value, dtype=np.float64)
    if id.startswith("1.4"):
        return array
    return attention.weights(array, case.args[0]) if array.ndim and array.shape[-1] == 3 else None

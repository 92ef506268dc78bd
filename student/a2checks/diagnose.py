"""Which known mistake is this? An answer is named only when exactly one mistake gives the same outputs everywhere.

Needs numpy only; the grader and the notebooks' check cells run the same code, on their own inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

CLOSE = 2e-4  # absolute and relative: the notebooks keep mistakes' outputs with four decimals


def outputs_of(answer: Any, cases: list, signature: Callable) -> list[np.ndarray | None]:
    """What the answer gives in each case: a function's outputs, a value's or an observation's signature; None for none."""
    found = []
    for case in cases:
        try:
            result = case.call(answer) if callable(answer) else signature(answer, case)
            result = signature(result, case) if isinstance(result, dict) else result  # what a probe observed
        except Exception:
            result = None
        found.append(result if isinstance(result, np.ndarray) and result.dtype.kind in "biuf" else None)
    return found


def mistake_of(outputs: list[np.ndarray | None], known: dict[str, list]) -> str:
    """The name of the one mistake that agrees with these outputs in every case; '' for none or several."""
    if not outputs or any(output is None for output in outputs):
        return ""
    agreeing = [
        name for name, expected in known.items() if len(expected) == len(outputs) and all(map(alike, outputs, expected))
    ]
    return agreeing[0] if len(agreeing) == 1 else ""


def alike(got: np.ndarray, known: np.ndarray | None) -> bool:
    """Same shape, same places of NaN and infinity, and numbers equal up to ``CLOSE``."""
    if known is None or got.shape != known.shape:
        return False
    a, b = got.astype(np.float64), known.astype(np.float64)
    return bool(np.allclose(a, b, rtol=CLOSE, atol=CLOSE, equal_nan=True))

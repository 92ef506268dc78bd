"""Recognises known mistakes: a mistake is named only if it is the only one with the same outputs in every case.

Needs numpy only: the grader and the check cells run the same code, each on its own inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .case import Case
from .compare import numeric, same

SAMPLE = 48  # numbers of a mistake's output that a notebook keeps
CLOSE = 2e-4  # absolute and relative: check cells store the outputs of mistakes with four decimals


def outputs_of(answer: Any, cases: list[Case], signature: Callable[[Any, Case], Any]) -> list[np.ndarray | None]:
    """The answer's output in each case, None where there is no numeric one.

    A function is called; of a value, or of what a probe observes, the ``signature`` is taken.
    """
    outputs: list[np.ndarray | None] = []
    for case in cases:
        try:
            result = case.call(answer) if callable(answer) else signature(answer, case)
            result = signature(result, case) if isinstance(result, dict) else result  # what a probe observed
        except Exception:
            result = None
        outputs.append(numeric(result))
    return outputs


def mistake_of(outputs: list[np.ndarray | None], known: dict[str, list[Any]]) -> str:
    """The name of the only mistake that agrees with these outputs in every case; '' if none or several do."""
    agreeing = mistakes_like(outputs, known)
    return agreeing[0] if len(agreeing) == 1 else ""


def mistakes_like(outputs: list[np.ndarray | None], known: dict[str, list[Any]]) -> list[str]:
    """The names of all mistakes that agree with these outputs in every case."""
    if not outputs or any(output is None for output in outputs):
        return []
    return [name for name, expected in known.items() if len(expected) == len(outputs) and all(map(alike, outputs, expected))]


def sampled(output: np.ndarray | None) -> Any:
    """What a notebook keeps of a mistake's output: all of a small one; of a large one, its shape and numbers spread over it."""
    if output is None or output.size <= SAMPLE:
        return output
    return {"shape": list(output.shape), "numbers": output.ravel()[spread(output.size)]}


def spread(size: int) -> np.ndarray:
    """``SAMPLE`` indexes below ``size``, (SAMPLE,) int64, the first and the last among them."""
    places: np.ndarray = np.linspace(0, size - 1, SAMPLE).round().astype(np.int64)
    return places


def alike(got: np.ndarray | None, known: Any) -> bool:
    """Whether both have the same shape, NaN and infinities in the same places, and numbers equal up to ``CLOSE``.

    ``known``: an array, or what ``sampled`` keeps of one.
    """
    if got is not None and isinstance(known, dict) and list(got.shape) == known["shape"]:
        got, known = got.ravel()[spread(got.size)], known["numbers"]
    return isinstance(known, np.ndarray) and same(got, known, CLOSE)

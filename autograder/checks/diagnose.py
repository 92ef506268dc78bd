"""Recognises known mistakes: a mistake is named only if it is the only one with the same outputs in every case.

Needs numpy only: the grader and the check cells run the same code, each on its own inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .case import Case
from .compare import Failure, is_blank, match, numbers_of, same
from .values import Map, unsendable

SAMPLE = 48  # numbers of a mistake's output that a notebook keeps
CLOSE = 2e-4  # absolute and relative: check cells store the outputs of mistakes with four decimals


def outputs_of(answer: Any, cases: list[Case], signature: Callable[[Any, Case], Any]) -> list[Any]:
    """The answer's output in each case, see ``output_of``; None where there is none.

    A function is called; of a value, or of what a probe observes, the ``signature`` is taken; text is its own.
    """
    outputs: list[Any] = []
    for case in cases:
        try:
            result = case.call(answer) if callable(answer) else signature(answer, case)
            if result is None and isinstance(answer, str):
                result = answer
            if isinstance(result, dict) and not isinstance(result, Map):
                result = signature(result, case)  # what a probe observed
        except Exception:
            result = None
        outputs.append(output_of(result))
    return outputs


def output_of(result: Any) -> Any:
    """What a result is recognised by: its numbers, or itself if it is text, or a list or dict with some; None otherwise."""
    numbers = numbers_of(result)
    if numbers is not None:
        return numbers
    whole = isinstance(result, (str, list, Map)) and not is_blank(result) and not unsendable(result)
    return result if whole and result else None


def mistakes_like(outputs: list[Any], known: dict[str, list[Any]]) -> list[str]:
    """The names of all mistakes that agree with these outputs in every case."""
    if not outputs or any(output is None for output in outputs):
        return []
    return [name for name, expected in known.items() if len(expected) == len(outputs) and all(map(alike, outputs, expected))]


def raising_like(outputs: list[Any], known: dict[str, list[Any]]) -> list[str]:
    """The names of all mistakes that raise in the same cases and agree with these outputs in the others.

    Different mistakes may raise in every case: it takes something else to tell which of these it is.
    """
    if all(output is not None for output in outputs):
        return []
    return [
        name
        for name, expected in known.items()
        if len(expected) == len(outputs) and all(a is b is None or alike(a, b) for a, b in zip(outputs, expected))
    ]


def sampled(output: Any) -> Any:
    """What a notebook keeps of a mistake's output: all of a small one; of a large one, its shape and numbers spread over it."""
    if not isinstance(output, np.ndarray) or output.size <= SAMPLE:
        return output
    return {"shape": list(output.shape), "numbers": output.ravel()[spread(output.size)]}


def spread(size: int) -> np.ndarray:
    """``SAMPLE`` indexes below ``size``, (SAMPLE,) int64, the first and the last among them."""
    places: np.ndarray = np.linspace(0, size - 1, SAMPLE).round().astype(np.int64)
    return places


def alike(got: Any, known: Any) -> bool:
    """Whether both have the same shape, NaN and infinities in the same places, and numbers equal up to ``CLOSE``.

    Of what is no array: whether both are the same texts and numbers. ``known``: an output, or what ``sampled`` keeps of one.
    """
    if not isinstance(got, np.ndarray):
        return got is not None and not isinstance(known, np.ndarray) and known is not None and _equal(got, known)
    if type(known) is dict and list(got.shape) == known["shape"]:
        got, known = got.ravel()[spread(got.size)], known["numbers"]
    return isinstance(known, np.ndarray) and same(got, known, CLOSE)


def _equal(got: Any, known: Any) -> bool:
    try:
        match(got, known, CLOSE, "the result")
    except Failure:
        return False
    return True

"""How a dataset's items and its ``collate_fn`` fit each other, and how the student's own code calls ``collate_fn``."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from dis import get_instructions
from inspect import signature
from itertools import pairwise
from typing import Any

FUNCTION = "collate_fn"


def conforms(item: Any) -> bool:
    """Whether an item has what the handout's examples have."""
    return hasattr(item, "text") and hasattr(item, "label")


def misfit(collate: Callable, samples: list, others: list[list]) -> str:
    """The exception that ``collate`` raises on a dataset's own samples while it accepts others; '' if there is none.

    ``others``: the same samples as the handout's examples and as dictionaries.
    """
    error = raised(collate, samples)
    return error if any(not raised(collate, other) for other in others) else ""


def raised(collate: Callable, samples: list) -> str:
    """The name of the exception that ``collate`` raises on these samples; '' if it raises none."""
    try:
        collate(samples)
    except Exception as error:
        return type(error).__name__
    return ""


def refused_by(namespace: dict) -> str:
    """Through what ``collate_fn`` cannot be called with a batch alone, of the ways in which the student's code refers to it.

    That is its class, as in the handout, unless their functions use an instance. '' if it can be called.
    """
    kind = namespace["SST2Dataset"]
    for through in used_through(namespace, kind.__name__):
        try:
            receiver = kind if through == "class" else object.__new__(kind)
            signature(getattr(receiver, FUNCTION)).bind([])
        except TypeError:
            return kind.__name__ if through == "class" else "dataset"
        except Exception:
            continue  # it has no signature: calling it will tell
    return ""


def accessible(namespace: dict, dataset: Any) -> Callable:
    """``collate_fn`` as the student's functions get it."""
    kind = namespace["SST2Dataset"]
    return getattr(kind if "class" in used_through(namespace, kind.__name__) else dataset, FUNCTION)


def used_through(namespace: dict, name: str) -> list[str]:
    """On what the notebook's functions look ``collate_fn`` up: "class", "instance" or both; "class" if none does."""
    found = set()
    for value in list(namespace.values()):
        if isinstance(value, types.FunctionType):
            for code in codes(value.__code__):
                for before, one in pairwise(get_instructions(code) if FUNCTION in code.co_names else ()):
                    if one.argval == FUNCTION and one.opname.startswith(("LOAD_ATTR", "LOAD_METHOD")):
                        found.add("class" if before.argval == name else "instance")
    return sorted(found) or ["class"]


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code of a function and of all functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)

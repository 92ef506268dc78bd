"""Which of a notebook's functions something else calls: seen while it runs, or as far as their code mentions them."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def called(functions: dict[str, Any]) -> Iterator[set[str]]:
    """Meanwhile, the names of those of these functions and classes that are called are collected."""
    owners = {code: name for name, value in functions.items() for code in codes_of(value)}
    found: set[str] = set()

    def watch(frame: types.FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in owners:
            found.add(owners[frame.f_code])

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield found
    finally:
        sys.setprofile(before)


def mentioned(start: str, names: dict[str, Any]) -> set[str]:
    """The names that a function of the notebook mentions, and that those of them mention which are functions or classes."""
    found, waiting = set[str](), [start]
    while waiting:
        for code in codes_of(names.get(waiting.pop())):
            new = set(code.co_names) - found
            found |= new
            waiting += new
    return found


def codes_of(value: Any) -> list[types.CodeType]:
    """The code of a function, or of the methods of a class, with that of the functions inside; none for anything else."""
    if isinstance(value, type):
        members = [getattr(member, "__func__", member) for member in vars(value).values()]
        return [code for member in members if not isinstance(member, type) for code in codes_of(member)]
    function = inspect.unwrap(value) if callable(value) else None
    return list(_with_inner(function.__code__)) if isinstance(function, types.FunctionType) else []


def _with_inner(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _with_inner(constant)

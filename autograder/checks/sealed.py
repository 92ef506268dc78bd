"""Functions that student code may call but not look into."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any


def sealed(function: Callable[..., Any], like: Any = None) -> Any:
    """The same function without attributes that lead to its code, its globals, its closure or the object it is bound to.

    A cache that keeps nothing is written in C and calls what it wraps directly. ``like``: whose signature it shows.
    """
    outside: Any = functools.lru_cache(maxsize=0)(function)
    name = getattr(like or function, "__name__", "function")
    vars(outside).clear()
    outside.__name__ = outside.__qualname__ = name
    if like is not None:
        outside.__signature__ = inspect.signature(like)
    return outside


def sealed_class(kind: type) -> type:
    """A decorator: seal the methods of a class whose objects student code gets."""
    for name, value in list(vars(kind).items()):
        if isinstance(value, types.FunctionType):
            setattr(kind, name, sealed(value))
        elif isinstance(value, property) and value.fget is not None:
            setattr(kind, name, property(sealed(value.fget)))
    return kind

"""Functions that student code may call but not look into."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

# What ``functools.lru_cache`` makes, without the functions on the way, which student code can replace.
sealing: Any = functools._lru_cache_wrapper
counts: Any = functools._CacheInfo
signature = inspect.signature
OF_FUNCTIONS = ("__code__", "__defaults__", "__kwdefaults__", "__annotations__", "__doc__", "__module__")


def sealed(function: Callable[..., Any], like: Any = None, instead: Any = None) -> Any:
    """The same function without attributes that lead to its code, its globals, its closure or the object it is bound to.

    A cache that keeps nothing is written in C and calls what it wraps directly. ``like``: whose name and signature it shows;
    ``instead``: the student's own function that it replaces, whose attributes, code and source it shows.
    """
    outside: Any = sealing(function, 0, False, counts)
    name = getattr(like or instead or function, "__name__", "function")
    outside.__name__ = outside.__qualname__ = name
    if like is not None:
        outside.__signature__ = signature(like)
    if instead is not None:
        vars(outside).update(getattr(instead, "__dict__", {}), __wrapped__=instead)
        if isinstance(instead, types.FunctionType):
            vars(outside).update({one: getattr(instead, one) for one in OF_FUNCTIONS})
    return outside


def sealed_class(kind: type) -> type:
    """A decorator: seal the methods of a class whose objects student code gets."""
    for name, value in list(vars(kind).items()):
        if isinstance(value, types.FunctionType):
            setattr(kind, name, sealed(value))
        elif isinstance(value, property) and value.fget is not None:
            setattr(kind, name, property(sealed(value.fget)))
    return kind

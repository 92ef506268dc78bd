"""Worker side: objects that stand in for what only displays or records, and do nothing in every way a program may ask.

They remember nothing that they are given. The real packages (those that are
small) would have to be kept from threads, locks, fonts and displays, and are not all there; this imports instantly.
"""

from __future__ import annotations

import contextlib
import operator
import sys
import types
from collections.abc import Callable, Iterator
from opcode import EXTENDED_ARG, opmap
from typing import Any

FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, type, staticmethod, classmethod, property)
SMALL = 1e-3  # not 0, which could not be divided by
ERRORS = ("Error", "Exception", "Warning")
NAMED: dict[str, Any] = {}  # name -> what stand-ins have under it, if that is more than nothing; see ``settings`` and ``bars``


def targets(frame: types.FrameType) -> int:
    """How many targets the instruction that this frame is at unpacks to (``a, (b, *c) = x``: 2, then 2); 0 if it is another."""
    code, place = frame.f_code.co_code, frame.f_lasti
    if not 0 <= place < len(code) - 1:
        return 0
    argument = code[place + 1]
    if code[place] == opmap["UNPACK_SEQUENCE"]:
        return argument
    if code[place] != opmap["UNPACK_EX"]:
        return 0
    after = code[place - 1] if place >= 2 and code[place - 2] == EXTENDED_ARG else 0
    return argument + after


class Inert:
    """Returns another of its kind for every attribute, call, item and computation; unpacks to any number of targets.

    A loop over it ends at once. As a decorator, with or without arguments, it returns what it decorates. As a number it is
    small, as a whole number 1, as a path the working folder.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return inert(name)

    def __setattr__(self, name: str, value: Any) -> None:
        pass

    def __delattr__(self, name: str) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return args[0] if len(args) == 1 and isinstance(args[0], FUNCTIONS) else Inert()

    def __iter__(self) -> Iterator[Any]:
        return iter([Inert() for _ in range(targets(sys._getframe(1)))])

    def __next__(self) -> Any:
        return Inert()

    def __len__(self) -> int:
        return 1

    def __bool__(self) -> bool:
        return True

    def __contains__(self, item: object) -> bool:
        return False

    def __getitem__(self, key: Any) -> Any:
        return Inert()

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __delitem__(self, key: Any) -> None:
        pass

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __float__(self) -> float:
        return SMALL

    def __complex__(self) -> complex:
        return complex(SMALL)

    def __int__(self) -> int:
        return 1

    __index__ = __int__

    def __fspath__(self) -> str:
        return "."

    __str__ = __repr__ = __fspath__

    def __format__(self, spec: str) -> str:
        """A text for any format specification."""
        for value in (SMALL, 1, str(self)) if spec else (str(self),):
            with contextlib.suppress(ValueError):
                return format(value, spec)
        return str(self)

    def __array__(self, *_: Any, **__: Any) -> Any:
        import numpy as np

        array = np.empty(1, dtype=object)
        array[0] = self
        return array

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (Base,)

    def __instancecheck__(self, instance: object) -> bool:
        return True

    def __subclasscheck__(self, kind: type) -> bool:
        return False

    def __reduce__(self) -> Any:
        return Inert, ()

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


def _computed(compute: Callable[..., Any], reflected: bool = False) -> Callable[..., Any]:
    """An operator: nothing comes of it, but with a tensor (a loss times a weight) a tensor, and of two texts a text."""

    def computed(self: Any, *others: Any) -> Any:
        for other in others[:1]:
            if hasattr(type(other), "__torch_function__"):
                return compute(other, SMALL) if reflected else compute(SMALL, other)
            if isinstance(other, str) and compute is operator.add:
                return other + str(self) if reflected else str(self) + other
        return Inert()

    return computed


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(self: Any, other: Any) -> bool:
        try:
            return compare(SMALL, float(other))
        except (TypeError, ValueError):
            return False

    return compared


BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and_", "or_", "xor", "lshift", "rshift")
for _name in BINARY:
    setattr(Inert, f"__{_name.rstrip('_')}__", _computed(getattr(operator, _name)))
    setattr(Inert, f"__r{_name.rstrip('_')}__", _computed(getattr(operator, _name), reflected=True))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(Inert, f"__{_name}__", _computed(getattr(operator, _name)))
for _name in ("round", "floor", "ceil", "trunc"):
    setattr(Inert, f"__{_name}__", lambda *_: Inert())
for _name in ("lt", "le", "gt", "ge"):
    setattr(Inert, f"__{_name}__", _compared(getattr(operator, _name)))


class Base:
    """What a class inherits from that has a stand-in as its base: it takes any arguments and has every attribute."""

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return inert(name)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def inert(name: str) -> Any:
    """What a stand-in has under this name: a loop, an exception that nobody raises, or another stand-in."""
    if name in NAMED:
        return NAMED[name]
    if name.endswith(ERRORS):
        return type(name, (Warning if name.endswith("Warning") else Exception,), {})
    return Inert()

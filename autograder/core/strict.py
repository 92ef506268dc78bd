"""Tables that staff write, made into dataclasses: what nobody reads is refused, with its place and the nearest known name."""

from __future__ import annotations

import difflib
import functools
import typing
from collections.abc import Iterable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

from autograder.core.errors import GraderError
from autograder.core.text import clean, reason
from autograder.core.toml import tomllib

T = TypeVar("T")
LARGEST = 1e15  # of any number that staff write
WORDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a tree; raises GraderError, one line, where it is missing or not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise GraderError(f"cannot use {clean(str(path), 200)}: {clean(reason(error), 160)}") from None
    except (ValueError, RecursionError) as error:
        raise GraderError(f"cannot use {clean(str(path), 200)}: it is not valid TOML: {clean(str(error), 160)}") from None


def build(kind: type[T], table: Any, where: str, **given: Any) -> T:
    """An object of the dataclass ``kind`` from a table; ``given`` fields are made elsewhere, whatever the table says of them.

    Raises GraderError for an unknown key, a missing one, or a value of another type; ``where`` begins its text.
    """
    if not isinstance(table, dict):
        raise GraderError(f"{where}: expected a table, not {clean(repr(table))}")
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]  # T is a dataclass; typing has no word for that
    for key in table:
        if key not in known:
            raise GraderError(f"{where}: unknown key {clean(key)!r}{nearest(key, known)}")
    for name, f in known.items():
        if name not in table and name not in given and f.default is MISSING and f.default_factory is MISSING:
            raise GraderError(f"{where}: the key {name!r} is missing")
    hints = _hints(kind)
    read = {key: typed(hints[key], value, f"{where}: {key}") for key, value in table.items() if key not in given}
    return kind(**read, **given)


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def typed(hint: Any, value: Any, where: str) -> Any:
    """The value as a field of this type takes it: lists become tuples, whole numbers floats. Raises GraderError."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and isinstance(value, list):
        return tuple(typed(inner[0], item, where) for item in value)
    if origin is dict and isinstance(value, dict):
        return {key: typed(inner[1], item, f"{where}.{clean(key)}") for key, item in value.items()}
    if hint is float and type(value) in (int, float) and -LARGEST <= value <= LARGEST:
        return float(value)
    if origin is None and hint is not float and type(value) is hint:
        return value
    word = {tuple: "a list", dict: "a table"}.get(origin) or WORDS.get(hint, "something else")
    raise GraderError(f"{where} should be {word}, not {clean(repr(value))}")


def listed(tree: dict[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    """The tables ``[[key]]``; raises GraderError where it is something else."""
    found = tree.get(key, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise GraderError(f"{where}: {key} should be written as [[{key}]]")
    return found


def refuse_unknown(given: Iterable[str], known: Iterable[str], where: str, what: str) -> None:
    """Raise GraderError for the first name that is none of the known ones."""
    known = list(known)
    for name in given:
        if name not in known:
            raise GraderError(f"{where}: no {what} {clean(str(name))!r}{nearest(str(name), known)}")


def refuse_twice(names: Iterable[str], where: str, what: str) -> None:
    """Raise GraderError for the first name that stands there twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise GraderError(f"{where}: {what} {clean(name)} occurs twice")
        seen.add(name)


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'value'?``, or the first known names where none is near."""
    known = list(known)
    close = difflib.get_close_matches(name, known, 1, 0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(known[:12])}{', …' if len(known) > 12 else ''}" if known else "; there are none"

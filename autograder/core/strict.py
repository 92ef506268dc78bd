"""TOML tables written by staff -> dataclasses. Unknown keys are rejected with their location and the nearest known name."""

from __future__ import annotations

import difflib
import functools
import re
import typing
from collections.abc import Iterable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from autograder.core.errors import GraderError
from autograder.core.files import read_capped
from autograder.core.text import clean, reason
from autograder.core.toml import tomllib

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
MAX_BYTES = 8 << 20  # of a file
LARGEST = 1e15  # largest number accepted in a table
WORDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file; raises GraderError, one line, if it is missing or not valid TOML."""
    try:
        tree: dict[str, Any] = tomllib.loads(read_capped(path, MAX_BYTES).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise GraderError(f"cannot use {clean(str(path), 200)}: it is not in UTF-8; save it as a text file in UTF-8") from None
    except OSError as error:
        raise GraderError(f"cannot use {clean(str(path), 200)}: {clean(reason(error), 160)}") from None
    except (ValueError, RecursionError) as error:
        raise GraderError(f"cannot use {clean(str(path), 200)}: it is not valid TOML: {_in_plain_words(error)}") from None
    return tree


def _in_plain_words(error: Exception) -> str:
    """What the parser says, in other words where its own are about Python."""
    text = re.sub(r"Cannot (overwrite a value|declare .* twice)", "a name or a table is given twice", str(error))
    return clean(text.replace("Unterminated string", "a text has no closing quote"), 160)


def build(kind: type[T], table: Any, where: str, not_keys: tuple[str, ...] = (), **given: Any) -> T:
    """Create a dataclass of type ``kind`` from a table; fields in ``given`` override the table.

    ``not_keys``: fields that a table cannot set.

    Raises GraderError for an unknown key, a missing key or a value of the wrong type; its message begins with ``where``.
    """
    if not isinstance(table, dict):
        raise GraderError(f"{where}: expected a table, not {clean(repr(table))}")
    known = {f.name: f for f in fields(kind) if f.name not in not_keys}
    _refuse_keys(table, list(known), where)
    for name, f in known.items():
        if name not in table and name not in given and f.default is MISSING and f.default_factory is MISSING:
            raise GraderError(f"{where}: the key {name!r} is missing")
    hints = _hints(kind)
    read = {key: typed(hints[key], value, f"{where}: {key}") for key, value in table.items() if key not in given}
    return kind(**read, **given)


def refuse_keys(kind: type[T], table: dict[str, Any], where: str, not_keys: tuple[str, ...] = ()) -> None:
    """Raise GraderError for a key that is no field of ``kind``: to be told before a key that is missing because of it."""
    _refuse_keys(table, [f.name for f in fields(kind) if f.name not in not_keys], where)


def _refuse_keys(table: dict[str, Any], known: list[str], where: str) -> None:
    for key in table:
        if key not in known:
            hint = nearest(key, [name for name in known if name not in table])
            raise GraderError(f"{where}: unknown key {clean(key)!r}{hint}")


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def typed(hint: Any, value: Any, where: str) -> Any:
    """The value converted to a field's type: lists become tuples, integers floats. Raises GraderError if it does not fit."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and isinstance(value, list):
        return tuple(typed(inner[0], item, where) for item in value)
    if origin is dict and isinstance(value, dict):
        return {key: typed(inner[1], item, f"{where}.{clean(key)}") for key, item in value.items()}
    if hint is float:
        if _is_number(value):
            return float(value)
    elif origin is None and type(value) is hint:
        return value
    word = {tuple: "a list", dict: "a table"}.get(origin) or WORDS.get(hint, "something else")
    raise GraderError(f"{where} should be {word}, not {clean(repr(value))}")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and bool(-LARGEST <= value <= LARGEST)


def listed(tree: dict[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    """The array of tables ``[[key]]``; raises GraderError if it is anything else."""
    tables = tree.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(entry, dict) for entry in tables):
        raise GraderError(f"{where}: {key} should be written as [[{key}]]")
    return tables


def refuse_unknown(
    given: Iterable[str], known: Iterable[str], where: str, what: str, fitting: Iterable[str] | None = None
) -> None:
    """Raise GraderError for the first given name that is not a known one.

    ``fitting``: the names to suggest in its place, those that would be right there; known ones that are not given already,
    unless the caller knows better.
    """
    given, known = list(given), list(known)
    for name in given:
        if name not in known:
            suggested = [other for other in known if other not in given] if fitting is None else list(fitting)
            hint = nearest(str(name), suggested) if suggested or not known else ""
            raise GraderError(f"{where}: no {what} {clean(str(name))!r}{hint}")


def refuse_twice(names: Iterable[str], where: str, what: str) -> None:
    """Raise GraderError for the first duplicate name, with the numbers of both."""
    names = list(names)
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise GraderError(f"{where}: {what} {clean(name)} occurs twice{_places(names, name)}")
        seen.add(name)


def _places(names: list[str], name: str) -> str:
    first, second, *_ = [number for number, other in enumerate(names, 1) if other == name]
    return f": number {first} and number {second}"


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'value'?``, or the first few known names if none is close."""
    known = list(known)
    close = difflib.get_close_matches(name, known, 1, 0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(known[:12])}{', …' if len(known) > 12 else ''}" if known else "; there are none"

"""A submitted file as cells: what the readers of all formats return."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["Cell", "Document", "Unreadable", "outdented", "parse", "parses", "unparse"]


class Unreadable(Exception):
    """The file cannot be read at all; the message tells its author why."""


@dataclass(frozen=True)
class Cell:
    """One cell. ``line`` is the number of lines before it in the file (0 in a notebook, where each cell starts at line 1)."""

    kind: str
    source: str
    line: int = 0


@dataclass
class Document:
    """A submitted file as cells. ``numbered``: whether its locations are given by cell number.

    ``parts``: of several files that are read as one, (index of its first cell, name, numbered) of each.
    """

    name: str
    cells: list[Cell]
    format: str
    numbered: bool = False
    notes: list[str] = field(default_factory=list)
    parts: tuple[tuple[int, str, bool], ...] = ()

    def place(self, cell: int, line: int) -> str:
        """The location of a statement, by cell and line or by line only, depending on the format."""
        first, name, numbered = max((part for part in self.parts if part[0] <= cell), default=(0, "", self.numbered))
        place = f"cell {cell - first + 1}, line {line}" if numbered else f"line {line}"
        return f"{place} of {name}" if name else place


def parses(source: str) -> bool:
    """Whether Python can parse this; never raises."""
    return parse(source) is not None


def parse(source: str) -> ast.Module | None:
    """``ast.parse`` that returns None instead of raising, even for hostile nesting."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def unparse(node: ast.AST) -> str | None:
    """``ast.unparse`` that returns None instead of raising, for trees too deep or with numbers too long to be written."""
    try:
        return ast.unparse(node)
    except (ValueError, RecursionError):
        return None


def outdented(lines: Iterable[str], indent: int) -> str:
    """The lines without so many columns of indentation; those that have less, as in a string, without what they have."""
    return "\n".join(line[min(indent, len(line) - len(line.lstrip())) :] for line in lines)

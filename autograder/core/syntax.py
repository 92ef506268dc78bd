"""Walks syntax trees of untrusted code: quickly, and without recursion."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from typing import Any

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINED = (*FUNCTIONS, ast.ClassDef)
WITHOUT_NODES = frozenset("ctx id attr arg asname level module type_comment kind conversion simple is_async".split())


def walk(node: ast.AST) -> list[ast.AST]:
    """All nodes of a tree, level by level, as ``ast.walk`` yields them, but sooner."""
    nodes = [node]
    for item in nodes:  # the list grows
        nodes += children(item)
    return nodes


def walk_with_parents(node: ast.AST) -> tuple[list[ast.AST], dict[int, ast.AST]]:
    """The same nodes, and what each is in: ``id(node)`` -> its parent."""
    nodes, parents = [node], dict[int, ast.AST]()
    for item in nodes:  # the list grows
        inside = children(item)
        nodes += inside
        for part in inside:
            parents[id(part)] = item
    return nodes, parents


def children(node: ast.AST) -> list[ast.AST]:
    """What ``ast.iter_child_nodes`` yields, sooner, and without the mark of a name that is read, set or deleted."""
    found, kind = [], ast.AST
    for name in fields_with_nodes(node.__class__):
        value = getattr(node, name, None)
        if isinstance(value, kind):
            found.append(value)
        elif value.__class__ is list:
            found += [part for part in value if isinstance(part, kind)]
    return found


def fields_with_nodes(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of this kind of node in which others may be; in the left out ones there are texts, numbers and marks."""
    if kind not in _FIELDS:
        _FIELDS[kind] = tuple(name for name in kind._fields if name not in WITHOUT_NODES)
    return _FIELDS[kind]


_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {ast.Constant: ()}


def stored(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that these nodes give a value."""
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


@functools.lru_cache
def bound_by(source: str, imports: bool = True) -> frozenset[str]:
    """The names that a piece of our own code binds at its top level, with or without those that it imports."""
    names = set[str]()
    for node in ast.parse(source).body:
        if isinstance(node, DEFINED):
            names.add(node.name)
        else:
            parts = walk(node)
            taken = [part for part in parts if imports and isinstance(part, (ast.Import, ast.ImportFrom))]
            names |= stored(parts) | {alias.asname or alias.name.split(".")[0] for part in taken for alias in part.names}
    return frozenset(names)


def first_line(node: Any) -> int:
    """The first line of a statement: that of its first decorator, if it has one."""
    lines: list[int] = [node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))]
    return min(lines)


def shape(node: ast.AST, otherwise: str) -> str:
    """A tree without layout and comments; ``otherwise`` if it cannot be written: nested too deeply, or with a huge number."""
    try:
        return ast.dump(node)
    except (RecursionError, ValueError):
        return otherwise


def is_deep(node: ast.AST, limit: int) -> bool:
    """Whether a tree has over ``limit`` levels."""
    level, depth = [node], 0
    while level and depth <= limit:
        level, depth = [part for item in level for part in children(item)], depth + 1
    return bool(level)

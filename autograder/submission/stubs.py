"""How much of each answer is filled in. What the handout gives as a stub is no answer, whoever hands it in."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable
from fractions import Fraction
from typing import Any

from autograder.core.syntax import DEFINED, FUNCTIONS, shape, stored
from autograder.submission.statements import Statement

LOOPS = (ast.For, ast.AsyncFor, ast.While)


def bound_names(statement: Statement) -> set[str]:
    """The names that a statement gives a value, imports aside."""
    return {statement.node.name} if hasattr(statement.node, "name") else statement.stores


def all_bound(statements: Iterable[Statement]) -> set[str]:
    """The names that any of these statements gives a value."""
    return {name for statement in statements for name in bound_names(statement)}


def set_names(statement: Statement) -> set[str]:
    """These names, and those of which it changes a part: ``m_key[2] = …`` or ``m_key.mul_(2)``."""
    names, node = bound_names(statement), statement.node
    if hasattr(node, "name"):
        return names
    changed: list[Any] = [n for n in statement.nodes if isinstance(getattr(n, "ctx", None), ast.Store)]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        changed.append(node.value.func)
    return names | {owner for one in changed if (owner := _owner(one))}


def _owner(node: Any) -> str:
    """``m_key`` of ``m_key.data[2]``."""
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def imported_names(statement: Statement, without: Collection[str] = ()) -> set[str]:
    """The names under which a statement imports something from a module, unless that is one of ``without``."""
    node = statement.node
    if isinstance(node, ast.ImportFrom) and (node.module or "") not in without:
        return {alias.asname or alias.name for alias in node.names}
    return set()


def share(statement: Statement, entry: bool) -> Fraction:
    """How much a statement fills in: a class the share of its functions that do anything, anything else all or nothing.

    ``entry``: the handout gives a beginning of this function, so that only a loop shows work.
    """
    node = statement.node
    if entry and isinstance(node, FUNCTIONS):
        return Fraction(any(isinstance(part, LOOPS) for part in statement.nodes))
    functions = [part for part in node.body if isinstance(part, FUNCTIONS)] if isinstance(node, ast.ClassDef) else []
    if functions:
        return Fraction(sum(map(_works, functions)), len(functions))
    return Fraction(_works(node))


def _works(node: Any) -> bool:
    """Whether a function, a class or a statement does anything."""
    try:
        return not _idle(node.body if isinstance(node, DEFINED) else [node], set())
    except RecursionError:  # no stub is so deep
        return True


def _idle(body: list[ast.stmt], blank: set[str]) -> bool:
    return all(_does_nothing(part, blank) for part in body)


def _does_nothing(node: Any, blank: set[str]) -> bool:
    """Whether a stub holds this: a docstring, ``pass``, ``x = None``, ``return x``, ``NotImplementedError``, a loop of these.

    ``blank``: names that have no value but None so far; those that this statement binds so are added.
    """
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Return)):
        empty = node.value is None or _is_blank(node.value, blank)
        if empty:
            blank |= stored(ast.walk(node))
        return empty
    if isinstance(node, ast.Raise) and node.exc is not None:
        return "NotImplementedError" in shape(node.exc, "")
    if isinstance(node, (*LOOPS, ast.If, ast.With, ast.AsyncWith)):
        return _idle([*node.body, *getattr(node, "orelse", [])], blank)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _is_blank(value: ast.expr, blank: set[str]) -> bool:
    if isinstance(value, ast.Tuple):
        return all(_is_blank(part, blank) for part in value.elts)
    if isinstance(value, ast.Name):
        return value.id in blank
    return isinstance(value, ast.Constant) and value.value in (None, ...)

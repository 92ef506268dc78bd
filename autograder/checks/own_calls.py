"""How a student's own code calls one of their functions: the calls, as source, with what has to run before each."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TypeGuard

from .document import parse, unparse

SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Import, ast.ImportFrom)
MAX_CALLS, MAX_SOURCE = 8, 4000  # characters of one call and what comes before it
MAX_TRIED = 64  # calls looked at: those with more source than that do not count, but take time


def calls_of(name: str, statements: Iterable[ast.stmt]) -> list[tuple[str, str]]:
    """Pairs (before, call) of source: assignments and imports that precede the call in its own block, and the call itself.

    The function's own definition is left out. At the top level nothing precedes: those statements run anyway.
    """
    found: list[tuple[str, str]] = []
    tried = 0
    for statement in statements:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and statement.name == name:
            continue
        if not any(_is_call(node, name) for node in ast.walk(statement)):
            continue
        try:
            for before, call in _calls(statement, name, []):
                tried += 1
                if (pair := _sources(before, call)) is not None:
                    found.append(pair)
                if len(found) == MAX_CALLS or tried == MAX_TRIED:
                    return found
        except RecursionError:  # nested too deeply to be looked at
            continue
    return found


def _sources(before: list[ast.stmt], call: ast.Call) -> tuple[str, str] | None:
    """The source of what precedes a call, and of the call; None if they are too long or cannot be written."""
    lines: list[str] = []
    left = MAX_SOURCE
    for node in [call, *before]:
        text = unparse(node)
        left -= len(text or "") + (len(lines) > 1)
        if text is None or left < 0:
            return None
        lines.append(text)
    return "\n".join(lines[1:]), lines[0]


def names_in(pairs: list[tuple[str, str]]) -> set[str]:
    """The names that such calls read."""
    trees = [parse(source) for pair in pairs for source in pair]
    nodes = [node for tree in trees if tree is not None for node in ast.walk(tree)]
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _calls(statement: ast.stmt, name: str, before: list[ast.stmt]) -> Iterator[tuple[list[ast.stmt], ast.Call]]:
    """The calls in one statement, those in its blocks included; ``before``: what precedes it in its own block."""
    blocks = list(_blocks(statement))
    inside = {id(node) for block in blocks for inner in block for node in ast.walk(inner)}
    for node in ast.walk(statement):
        if id(node) not in inside and _is_call(node, name):
            yield [*before, *_rounds_around(statement, node)], node
    for block in blocks:
        preceding = [*before, *_first_round(statement)]
        for inner in block:
            yield from _calls(inner, name, list(preceding))
            preceding += [inner] if isinstance(inner, SIMPLE) else []


def _is_call(node: ast.AST, name: str) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _rounds_around(statement: ast.stmt, call: ast.Call) -> list[ast.stmt]:
    """The assignments that comprehensions around a call begin with."""
    return [
        assignment
        for node in ast.walk(statement)
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp))
        and any(inner is call for inner in ast.walk(node))
        for generator in node.generators
        for assignment in _first_round(generator)
    ]


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The lists of statements directly inside a compound statement."""
    for owner in (statement, *getattr(statement, "handlers", []), *getattr(statement, "cases", [])):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(owner, field, None)
            if isinstance(block, list):
                yield block


def _first_round(loop: ast.AST) -> list[ast.stmt]:
    """The assignment that a ``for`` begins with; nothing for any other statement."""
    if not isinstance(loop, (ast.For, ast.comprehension)):
        return []
    tree = parse(f"{unparse(loop.target)} = next(iter({unparse(loop.iter)}))")
    return tree.body if tree is not None else []

"""Helpers of one name in two files that are read as one: each file keeps its own, under a name of its own."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from autograder.checks.formats import parse
from autograder.core.syntax import shape, walk
from autograder.submission.statements import Parsed, Statement
from autograder.submission.stubs import FUNCTIONS


def told_apart(parts: list[Parsed], answers: Collection[str]) -> list[Parsed]:
    """The parts, preferred ones first, with other names for the functions that an earlier one defines differently.

    A function is left alone if its name is an answer's, or is used in its file for anything else.
    """
    apart, taken = list[Parsed](), dict[str, str]()
    for number, part in enumerate(parts):
        own = {s.node.name: shape(s.node, s.code) for s in part.statements if isinstance(s.node, FUNCTIONS)}
        clashing = {name for name, it in own.items() if taken.get(name, it) != it}.difference(answers)
        safe = _only_called(clashing, part.statements) if clashing else set()
        names = {name: f"{name}_of_file_{number + 1}" for name in safe}
        apart.append(replace(part, statements=[_renamed(s, names) for s in part.statements]) if names else part)
        taken |= {name: it for name, it in own.items() if name not in taken}
    return apart


def _only_called(names: set[str], statements: list[Statement]) -> set[str]:
    """Those of the names that are only read, but where one function of the name is defined."""
    defined, otherwise = Counter[str](), set[str]()
    for node in (node for statement in statements for node in statement.nodes):
        if name := getattr(node, "name", None):
            defined[str(name)] += 1
        otherwise |= _used_otherwise(node)
    return {name for name in names if defined[name] == 1} - otherwise


def _used_otherwise(node: ast.AST) -> set[str]:
    """The names to which this gives a meaning, or that are in an f-string, whose places Python before 3.12 does not know."""
    if isinstance(node, ast.Name):
        return set() if isinstance(node.ctx, ast.Load) else {node.id}
    if isinstance(node, ast.JoinedStr):
        return {part.id for part in walk(node) if isinstance(part, ast.Name)}
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return set(node.names)
    return {name for name in (getattr(node, "arg", None), getattr(node, "asname", None)) if name}


def _renamed(statement: Statement, names: dict[str, str]) -> Statement:
    """A statement with other names, in as many lines."""
    tree = parse(statement.code) if names.keys() & _names_in(statement) else None
    if tree is None:
        return statement
    lines = [line.encode() for line in statement.code.split("\n")]
    places = [place for node in walk(tree) if (place := _place(node, names, lines))]
    for line, column, name in sorted(places, reverse=True):
        lines[line] = lines[line][:column] + names[name].encode() + lines[line][column + len(name.encode()) :]
    code = b"\n".join(lines).decode()
    changed = parse(code)
    if not places or changed is None or len(changed.body) != 1:
        return statement
    node = changed.body[0]
    return replace(statement, code=code, node=ast.increment_lineno(node, statement.node.lineno - node.lineno))


def _names_in(statement: Statement) -> set[str]:
    return {getattr(node, "id", getattr(node, "name", "")) or "" for node in statement.nodes}


def _place(node: ast.AST, names: dict[str, str], lines: list[bytes]) -> tuple[int, int, str] | None:
    """(line, column in bytes, name) of a name to be changed."""
    if isinstance(node, ast.Name) and node.id in names:
        return node.lineno - 1, node.col_offset, node.id
    if isinstance(node, FUNCTIONS) and node.name in names:
        column = lines[node.lineno - 1].find(node.name.encode(), node.col_offset + len("def"))
        return (node.lineno - 1, column, node.name) if column >= 0 else None
    return None

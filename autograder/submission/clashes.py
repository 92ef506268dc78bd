"""Helpers of one name in two files that are read as one: each file keeps its own, under a name of its own."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import replace

from autograder.checks.formats import parse
from autograder.core.syntax import shape, walk
from autograder.submission.statements import Parsed, Statement

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def told_apart(parts: list[Parsed], answers: Collection[str]) -> list[Parsed]:
    """The parts, preferred ones first, with other names for the functions that an earlier one defines differently.

    A function is left alone if its name is an answer's, or is used in its file for anything else.
    """
    apart, taken = list[Parsed](), dict[str, str]()
    for number, part in enumerate(parts):
        own = {s.node.name: shape(s.node, s.code) for s in part.statements if isinstance(s.node, FUNCTIONS)}
        clashing = {name for name, it in own.items() if taken.get(name, it) != it}.difference(answers)
        names = {name: f"{name}_of_file_{number + 1}" for name in clashing if _only_called(name, part.statements)}
        apart.append(replace(part, statements=[_renamed(s, names) for s in part.statements]) if names else part)
        taken |= {name: it for name, it in own.items() if name not in taken}
    return apart


def _only_called(name: str, statements: list[Statement]) -> bool:
    """Whether a name is only read, but where one function of this name is defined."""
    nodes = [node for statement in statements for node in statement.nodes]
    defined = sum(getattr(node, "name", "") == name for node in nodes)
    return defined == 1 and not any(_used_otherwise(node, name) for node in nodes)


def _used_otherwise(node: ast.AST, name: str) -> bool:
    """Whether this gives the name a meaning, or has it in an f-string, where before Python 3.12 its place is unknown."""
    if isinstance(node, ast.Name):
        return node.id == name and not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.Name) and part.id == name for part in walk(node))
    return name in (getattr(node, "arg", ""), getattr(node, "asname", ""), *getattr(node, "names", ()))


def _renamed(statement: Statement, names: dict[str, str]) -> Statement:
    """A statement with other names, in as many lines."""
    tree = parse(statement.code) if any(name in statement.code for name in names) else None
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


def _place(node: ast.AST, names: dict[str, str], lines: list[bytes]) -> tuple[int, int, str] | None:
    """(line, column in bytes, name) of a name to be changed."""
    if isinstance(node, ast.Name) and node.id in names:
        return node.lineno - 1, node.col_offset, node.id
    if isinstance(node, FUNCTIONS) and node.name in names:
        column = lines[node.lineno - 1].find(node.name.encode(), node.col_offset + len("def"))
        return (node.lineno - 1, column, node.name) if column >= 0 else None
    return None

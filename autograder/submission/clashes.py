"""Helpers of one name in two files that are read as one: each file keeps its own, under a name of its own."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from autograder.checks.formats import parse, unparse
from autograder.core.syntax import FUNCTIONS, shape, walk
from autograder.submission.statements import Parsed, Statement

OWN = re.compile(r"__of_file_[0-9]{1,2}__\b")
HEAD = re.compile(rb"(?:async[ \t]+)?def[ \t]+")
Names = Mapping[str, str]


def as_written(text: str) -> str:
    """A text about a student's code, such as Python's message about a call, with the names that it has there."""
    return OWN.sub("", text)


def told_apart(parts: list[Parsed], answers: Collection[str], borrowed: Sequence[Mapping[str, int]]) -> list[Parsed]:
    """The parts, preferred ones first, with other names for what an earlier one defines or imports differently.

    ``borrowed``: for each part the names that it imports from others, and the number of the part that each is from. A function
    is left alone if its name is an answer's, or is used in its file for anything else.
    """
    names = _own_names(parts, answers)
    for number, others in [*enumerate(borrowed)] * len(parts):  # a part may pass on what it has borrowed itself
        taken = {name: names[other][name] for name, other in others.items() if name in names[other]}
        names[number] |= {name: taken[name] for name in _only_called(taken, parts[number].statements, 0)}
    return [_with(part, own) for part, own in zip(parts, names)]


def _own_names(parts: list[Parsed], answers: Collection[str]) -> list[dict[str, str]]:
    """For each part: name of what an earlier one has differently -> its new name."""
    found, taken = list[dict[str, str]](), dict[str, str]()
    for number, part in enumerate(parts):
        own = {name: shape(s.node, s.code) for s in part.statements if (name := _binds(s.node))}
        clashing = {name for name, it in own.items() if taken.get(name, it) != it}.difference(answers)
        found.append({name: f"{name}__of_file_{number + 1}__" for name in _only_called(clashing, part.statements, 1)})
        taken |= {name: it for name, it in own.items() if name not in taken}
    return found


def _with(part: Parsed, names: Names) -> Parsed:
    return replace(part, statements=[_renamed(s, names) for s in part.statements]) if names else part


def _binds(node: ast.AST) -> str:
    """The name of a function, or under which one thing is imported from a module as it is called there; '' for the rest."""
    if isinstance(node, ast.ImportFrom) and len(node.names) == 1 and not node.names[0].asname:
        return node.names[0].name.replace("*", "")
    return node.name if isinstance(node, FUNCTIONS) else ""


def _only_called(names: Collection[str], statements: list[Statement], definitions: int) -> set[str]:
    """Those of the names that are only read, but where so many functions of the name are defined, and can all be replaced."""
    defined, otherwise = Counter[str](), set[str]()
    for statement in statements if names else ():
        for node in statement.nodes:
            if name := getattr(node, "name", None):
                defined[str(name)] += 1
            otherwise |= _used_otherwise(node)
        otherwise |= _hidden(statement, names)
    return {name for name in names if defined[name] == definitions} - otherwise


def _used_otherwise(node: ast.AST) -> set[str]:
    """The names to which this gives a meaning, or that are in an f-string, whose places Python before 3.12 does not know."""
    if isinstance(node, ast.Name):
        return set() if isinstance(node.ctx, ast.Load) else {node.id}
    if isinstance(node, ast.JoinedStr):
        return {part.id for part in walk(node) if isinstance(part, ast.Name)}
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return set(node.names)
    return {name for name in (getattr(node, "arg", None), getattr(node, "asname", None)) if name}


def _hidden(statement: Statement, names: Collection[str]) -> set[str]:
    """Those of the names that do not stand in a statement's text as they are, such as ``µ``, which Python reads as ``μ``."""
    return {name for name, place in _found(statement, names)[1] if place is None}


def _renamed(statement: Statement, names: Names) -> Statement:
    """A statement with other names, in as many lines."""
    if isinstance(statement.node, ast.ImportFrom) and (new := names.get(_binds(statement.node))):
        code = f"{unparse(statement.node)} as {new}"
        return replace(statement, code=code, node=ast.increment_lineno(ast.parse(code).body[0], statement.node.lineno - 1))
    lines, found = _found(statement, names)
    places = [(*place, name) for name, place in found if place]
    for line, column, name in sorted(places, reverse=True):
        lines[line] = lines[line][:column] + names[name].encode() + lines[line][column + len(name.encode()) :]
    code = b"\n".join(lines).decode()
    changed = parse(code)
    if not places or changed is None or len(changed.body) != 1:
        return statement
    node = changed.body[0]
    return replace(statement, code=code, node=ast.increment_lineno(node, statement.node.lineno - node.lineno))


def _found(statement: Statement, names: Collection[str]) -> tuple[list[bytes], list[tuple[str, tuple[int, int] | None]]]:
    """The lines of a statement, and where each of the names is in them: see ``_place``; nowhere if it does not parse again."""
    lines, held = [line.encode() for line in statement.code.split("\n")], {_name_of(node) for node in statement.nodes}
    if held.isdisjoint(names):
        return lines, []
    if (tree := parse(statement.code)) is None:
        return lines, [(name, None) for name in names]
    return lines, [(name, _place(node, lines)) for node in walk(tree) if (name := _name_of(node)) in names]


def _name_of(node: ast.AST) -> str:
    """The name that is read here, or under which a function is defined here; '' for any other node."""
    return node.id if isinstance(node, ast.Name) else node.name if isinstance(node, FUNCTIONS) else ""


def _place(node: ast.AST, lines: list[bytes]) -> tuple[int, int] | None:
    """(line, column in bytes) of the name of such a node, counted from 0; None if it does not stand there."""
    if not isinstance(node, (ast.Name, *FUNCTIONS)):
        return None
    line, column = node.lineno - 1, node.col_offset
    if not isinstance(node, ast.Name):
        head = HEAD.match(lines[line], column)
        column = head.end() if head else len(lines[line])
    return (line, column) if lines[line].startswith(_name_of(node).encode(), column) else None

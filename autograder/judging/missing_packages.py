"""Which package an answer lacks: one that a student imports and that is not installed where this is graded."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from autograder.core.text import clean
from autograder.submission.statements import Parsed, Statement

if TYPE_CHECKING:
    from autograder.judging.section import Session

NAME_ERROR = re.compile(r"^name '(\w+)' is not defined")
MODULE_ERROR = re.compile(r"^No module named '(\w+)'")


def why(type_name: str, message: str, parsed: Parsed, session: Session, available: list[str]) -> str:
    """The sentence about the package behind an exception of this type and (public) message; '' if there is none.

    A package may be missing where it is imported, or because a name comes from an import that failed, or from a statement
    that failed for want of such a name.
    """
    if type_name == "ModuleNotFoundError" and (match := MODULE_ERROR.match(message)):
        return _sentence(match[1], "", available)
    if type_name == "NameError" and (match := NAME_ERROR.match(message)):
        return _behind({match[1]}, parsed, session, available)
    return ""


def why_failed(statement: Statement, parsed: Parsed, session: Session, available: list[str]) -> str:
    """The same for a statement that failed."""
    return _behind(set(_read(statement)), parsed, session, available)


def _behind(names: set[str], parsed: Parsed, session: Session, available: list[str]) -> str:
    """Follow these names back through the statements that failed to bind them, to an import that failed; '' without one."""
    failed = [(session.program.statements[f["index"]], f) for f in session.loaded.failures]
    seen: set[str] = set()
    while names - seen:
        seen |= names
        for statement, failure in failed:
            if not seen & set(_bound(statement)):
                continue
            if package := _missing(statement, failure):
                return _sentence(package, f" ({parsed.document.place(statement.cell, statement.line)} imports it)", available)
            names = names | set(_read(statement))
    return ""


def _missing(statement: Statement, failure: dict[str, Any]) -> str:
    """The package that a failed statement could not import; '' if it failed for another reason."""
    match = MODULE_ERROR.match(failure["message"]) if failure["type"] == "ModuleNotFoundError" else None
    packages = {name.split(".")[0] for node in ast.walk(statement.node) for name in _imported(node)}
    return match[1] if match and match[1] in packages else ""


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []


def _bound(statement: Statement) -> Iterator[str]:
    for node in ast.walk(statement.node):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
    yield getattr(statement.node, "name", "")


def _read(statement: Statement) -> Iterator[str]:
    for node in ast.walk(statement.node):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id


def _sentence(package: str, place: str, available: list[str]) -> str:
    listed = f"; available are: {', '.join(available)}, and your own modules if you submit them" if available else ""
    return f"`{clean(package, 60)}` is not installed where this is graded{place}{listed}"

"""Worker side: what a program defines only where it is not on Colab, has no GPU or lacks a package.

``if IN_COLAB: … else: …`` takes one branch here, and not always the one that it took where the program was written: a
stand-in can be imported, a GPU is emulated. Names that the branch taken leaves unbound come from the other ones.
"""

from __future__ import annotations
import __future__

import ast
import contextlib
import re
from collections.abc import Iterator
from types import CodeType
from typing import Any

# A condition about the machine, not about the task. Any other branch that is not taken stays out.
ABOUT_THE_MACHINE = re.compile(
    r"colab|kaggle|ipython|jupyter|notebook|google|drive|/content|cuda|gpu|mps\b|device|accelerator|"
    r"\b_?(?:has|have|use|is|on|running|available|enable)_?\w*(?:wandb|tqdm|plot|tensorboard|mlflow|log|local|rich)",
    re.IGNORECASE,
)
BRANCHES = re.compile(r"\s*(?:if|try)\b")
IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def run(text: str, code: CodeType, namespace: dict[str, Any]) -> None:
    """Execute a statement; then, if it has branches about the machine, whatever in them binds a name that is still missing."""
    try:
        exec(code, namespace)
    finally:
        if BRANCHES.match(text):
            tree = ast.increment_lineno(ast.parse(text), code.co_firstlineno - 1)
            for statement in _in_branches(tree.body):
                if any(name not in namespace for name in _bound(statement)):
                    with contextlib.suppress(Exception):
                        _execute(statement, code.co_filename, namespace)


def _execute(statement: ast.stmt, file: str, namespace: dict[str, Any]) -> None:
    flags = __future__.annotations.compiler_flag  # as ``child`` compiles statements
    exec(compile(ast.Module([statement], []), file, "exec", flags=flags, dont_inherit=True), namespace)


def _in_branches(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements in all branches of conditions about the machine and of attempts to import."""
    for statement in statements:
        if isinstance(statement, ast.If) and ABOUT_THE_MACHINE.search(ast.unparse(statement.test)):
            yield from _simple([*statement.body, *statement.orelse])
        elif isinstance(statement, ast.Try) and _attempts_import(statement):
            handlers = [inner for handler in statement.handlers for inner in handler.body]
            yield from _simple([*statement.body, *statement.orelse, *handlers, *statement.finalbody])


def _simple(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in statements:
        if isinstance(statement, (ast.If, ast.Try)):
            yield from _in_branches([statement])
        else:
            yield statement


def _attempts_import(statement: ast.Try) -> bool:
    imports = any(isinstance(inner, (ast.Import, ast.ImportFrom)) for inner in statement.body)
    caught = [handler.type for handler in statement.handlers]
    names = {node.id for kind in caught if kind is not None for node in ast.walk(kind) if isinstance(node, ast.Name)}
    return imports and (None in caught or bool(names & IMPORT_ERRORS))


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a definition, an import or an assignment binds; none for any other statement."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.split(".")[0] for alias in statement.names} - {"*"}
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return set()

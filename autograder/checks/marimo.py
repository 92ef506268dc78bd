"""marimo's apps: each cell is a function, whose parameters are the names that the cell reads."""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass, field

from .document import Cell, Document, Unreadable, outdented, parse
from .notebook import CODE, MARKDOWN

APP = re.compile(r"^(\w+)\s*=\s*(?:\w+\.)?App\(", re.MULTILINE)
IMPORTED = re.compile(r"^(?:import|from) marimo\b", re.MULTILINE)
PROGRAMS = {"function", "class_definition"}
EXPORT = "in marimo, export it as a notebook (.ipynb) and hand that in"


@dataclass
class _Part:
    """A cell, with the names it reads and binds."""

    cell: Cell
    reads: list[str] = field(default_factory=list)
    binds: list[str] = field(default_factory=list)


def is_app(_: str, text: str) -> bool:
    """Whether a script seems to be an app of marimo's."""
    return bool(IMPORTED.search(text) and APP.search(text))


def app(name: str, text: str) -> Document | None:
    """The cells of an app, without their functions, in an order in which they run; None if the file is no app."""
    found = APP.search(text)
    app = found[1] if found else ""
    tree = parse(text)
    if tree is None:
        if f"\n@{app}.cell" in text:
            raise Unreadable(f"{name} is a marimo app that Python cannot parse: {EXPORT}")
        return None
    if not any(isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) for node in tree.body):
        return None
    lines = text.split("\n")
    parts = [part for node in tree.body if (part := _part(node, app, lines))]
    if not parts:
        return None
    return Document(name, [part.cell for part in _in_order(parts)], "marimo app")


def _part(node: ast.stmt, app: str, lines: list[str]) -> _Part | None:
    """The cell that a statement of the app's file holds, if any."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return _definition(node, app, lines)
    if isinstance(node, ast.With) and _method(node.items[0].context_expr, app) == "setup":
        return _Part(_body(node.body, node.lineno, node.end_lineno or 0, lines))
    call = node.value if isinstance(node, ast.Expr) else None
    if isinstance(call, ast.Call) and _method(call, app) == "_unparsable_cell" and call.args:
        text = call.args[0].value if isinstance(call.args[0], ast.Constant) else ""
        return _Part(Cell(CODE, textwrap.dedent(str(text)), call.args[0].lineno - 1))
    return None


def _definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, app: str, lines: list[str]) -> _Part | None:
    """The cell that a function holds, or a function or class that is a cell; None for others."""
    kinds = {_method(decorator, app) for decorator in node.decorator_list}
    if "cell" in kinds and not isinstance(node, ast.ClassDef):
        return _of_function(node, lines)
    first = min([node.lineno, *(d.lineno for d in node.decorator_list if not _method(d, app))])
    cell = Cell(CODE, "\n".join(lines[first - 1 : node.end_lineno]), first - 1)
    return _Part(cell, [], [node.name]) if kinds & PROGRAMS else None


def _method(node: ast.expr, app: str) -> str:
    """``cell`` for ``app.cell`` and ``app.cell(…)``; '' for anything else."""
    node = node.func if isinstance(node, ast.Call) else node
    is_method = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == app
    return node.attr if is_method and isinstance(node, ast.Attribute) else ""


def _of_function(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> _Part:
    body, binds, end = node.body, [], node.end_lineno or node.lineno
    if isinstance(last := body[-1], ast.Return):
        body, end = body[:-1], last.lineno - 1
        binds = [part.id for part in ast.walk(last) if isinstance(part, ast.Name)]
    if len(body) == 1 and (markdown := _markdown(body[0])) is not None:
        return _Part(Cell(MARKDOWN, textwrap.dedent(markdown), body[0].lineno - 1))
    reads = [argument.arg for argument in node.args.args]
    return _Part(_body(body, _header(node, body, lines), end, lines), reads, binds)


def _header(node: ast.FunctionDef | ast.AsyncFunctionDef, body: list[ast.stmt], lines: list[str]) -> int:
    """The number of the last line of a function's header."""
    header = max([node.lineno, *(a.end_lineno or 0 for a in node.args.args)])
    while body and header < body[0].lineno - 1 and lines[header - 1].split("#")[0].rstrip()[-1:] != ":":
        header += 1
    return header


def _body(body: list[ast.stmt], header: int, end: int, lines: list[str]) -> Cell:
    """The lines under a header, without the indentation that the block adds; lines of a string may have less of it."""
    if not body or body[0].lineno <= header:  # nothing, or all in one line
        return Cell(CODE, "\n".join(map(ast.unparse, body)), header - 1)
    indent = body[0].col_offset
    return Cell(CODE, outdented(lines[header:end], indent), header)


def _markdown(node: ast.stmt) -> str | None:
    """The text of ``mo.md("…")``, in whatever it is wrapped; None for any other statement."""
    value = node.value if isinstance(node, ast.Expr) else None
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        if value.func.attr == "md" and value.args:
            text = value.args[0]
            pieces = text.values if isinstance(text, ast.JoinedStr) else [text]
            return "".join(p.value for p in pieces if isinstance(p, ast.Constant) and isinstance(p.value, str))
        value = value.func.value
    return None


def _in_order(parts: list[_Part]) -> list[_Part]:
    """The cells as they stand, but each behind those that bind what it reads: marimo runs them so."""
    owner = {name: number for number, part in enumerate(parts) for name in part.binds}
    placed: dict[int, None] = {}
    seen: set[int] = set()
    for number in range(len(parts)):
        stack = [number]
        while stack:
            at = stack[-1]
            missing = [] if at in seen else [owner[n] for n in parts[at].reads if n in owner and owner[n] not in seen]
            seen.add(at)
            if missing:
                stack += reversed(missing)
            else:
                stack.pop()
                placed[at] = None
    return [parts[number] for number in placed]

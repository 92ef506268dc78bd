"""Cells -> top-level statements, each with its place and the part of the assignment it stands in.

Parses with ``ast``; where a cell does not parse as a whole, every statement that does is recovered.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from autograder.readers import CODE, Cell, Document, dedented, parse

LABEL = re.compile(
    r"^\W{0,6}(?:section|part|question|problem|exercise|task|q)?\W{0,3}(\d(?:\.\d){1,2})(?![\d.]*\d)", re.IGNORECASE)
PYTHON_MAGICS = {"time", "timeit", "capture", "prun", "%time"}
CONTINUES = re.compile(r"(?:else|elif|except|finally)\b|[)\]}]")
MAX_JOIN = 400


@dataclass
class Statement:
    """One top-level statement: source, syntax tree, cell index, first line in the cell (or file), label."""

    code: str
    node: ast.stmt
    cell: int
    line: int
    label: str = ""
    index: int = -1


@dataclass
class Parsed:
    """All of a document. ``broken``: places that did not parse; ``modules``: files it writes for import."""

    document: Document
    statements: list[Statement] = field(default_factory=list)
    broken: list[tuple[int, int]] = field(default_factory=list)
    modules: dict[str, str] = field(default_factory=dict)
    future: set[str] = field(default_factory=set)


def parse_document(document: Document, labels: frozenset[str]) -> Parsed:
    """Every statement that parses, in order; headings and comments that begin with one of ``labels`` decide its label."""
    parsed, label = Parsed(document), ""
    for number, cell in enumerate(document.cells):
        if cell.kind != CODE:
            label = heading_label(cell.source, labels) or label
            continue
        label = _code_cell(parsed, number, cell, label, labels)
    for index, statement in enumerate(parsed.statements):
        statement.index = index
    return parsed


def heading_label(markdown: str, labels: frozenset[str]) -> str:
    """The label that the last heading of a markdown text begins with, '' if none does."""
    found = ""
    for line in markdown.split("\n"):
        if line.strip().startswith(("#", "**")):
            found = _label(line, labels) or found
    return found


def comment_label(line: str, labels: frozenset[str]) -> str:
    """The label a comment line begins with (``# ## 2.2 …`` from a script's markdown, ``# 1.2.1``)."""
    return _label(line, labels) if line.startswith("#") else ""


def _label(line: str, labels: frozenset[str]) -> str:
    match = LABEL.match(line.strip().lstrip("#* "))
    return match.group(1) if match and match.group(1) in labels else ""


def _code_cell(parsed: Parsed, number: int, cell: Cell, label: str, labels: frozenset[str]) -> str:
    position = 0
    lines = cell.source.split("\n")
    for statement in recover(parsed, number, cell):
        first = statement.line - cell.line - 1
        for line in lines[position:first]:
            label = comment_label(line, labels) or label
        text = _bare_string(statement.node)
        if text is not None:
            label = heading_label(text, labels) or label
        statement.label = label
        position = first + statement.code.count("\n") + 1
        if isinstance(statement.node, ast.ImportFrom) and statement.node.module == "__future__":
            parsed.future |= {alias.name for alias in statement.node.names}
        elif text is None:
            parsed.statements.extend(split_imports(statement))
    for line in lines[position:]:
        label = comment_label(line, labels) or label
    return label


def _bare_string(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return None


def split_imports(statement: Statement) -> list[Statement]:
    """``import a, b`` as two statements, so that a missing ``b`` does not cost ``a``."""
    node = statement.node
    if not isinstance(node, (ast.Import, ast.ImportFrom)) or len(node.names) == 1:
        return [statement]
    parts = []
    for alias in node.names:
        single = (ast.Import(names=[alias]) if isinstance(node, ast.Import)
                  else ast.ImportFrom(module=node.module, names=[alias], level=node.level))
        ast.copy_location(single, node)
        parts.append(Statement(ast.unparse(single), single, statement.cell, statement.line, statement.label))
    return parts


def recover(parsed: Parsed, number: int, cell: Cell):
    """Yield the statements of a code cell, unwrapping notebook magics and stepping over what does not parse."""
    source = cell.source
    if source.lstrip().startswith("%%"):
        yield from _cell_magic(parsed, number, cell)
        return
    tree = parse(source)
    if tree is None and source[:1] in (" ", "\t") and parse(dedented(source)) is not None:
        source = dedented(source)
        tree = parse(source)
    if tree is not None:
        yield from _unwrapped(parsed, number, _statements(source, tree, number, cell.line), cell.line)
        return
    for text, line in chunks(source):
        tree = parse(text)
        if tree is not None:
            yield from _unwrapped(parsed, number, _statements(text, tree, number, cell.line + line), cell.line + line)
        elif not text.lstrip().startswith(("!", "%", "?")) and not text.rstrip().endswith("?"):
            parsed.broken.append((number, cell.line + line + 1))


def _statements(source: str, tree: ast.Module, number: int, line: int):
    """Cut the source text of each top-level node (columns are UTF-8 bytes)."""
    lines = [text.encode("utf-8", "surrogatepass") for text in source.split("\n")]
    for node in tree.body:
        first = min([node.lineno] + [d.lineno for d in getattr(node, "decorator_list", [])])
        block = lines[first - 1 : node.end_lineno]
        block[-1] = block[-1][: node.end_col_offset]
        if first == node.lineno:
            block[0] = block[0][node.col_offset :]
        yield Statement(b"\n".join(block).decode("utf-8", "replace"), node, number, line + first)


def _cell_magic(parsed: Parsed, number: int, cell: Cell):
    """``%%time`` and its kind keep their code; ``%%writefile x.py`` brings a module; others are not Python."""
    stripped = cell.source.lstrip()
    head, _, body = stripped.partition("\n")
    skipped = cell.source[: len(cell.source) - len(stripped)].count("\n") + 1
    words = head[2:].split()
    name = words[0] if words else ""
    if name in PYTHON_MAGICS:
        yield from recover(parsed, number, Cell(CODE, body, cell.line + skipped))
    elif name in ("writefile", "file") and words[-1].endswith(".py"):
        parsed.modules[words[-1].removeprefix("./").removesuffix(".py").replace("/", ".")] = body


def _unwrapped(parsed: Parsed, number: int, statements, line: int):
    """Turn ``get_ipython().run_cell_magic('time', '', code)`` back into its code; drop other shell calls."""
    for statement in statements:
        call = _ipython_call(statement.node)
        if call is None:
            yield statement
            continue
        method, words = call
        if method == "run_cell_magic" and len(words) == 3:
            magic = Cell(CODE, f"%%{words[0]} {words[1]}\n{words[2]}", statement.line - 2)
            yield from _one_line(recover(parsed, number, magic), statement)
        elif method == "run_line_magic" and len(words) == 2 and words[0] in PYTHON_MAGICS:
            yield from _one_line(recover(parsed, number, Cell(CODE, words[1], statement.line - 1)), statement)


def _one_line(statements, outer: Statement):
    """Code that came out of a string has no lines of its own in the file: it keeps its wrapper's."""
    for statement in statements:
        statement.line = outer.line
        yield statement


def _ipython_call(node: ast.stmt) -> tuple[str, list[str]] | None:
    """(method, string arguments) of a statement ``get_ipython().method(…)``, else None."""
    value = node.value if isinstance(node, (ast.Expr, ast.Assign)) else None
    if not (isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute)):
        return None
    owner = value.func.value
    if not (isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name) and owner.func.id == "get_ipython"):
        return None
    return value.func.attr, [a.value for a in value.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]


def chunks(source: str):
    """Cut unparsable source at lines that begin at the margin; join neighbours while that makes them parse.

    Yields (text, lines before it). The shortest run of chunks that parses wins; a chunk that never does is
    yielded alone, so that only it is lost.
    """
    lines = source.split("\n")
    starts = [i for i, line in enumerate(lines)
              if line and line[0] not in " \t#" and not CONTINUES.match(line)]
    ends = starts[1:] + [len(lines)]
    pieces = list(zip(starts, ends))
    budget = MAX_JOIN
    index = 0
    while index < len(pieces):
        start, end = pieces[index]
        taken = 1
        text = "\n".join(lines[start:end])
        if parse(text) is None and _may_continue(text):
            for more in range(index + 1, min(len(pieces), index + 60)):
                if budget <= 0:
                    break
                budget -= 1
                joined = "\n".join(lines[start : pieces[more][1]])
                if parse(joined) is not None:
                    text, taken = joined, more - index + 1
                    break
        yield text, start
        index += taken


def _may_continue(text: str) -> bool:
    """Whether a chunk could be the beginning of something: a decorator, an open bracket, string or backslash."""
    return (text.startswith("@") or text.rstrip().endswith("\\") or text.count('"""') % 2 == 1
            or text.count("'''") % 2 == 1 or any(text.count(a) > text.count(b) for a, b in ("()", "[]", "{}")))

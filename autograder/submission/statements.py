"""Splits cells into top-level statements, each with its location and the part of the assignment it belongs to.

If a cell does not parse as a whole, every statement in it that does parse is recovered.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from autograder.checks.formats import CODE, Cell, Document, dedented, unparse
from autograder.core.syntax import is_deep
from autograder.core.watch import DEEP, why
from autograder.core.watch import parsed as parsed_source
from autograder.submission.length import within_limits
from autograder.submission.recovery import PYTHON_MAGICS, Effort, chunks, without_shell_lines

LABEL = re.compile(
    r"^\W{0,6}(?:section|part|question|problem|exercise|task|q)?\W{0,3}(\d+(?:\.\d+){1,2})(?![\d.]*\d)", re.IGNORECASE
)
MAX_STATEMENTS = 5000
MAX_DEPTH = 300  # levels of a statement's tree; a shorter statement than SHORT has no more that matter
SHORT = 1000  # characters
MAX_MAGICS = 4  # magics around one piece of code
MAX_NOTES = 20
MAX_SPLIT = 1 << 18  # characters into which an import of several names is split
HEADING = 200  # characters at the beginning of a heading in which its number is looked for


@dataclass
class Statement:
    """One top-level statement of a document.

    ``cell`` is the cell's index and ``line`` the first line in that cell (or in the file). ``label`` is the number in the
    heading above the statement ('' for none), ``heading`` how many numbered headings there were so far, and ``index`` the
    statement's position in the document.
    """

    code: str
    node: ast.stmt
    cell: int
    line: int
    label: str = ""
    heading: int = 0
    index: int = -1


@dataclass
class Parsed:
    """A parsed document.

    ``broken``: (cell, line) of what did not parse; ``modules``: modules that it writes with ``%%writefile``, name -> source;
    ``cut``: whether it has more characters than are read; ``future``: names imported from ``__future__``; ``effort``: the work
    that is left for what does not parse.
    """

    document: Document
    statements: list[Statement] = field(default_factory=list)
    broken: list[tuple[int, int]] = field(default_factory=list)
    modules: dict[str, str] = field(default_factory=dict)
    future: set[str] = field(default_factory=set)
    cut: bool = False
    effort: Effort = field(default_factory=Effort)

    def note(self, text: str) -> None:
        """Tell the author something about the document, once."""
        if text not in self.document.notes and len(self.document.notes) < MAX_NOTES:
            self.document.notes.append(text)

    def leave_out(self, number: int, line: int, reason: str) -> None:
        """Count a piece of code as not parsed; a ``reason`` other than its syntax is told to its author."""
        self.broken.append((number, line))
        if reason:
            self.note(f"the code at {self.document.place(number, line)} was left out: it {reason}")


def parse_document(document: Document, numbers: frozenset[str]) -> Parsed:
    """Every statement that parses, in order, labelled by the headings and comments that begin with one of ``numbers``.

    ``numbers``: see ``Assignment.numbers``.
    """
    parsed, heading = Parsed(document), Heading()
    for number, cell in enumerate(within_limits(parsed)):
        if cell.kind != CODE:
            heading = heading.after(cell.source, numbers)
            continue
        try:
            heading = _code_cell(parsed, number, cell, heading, numbers)
        except MemoryError:
            raise
        except Exception as error:  # ours: it must not cost the other cells
            parsed.leave_out(number, cell.line + 1, why(error))
        if len(parsed.statements) > MAX_STATEMENTS:
            del parsed.statements[MAX_STATEMENTS:]
            parsed.note(f"only the first {MAX_STATEMENTS} statements of {document.name} were read")
            document.cells[number + 1 :] = [replace(rest, source="") for rest in document.cells[number + 1 :]]
            break
    for index, statement in enumerate(parsed.statements):
        statement.index = index
    return parsed


@dataclass
class Heading:
    """The current heading: its number ('' for none), its depth (how many #), and how many numbered headings there were."""

    label: str = ""
    depth: int = 99
    count: int = 0

    def after(self, markdown: str, numbers: frozenset[str]) -> Heading:
        """The current heading at the end of a Markdown text."""
        heading = self
        for line in markdown.split("\n"):
            text = line.strip()
            if text.startswith(("#", "**")):
                depth = len(text) - len(text.lstrip("#")) or 98
                heading = heading._next(text, depth, numbers)
        return heading

    def after_comment(self, line: str, numbers: frozenset[str]) -> Heading:
        """The same for a comment line: ``# ## 2.2 …`` (Markdown in a script) or ``# 1.2.1``."""
        if line.startswith("# #"):
            return self.after(line[2:], numbers)
        return self._next(line, 99, numbers) if line.startswith("#") else self

    def _next(self, text: str, depth: int, numbers: frozenset[str]) -> Heading:
        match = LABEL.match(text.lstrip("#* ")[:HEADING])
        if match and is_own(match.group(1), numbers):
            return Heading(match.group(1), depth, self.count + 1)
        # An unnumbered heading of the same level or above ends a numbered part; a plain comment does not.
        return Heading(count=self.count) if depth <= self.depth and depth < 98 else self


def is_own(label: str, numbers: frozenset[str]) -> bool:
    """Whether a number at the start of a heading is one of the assignment's (``1.2``, ``10.2.1``), not a decimal or a version.

    After a section's number, single digits are always accepted, but longer numbers (``1.25``) only if a question has them.
    """
    parts = label.split(".")
    return parts[0] in numbers and all(
        len(part) == 1 or ".".join(parts[: n + 1]) in numbers for n, part in enumerate(parts) if n
    )


def _code_cell(parsed: Parsed, number: int, cell: Cell, heading: Heading, numbers: frozenset[str]) -> Heading:
    """Add the cell's statements to ``parsed``; returns the current heading at the end of the cell."""
    position = 0
    lines = cell.source.split("\n")
    for statement in recover(parsed, number, cell):
        if len(statement.code) > SHORT and is_deep(statement.node, MAX_DEPTH):
            parsed.leave_out(number, statement.line, DEEP)
            continue
        first = statement.line - cell.line - 1
        for line in lines[position:first]:
            heading = heading.after_comment(line, numbers)
        text = _bare_string(statement.node)
        if text is not None:
            heading = heading.after(text, numbers)
        statement.label, statement.heading = heading.label, heading.count
        position = first + statement.code.count("\n") + 1
        if isinstance(statement.node, ast.ImportFrom) and statement.node.module == "__future__":
            parsed.future |= {alias.name for alias in statement.node.names}
        elif text is None:
            parsed.statements.extend(split_imports(statement))
    for line in lines[position:]:
        heading = heading.after_comment(line, numbers)
    return heading


def _bare_string(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return None


def split_imports(statement: Statement) -> list[Statement]:
    """Split ``import a, b`` into two statements, so that ``a`` is still imported if ``b`` is missing."""
    node = statement.node
    if not isinstance(node, (ast.Import, ast.ImportFrom)) or len(node.names) == 1:
        return [statement]
    if isinstance(node, ast.ImportFrom) and len(node.names) * (len(node.module or "") + node.level) > MAX_SPLIT:
        return [statement]
    parts = []
    for alias in node.names:
        single = (
            ast.Import(names=[alias])
            if isinstance(node, ast.Import)
            else ast.ImportFrom(module=node.module, names=[alias], level=node.level)
        )
        ast.copy_location(single, node)
        parts.append(replace(statement, code=unparse(single) or statement.code, node=single))
    return parts


def recover(parsed: Parsed, number: int, cell: Cell, magics: int = 0) -> Iterator[Statement]:
    """Yield the statements of a code cell, unwrapping notebook magics and skipping what does not parse."""
    source = cell.source
    if magics > MAX_MAGICS:
        parsed.leave_out(number, cell.line + 1, f"is inside more than {MAX_MAGICS} magics")
        return
    if source.lstrip().startswith("%%"):
        yield from _cell_magic(parsed, number, cell, magics)
        return
    source, tree = _whole(source)
    if tree is not None:
        yield from _unwrapped(parsed, number, _statements(source, tree, number, cell.line), magics)
        return
    for text, line in chunks(source, parsed.effort):
        tree, reason = parsed_source(text)
        if tree is not None:
            yield from _unwrapped(parsed, number, _statements(text, tree, number, cell.line + line), magics)
        elif not text.lstrip().startswith(("!", "%", "?")) and not text.rstrip().endswith("?"):
            parsed.leave_out(number, cell.line + line + 1, reason)


def _whole(source: str) -> tuple[str, ast.Module | None]:
    """(the source, without shell lines or indentation if that is needed, its tree); None as the tree if it does not parse."""
    tree, _ = parsed_source(source)
    if tree is None:
        source = without_shell_lines(source)
        tree, _ = parsed_source(source)
    if tree is None and source[:1] in (" ", "\t"):
        tree, _ = parsed_source(dedented(source))
        source = dedented(source) if tree is not None else source
    return source, tree


def _statements(source: str, tree: ast.Module, number: int, line: int) -> Iterator[Statement]:
    """Yield each top-level node with its source text (``ast`` counts columns in UTF-8 bytes)."""
    lines = [text.encode("utf-8", "surrogatepass") for text in source.split("\n")]
    for node in _without_main_guard(tree.body):
        first = min([node.lineno] + [d.lineno for d in getattr(node, "decorator_list", [])])
        start = node.col_offset if first == node.lineno else 0
        if first == node.end_lineno:
            text = lines[first - 1][start : node.end_col_offset].decode("utf-8", "replace")
        else:
            block = lines[first - 1 : node.end_lineno]
            block[0], block[-1] = block[0][start:], block[-1][: node.end_col_offset]
            text = b"\n".join(block).decode("utf-8", "replace")
            text = dedented(" " * node.col_offset + text) if node.col_offset else text
        yield Statement(text, node, number, line + first)


def _without_main_guard(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Replace ``if __name__ == "__main__":``, which is true in a notebook, with its statements."""
    for node in body:
        if isinstance(node, ast.If) and not node.orelse and _is_main_guard(node.test):
            yield from node.body
        else:
            yield node


def _is_main_guard(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and [type(operator) for operator in test.ops] == [ast.Eq]
        and isinstance(test.comparators[0], ast.Constant)
        and test.comparators[0].value == "__main__"
    )


def _cell_magic(parsed: Parsed, number: int, cell: Cell, magics: int) -> Iterator[Statement]:
    """The statements under ``%%time`` and the like. ``%%writefile x.py`` adds a module; other magics are not Python."""
    stripped = cell.source.lstrip()
    head, _, body = stripped.partition("\n")
    skipped = cell.source[: len(cell.source) - len(stripped)].count("\n") + 1
    words = head[2:].split()
    name = words[0] if words else ""
    if name in PYTHON_MAGICS:
        yield from recover(parsed, number, Cell(CODE, body, cell.line + skipped), magics + 1)
    elif name in ("writefile", "file") and words[-1].endswith(".py"):
        parsed.modules[words[-1].removeprefix("./").removesuffix(".py").replace("/", ".")] = body


def _unwrapped(parsed: Parsed, number: int, statements: Iterable[Statement], magics: int) -> Iterator[Statement]:
    """Turn ``get_ipython().run_cell_magic('time', '', code)`` back into its code; drop all other calls of this kind."""
    for statement in statements:
        call = _ipython_call(statement.node)
        if call is None:
            yield statement
            continue
        method, words = call
        if method == "run_cell_magic" and len(words) == 3:
            magic = Cell(CODE, f"%%{words[0]} {words[1]}\n{words[2]}", statement.line - 2)
            yield from _one_line(recover(parsed, number, magic, magics + 1), statement)
        elif method == "run_line_magic" and len(words) == 2 and words[0] in PYTHON_MAGICS:
            yield from _one_line(recover(parsed, number, Cell(CODE, words[1], statement.line - 1), magics + 1), statement)


def _one_line(statements: Iterable[Statement], outer: Statement) -> Iterator[Statement]:
    """Give statements that were parsed from a string the line of the statement that contains the string."""
    for statement in statements:
        statement.line = outer.line
        yield statement


def _ipython_call(node: ast.stmt) -> tuple[str, list[str]] | None:
    """(method, string arguments) of a statement ``get_ipython().method(…)``; None for any other statement."""
    value = node.value if isinstance(node, (ast.Expr, ast.Assign)) else None
    if not (isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute)):
        return None
    owner = value.func.value
    if not (isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name) and owner.func.id == "get_ipython"):
        return None
    return value.func.attr, [a.value for a in value.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]

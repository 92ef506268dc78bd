"""Splits cells into top-level statements, each with its location and the part of the assignment it belongs to.

If a cell does not parse as a whole, every statement in it that does parse is recovered.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from autograder.checks.formats import CODE, Cell, Document, dedented, parse

LABEL = re.compile(
    r"^\W{0,6}(?:section|part|question|problem|exercise|task|q)?\W{0,3}(\d+(?:\.\d+){1,2})(?![\d.]*\d)", re.IGNORECASE
)
PYTHON_MAGICS = {"time", "timeit", "capture", "prun", "%time"}
CONTINUES = re.compile(r"(?:else|elif|except|finally)\b|[)\]}]")
MAX_JOIN = 400  # attempts to parse joined chunks, per cell
MAX_STEPS = 100_000  # chunks looked at while joining, per cell
MAX_CUTS = 20  # attempts to cut a chunk short
MAIN_GUARD = ast.dump(ast.parse('__name__ == "__main__"', mode="eval").body)


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
    ``future``: names imported from ``__future__``.
    """

    document: Document
    statements: list[Statement] = field(default_factory=list)
    broken: list[tuple[int, int]] = field(default_factory=list)
    modules: dict[str, str] = field(default_factory=dict)
    future: set[str] = field(default_factory=set)


def parse_document(document: Document, numbers: frozenset[str]) -> Parsed:
    """Every statement that parses, in order, labelled by the headings and comments that begin with one of ``numbers``.

    ``numbers``: see ``Assignment.numbers``.
    """
    parsed, heading = Parsed(document), Heading()
    for number, cell in enumerate(document.cells):
        if cell.kind != CODE:
            heading = heading.after(cell.source, numbers)
            continue
        heading = _code_cell(parsed, number, cell, heading, numbers)
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
        match = LABEL.match(text.lstrip("#* "))
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
    parts = []
    for alias in node.names:
        single = (
            ast.Import(names=[alias])
            if isinstance(node, ast.Import)
            else ast.ImportFrom(module=node.module, names=[alias], level=node.level)
        )
        ast.copy_location(single, node)
        parts.append(replace(statement, code=ast.unparse(single), node=single))
    return parts


def recover(parsed: Parsed, number: int, cell: Cell) -> Iterator[Statement]:
    """Yield the statements of a code cell, unwrapping notebook magics and skipping what does not parse."""
    source = cell.source
    if source.lstrip().startswith("%%"):
        yield from _cell_magic(parsed, number, cell)
        return
    tree = parse(source)
    if tree is None:
        source = without_shell_lines(source)
        tree = parse(source)
    if tree is None and source[:1] in (" ", "\t") and parse(dedented(source)) is not None:
        source = dedented(source)
        tree = parse(source)
    if tree is not None:
        yield from _unwrapped(parsed, number, _statements(source, tree, number, cell.line))
        return
    for text, line in chunks(source):
        tree = parse(text)
        if tree is not None:
            yield from _unwrapped(parsed, number, _statements(text, tree, number, cell.line + line))
        elif not text.lstrip().startswith(("!", "%", "?")) and not text.rstrip().endswith("?"):
            parsed.broken.append((number, cell.line + line + 1))


def _statements(source: str, tree: ast.Module, number: int, line: int) -> Iterator[Statement]:
    """Yield each top-level node with its source text (``ast`` counts columns in UTF-8 bytes)."""
    lines = [text.encode("utf-8", "surrogatepass") for text in source.split("\n")]
    for node in _without_main_guard(tree.body):
        first = min([node.lineno] + [d.lineno for d in getattr(node, "decorator_list", [])])
        block = lines[first - 1 : node.end_lineno]
        block[-1] = block[-1][: node.end_col_offset]
        if first == node.lineno:
            block[0] = block[0][node.col_offset :]
        text = b"\n".join(block).decode("utf-8", "replace")
        if node.col_offset and len(block) > 1:
            text = dedented(" " * node.col_offset + text)
        yield Statement(text, node, number, line + first)


def _without_main_guard(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Replace ``if __name__ == "__main__":``, which is true in a notebook, with its statements."""
    for node in body:
        if isinstance(node, ast.If) and not node.orelse and ast.dump(node.test) == MAIN_GUARD:
            yield from node.body
        else:
            yield node


def _cell_magic(parsed: Parsed, number: int, cell: Cell) -> Iterator[Statement]:
    """The statements under ``%%time`` and the like. ``%%writefile x.py`` adds a module; other magics are not Python."""
    stripped = cell.source.lstrip()
    head, _, body = stripped.partition("\n")
    skipped = cell.source[: len(cell.source) - len(stripped)].count("\n") + 1
    words = head[2:].split()
    name = words[0] if words else ""
    if name in PYTHON_MAGICS:
        yield from recover(parsed, number, Cell(CODE, body, cell.line + skipped))
    elif name in ("writefile", "file") and words[-1].endswith(".py"):
        parsed.modules[words[-1].removeprefix("./").removesuffix(".py").replace("/", ".")] = body


def _unwrapped(parsed: Parsed, number: int, statements: Iterable[Statement]) -> Iterator[Statement]:
    """Turn ``get_ipython().run_cell_magic('time', '', code)`` back into its code; drop all other calls of this kind."""
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


def chunks(source: str) -> Iterator[tuple[str, int]]:
    """Cut source that does not parse at unindented lines, and join neighbouring chunks until they parse.

    Yields (text, number of lines before it). The shortest run of chunks that parses wins; a chunk that never parses is yielded
    alone, so that only that chunk is lost. Work is bounded: hostile source costs seconds at most.
    """
    pieces = _Chunks(source.split("\n"))
    index = 0
    while index < len(pieces.texts):
        taken = pieces.run(index)
        start, end = pieces.starts[index], pieces.ends[index + taken - 1]
        whole = _whole_part(pieces.lines, start, end) if taken == 1 else end
        yield "\n".join(pieces.lines[start:whole]), start
        if whole < end:
            yield "\n".join(pieces.lines[whole:end]), whole
        index += taken


class _Chunks:
    """The lines of a cell cut at unindented lines, and the budget left for joining the chunks."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.starts = [i for i, line in enumerate(lines) if line and line[0] not in " \t#" and not CONTINUES.match(line)]
        self.ends = [*self.starts[1:], len(lines)]
        self.texts = ["\n".join(lines[start:end]) for start, end in zip(self.starts, self.ends)]
        self.opened = [_opened(text) for text in self.texts]
        self.steps, self.parses = MAX_STEPS, MAX_JOIN

    def run(self, first: int) -> int:
        """The length of the shortest run of chunks from ``first`` that parses; 1 if there is none within the budget."""
        total = self.opened[first]
        if not _unfinished(self.texts[first], total) or parse(self.texts[first]) is not None:
            return 1
        for last in range(first + 1, len(self.texts)):
            self.steps -= 1
            if self.steps < 0 or self.parses < 0:
                return 1
            total = tuple(a + b for a, b in zip(total, self.opened[last]))
            if not _unfinished(self.texts[last], total):
                self.parses -= 1
                if parse("\n".join(self.lines[self.starts[first] : self.ends[last]])) is not None:
                    return last - first + 1
        return 1


def _whole_part(lines: list[str], start: int, end: int) -> int:
    """The line at which to cut a chunk that does not parse: before a stray ``elif`` or indented line, else ``end``."""
    if parse("\n".join(lines[start:end])) is not None:
        return end
    margins = [k for k in range(end - 1, start, -1) if lines[k] and lines[k][0] not in " \t"][:MAX_CUTS]
    return next((cut for cut in [*margins, start + 1] if parse("\n".join(lines[start:cut])) is not None), end)


def _opened(text: str) -> tuple[int, ...]:
    """How many brackets of each kind remain open, and how many triple quotes of each kind there are."""
    return (*(text.count(a) - text.count(b) for a, b in ("()", "[]", "{}")), text.count('"""'), text.count("'''"))


def _unfinished(last: str, total: tuple[int, ...]) -> bool:
    """Whether chunks that end with ``last`` could be the beginning of something longer."""
    return (
        any(n > 0 for n in total[:3])
        or total[3] % 2 == 1
        or total[4] % 2 == 1
        or last.startswith("@")
        or last.rstrip().endswith("\\")
    )


def without_shell_lines(source: str) -> str:
    """Replace ``!pip …`` and ``%matplotlib …`` lines with ``pass``, and ``%time x = 3`` with ``x = 3``; keeps line numbers."""
    lines, continued = source.split("\n"), False
    for number, line in enumerate(lines):
        text = line.lstrip()
        indent = line[: len(line) - len(text)]
        if continued or _is_shell_line(text):
            word, _, rest = text.lstrip("%").partition(" ")
            code = text.startswith("%") and word in PYTHON_MAGICS and not rest.startswith("-") and parse(rest) is not None
            lines[number] = indent + (rest if code and rest else "pass")
            continued = not code and text.endswith("\\")
    return "\n".join(lines)


def _is_shell_line(text: str) -> bool:
    return text.startswith(("!", "?", "%%")) or (text.startswith("%") and text[1:2].isalpha())

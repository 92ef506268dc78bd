"""Splits cells into top-level statements, each with its location and the part of the assignment it belongs to.

If a cell does not parse as a whole, every statement in it that does parse is recovered.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from autograder.checks.formats import CODE, MARKDOWN, RAW, Cell, Document, outdented, unparse
from autograder.checks.ipython import PYTHON_MAGICS, as_python, code_of, has_prompts, star_import
from autograder.core import newer_syntax
from autograder.core.syntax import first_line, is_deep, stored, walk
from autograder.core.watch import DEEP, why
from autograder.core.watch import parsed as parsed_source
from autograder.submission.headings import Heading
from autograder.submission.length import within_limits
from autograder.submission.lost import MAX_LOST, Lost, names_in, refusal
from autograder.submission.recovery import Effort, chunks

MAX_STATEMENTS = 5000
MAX_DEPTH = 300  # levels of a statement's tree; a shorter statement than SHORT has no more that matter
SHORT = 1000  # characters
MAX_MAGICS = 4  # magics around one piece of code
MAX_NOTES = 20
MAX_SPLIT = 1 << 18  # characters into which an import of several names is split
WHERE = {MARKDOWN: "a Markdown cell, which is not run", RAW: "a raw cell, which is not run"}


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

    @functools.cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of its tree."""
        return walk(self.node)

    @functools.cached_property
    def stores(self) -> set[str]:
        """The names that it assigns anywhere inside."""
        return stored(self.nodes)


@dataclass
class Parsed:
    """A parsed document.

    ``broken``: what did not parse; ``elsewhere``: what is not run because of where it stands; ``modules``: modules that it
    writes with ``%%writefile``, name -> source; ``cut``: whether it has more characters than are read; ``future``: names
    imported from ``__future__``; ``effort``: the work that is left for what does not parse.
    """

    document: Document
    statements: list[Statement] = field(default_factory=list)
    broken: list[Lost] = field(default_factory=list)
    elsewhere: list[Lost] = field(default_factory=list)
    modules: dict[str, str] = field(default_factory=dict)
    future: set[str] = field(default_factory=set)
    cut: bool = False
    effort: Effort = field(default_factory=Effort)

    def note(self, text: str) -> None:
        """Tell the author something about the document, once."""
        if text not in self.document.notes and len(self.document.notes) < MAX_NOTES:
            self.document.notes.append(text)

    def leave_out(self, number: int, line: int, reason: str, text: str = "") -> None:
        """Count a piece of code as not read for a reason other than its syntax, which is told to its author."""
        why = f"the code at {self.document.place(number, line)} was left out: it {reason}"
        self._lose(self.broken, Lost(number, line, why, frozenset(names_in(text))))
        self.note(why)

    def refused(self, number: int, line: int, words: str, text: str) -> None:
        """Count a piece of code as refused by Python, with Python's own words."""
        why = f"Python refuses {self.document.place(number, line)}: {words}"
        self._lose(self.broken, Lost(number, line, why, frozenset(names_in(text))))

    def stands_in(self, number: int, before: int, where: str, text: str) -> None:
        """Note the names that a text binds that is not run; ``before``: lines before it; ``where``: what it stands in."""
        for name, line in names_in(text).items():
            place = self.document.place(number, before + line + 1)
            self._lose(self.elsewhere, Lost(number, before + line + 1, f"it stands in {where} ({place})", frozenset([name])))

    @staticmethod
    def _lose(known: list[Lost], lost: Lost) -> None:
        if len(known) < MAX_LOST:
            known.append(lost)


def parse_document(document: Document, numbers: frozenset[str], effort: Effort | None = None) -> Parsed:
    """Every statement that parses, in order, labelled by the headings and comments that begin with one of ``numbers``.

    ``numbers``: see ``Assignment.numbers``. ``effort``: the work that several documents share.
    """
    parsed, heading = Parsed(document, effort=effort or Effort()), Heading()
    for number, cell in enumerate(within_limits(parsed)):
        if cell.kind != CODE:
            heading = heading.after(cell.source, numbers) if cell.kind == MARKDOWN else heading
            parsed.stands_in(number, cell.line, WHERE[cell.kind], cell.source)
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


def _code_cell(parsed: Parsed, number: int, cell: Cell, heading: Heading, numbers: frozenset[str]) -> Heading:
    """Add the cell's statements to ``parsed``; returns the current heading at the end of the cell."""
    position = 0
    lines = cell.source.split("\n")
    for statement in recover(parsed, number, cell):
        if len(statement.code) > SHORT and is_deep(statement.node, MAX_DEPTH):
            parsed.leave_out(number, statement.line, DEEP, statement.code)
            continue
        first = statement.line - cell.line - 1
        for line in lines[position:first]:
            heading = heading.after_comment(line, numbers)
        text = _bare_string(statement.node)
        if text is not None:
            heading = heading.after(text, numbers)
            parsed.stands_in(number, statement.line - 1, "a text between quotes, which is not run", text)
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
    source, tree = _whole(source, parsed.effort)
    if tree is not None:
        yield from _unwrapped(parsed, number, _statements(source, tree, number, cell.line), magics)
        return
    first = refusal(source, cell.line)
    for text, before in chunks(source, parsed.effort):
        line = cell.line + before
        code, tree = _chunk(parsed, number, text, line, first)
        if tree is not None:
            yield from _unwrapped(parsed, number, _statements(code, tree, number, line), magics)


def _chunk(parsed: Parsed, number: int, text: str, line: int, first: tuple[int, str]) -> tuple[str, ast.Module | None]:
    """(code, tree) of a chunk behind ``line`` lines; no tree if it is lost, which is noted. ``first``: its cell's error."""
    tree, reason = parsed_source(text)
    if tree is None and not reason and (own := parsed.effort.ipython.transformed(text)):
        tree, reason = parsed_source(own)
        text = own if tree is not None else text
    if reason:
        parsed.leave_out(number, line + 1, reason, text)
    elif tree is None:
        inside = line < first[0] <= line + text.count("\n") + 2  # what is unfinished is refused at the next line
        at, words = first if inside else refusal(text, line)
        parsed.refused(number, at or line + 1, newer_syntax.told(text) or words or "invalid syntax", text)
    return text, tree


def _whole(source: str, effort: Effort) -> tuple[str, ast.Module | None]:
    """(the source, as Python alone if that is needed, its tree); None as the tree if it does not parse."""
    tree, _ = (None, "") if has_prompts(source) else parsed_source(source)
    if tree is None:
        original, source = source, as_python(source)
        tree, _ = parsed_source(source)
        if tree is None and (own := effort.ipython.transformed(original)):
            tree, _ = parsed_source(own)
            source = own if tree is not None else source
    return source, tree


def _statements(source: str, tree: ast.Module, number: int, line: int) -> Iterator[Statement]:
    """Yield each top-level node with its source text (``ast`` counts columns in UTF-8 bytes)."""
    lines = [text.encode("utf-8", "surrogatepass") for text in source.split("\n")]
    for node in _without_main_guard(tree.body):
        first = first_line(node)
        block = lines[first - 1 : node.end_lineno]
        block[-1] = block[-1][: node.end_col_offset]
        indent = 0 if lines[node.lineno - 1][: node.col_offset].strip() else node.col_offset
        if first == node.lineno:
            block[0] = block[0][node.col_offset :]
        yield Statement(outdented((part.decode("utf-8", "replace") for part in block), indent), node, number, line + first)


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
        return
    if name in ("writefile", "file") and words[-1].strip("'\"").endswith(".py"):
        path = words[-1].strip("'\"")
        module = path.removeprefix("./").removesuffix(".py").replace("/", ".")
        before = parsed.modules.get(module, "") if "-a" in words else ""
        parsed.modules[module] = f"{before}\n{body}" if before else body
        parsed.stands_in(number, cell.line + skipped, f"{path}, which a cell writes but does not run", body)
    else:
        parsed.stands_in(number, cell.line + skipped, f"a cell that is not run as Python (%%{name})", body)


def _unwrapped(parsed: Parsed, number: int, statements: Iterable[Statement], magics: int) -> Iterator[Statement]:
    """Turn ``get_ipython().run_cell_magic('time', '', code)`` back into its code; drop all other calls of this kind."""
    for statement in statements:
        call = _ipython_call(statement.node)
        if call is None:
            yield _importing(statement, executed(statement.node)) or statement
            continue
        method, words = call
        if method == "run_cell_magic" and len(words) == 3:
            magic = Cell(CODE, f"%%{words[0]} {words[1]}\n{words[2]}", statement.line - 2)
            yield from _one_line(recover(parsed, number, magic, magics + 1), statement)
        elif method == "run_line_magic" and len(words) == 2 and (code := _under_magic(statement.node, *words)):
            yield from _one_line(recover(parsed, number, Cell(CODE, code, statement.line - 1), magics + 1), statement)


def _under_magic(node: ast.stmt, name: str, rest: str) -> str:
    """What a line magic runs, as Python; '' if it runs none."""
    if name == "run":
        return star_import(rest)
    code = code_of(rest) or rest if name in PYTHON_MAGICS else ""
    return f"{' = '.join(map(ast.unparse, node.targets))} = {code}" if code and isinstance(node, ast.Assign) else code


def _importing(statement: Statement, path: str) -> Statement | None:
    """In place of a statement that runs a file of the student's: the import of all its names."""
    code = star_import(path)
    return replace(statement, code=code, node=ast.parse(code).body[0]) if code else None


def executed(node: ast.stmt) -> str:
    """The file of ``exec(open("heads.py").read())`` and the like; '' for any other statement."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Name(id="exec"))):
            nodes = walk(node)
        case _:
            return ""
    reads = {part.attr for part in nodes if isinstance(part, ast.Attribute)} & {"read", "read_text", "read_bytes"}
    texts = [part.value for part in nodes if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    files = {text for text in texts if text.endswith(".py")}
    return files.pop() if reads and len(files) == 1 else ""


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

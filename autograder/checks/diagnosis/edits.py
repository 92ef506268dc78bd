"""Single edits of a student's own function or class: each a mistake that people make, undone.

``edits`` yields the source with one edit, the concept behind it, and the line and part that it changes. Nothing is run here.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from .templates import Template, replacements, templates

MOST, MOST_NODES = 700, 3000  # edits, and nodes of the source's tree
PART = 60  # characters of the line that are quoted
WITH_DIMENSION = {
    "softmax",
    "log_softmax",
    "sum",
    "mean",
    "argmax",
    "max",
    "cat",
    "stack",
    "split",
    "chunk",
    "norm",
    "transpose",
}
SIZES = (-1, -2, 0, 1, 2, 3)
PAIRS = {"eval": "train", "train": "eval", "sum": "mean", "mean": "sum", "tril": "triu", "triu": "tril", "split": "chunk"}
RETURN, MINUS_INFINITY = "return value", 'float("-inf")'
RETURNED = (
    "iter({})",
    "torch.as_tensor({})",
    "torch.as_tensor({}).float()",
    "torch.stack({}, dim=1)",
    "float({})",
    "({}).mean()",
)


@dataclass(frozen=True)
class Edit:
    """``code``: the whole source with the edit; ``line`` (from 1) and ``part``: what it changes, as it stands in the source.

    ``also``: another line that it changes, if there is one; ``adds``: the statement that it adds before that line, if it does.
    """

    concept: str
    line: int
    part: str
    code: str
    rank: int = 0
    also: int = 0
    adds: str = ""


def edits(
    source: str, extra: Sequence[Template] = (), statements: Sequence[tuple[str, str]] = (), most: int = MOST
) -> list[Edit]:
    """All single edits of this source, those that explain first; [] if it does not parse or is too long.

    ``extra``: an assignment's own templates; ``statements``: (concept, statement) that may be missing somewhere.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
        return []
    seen, found = {source}, []
    for edit in _Editor(source, tree, (*extra, *templates()), tuple(statements)).edits():
        if edit.code not in seen:
            seen.add(edit.code)
            found.append(edit)
            if len(found) >= most:
                break
    return [replace(edit, rank=rank) for rank, edit in enumerate(found)]


class _Editor:
    """Yields the edits of one source."""

    def __init__(self, source: str, tree: ast.Module, templates: tuple[Template, ...], statements: tuple[tuple[str, str], ...]):
        self.source, self.tree, self.templates, self.statements = source, tree, templates, statements
        self.indexes: set[int] = set()
        self.stored: dict[ast.FunctionDef, dict[str, int]] = {}
        self.functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        self.lines = source.encode("utf-8").splitlines(keepends=True)

    def edits(self) -> Iterator[Edit]:
        yield from self.returns()
        expressions = [node for node in ast.walk(self.tree) if isinstance(node, ast.expr)]
        self.indexes = {id(part) for node in expressions if isinstance(node, ast.Subscript) for part in ast.walk(node.slice)}
        for edits in self.kinds:
            for node in expressions:
                for concept, code in edits(node):
                    yield from self.put(node, concept, code)
        yield from self.structure()

    @property
    def kinds(self) -> tuple[Callable[[ast.expr], Iterator[tuple[str, str]]], ...]:
        """What to put in the place of an expression, (concept, code), those that explain first."""
        return (
            lambda node: replacements(node, self.templates),
            self.dimensions,
            self.sizes,
            self.fixed,
            self.dropped,
            self.constants,
            self.arguments,
            self.names,
            self.added,
        )

    # -- expressions

    def dimensions(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """Another dimension, or one at all, for a call that works along one."""
        if not isinstance(node, ast.Call) or _called(node) not in WITH_DIMENSION:
            return
        concept = "softmax axis" if "softmax" in _called(node) else "dimension"
        named = [k.value for k in node.keywords if k.arg in ("dim", "axis")]
        for value in [*named, *node.args]:
            if _whole(value) is not None:
                yield from ((concept, self.changed(node, value, str(size))) for size in SIZES)
        if not named and _called(node) != "transpose":
            yield from ((concept, self.with_argument(node, f"dim={size}")) for size in SIZES[:4])

    def sizes(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """Another entry of a shape or a list."""
        if isinstance(node, ast.Subscript) and (number := _whole(node.slice)) is not None:
            concept = "size" if "shape" in ast.unparse(node.value) else "index"
            yield from ((concept, f"{ast.unparse(node.value)}[{size}]") for size in (*SIZES, number - 1, number + 1))
        if isinstance(node, ast.Call) and _called(node) == "size" and len(node.args) == 1:
            yield from (("size", f"{ast.unparse(node.func)}({size})") for size in SIZES)

    def fixed(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """A size where a fixed number stands."""
        if abs(_whole(node) or 0) > 1:
            parts = ("", ".shape[-1]", ".shape[-2]", ".shape[0]")
            yield from (("fixed size", f"{name}{part}") for name in self.parameters(node) for part in parts)

    def dropped(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """Without a call, an index or a tuple around it."""
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield "one step too many", ast.unparse(node.func.value)
            for argument in node.args[:3]:
                if not isinstance(argument, (ast.Constant, ast.Starred)):
                    yield "one step too many", ast.unparse(argument)
        elif isinstance(node, ast.Subscript):
            yield "index", ast.unparse(node.value)
        elif isinstance(node, ast.Tuple) and node.elts:
            yield from ((RETURN, ast.unparse(part)) for part in (node.elts[0], node.elts[-1]))
        elif isinstance(node, ast.Attribute) and node.attr in PAIRS:
            concept = node.attr if node.attr in ("eval", "train") else "function"
            yield concept, f"{ast.unparse(node.value)}.{PAIRS[node.attr]}"

    def constants(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """Another number, truth value or text; indexes are sizes."""
        number = _whole(node)
        if number is not None and id(node) not in self.indexes:
            for other in dict.fromkeys((number - 1, number + 1, 0, 1, -1, 2, 0.5)):
                yield "number", repr(other)
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield "option", repr(not node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield from (("number", code) for code in (MINUS_INFINITY, str(-node.value), "0.0", "1.0", "0.5"))
        elif isinstance(node, ast.Constant) and node.value in ("-inf", "inf", "0", "1"):
            yield "text", MINUS_INFINITY

    def arguments(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """Arguments in another order or without one of them, and dimensions of permute."""
        if not isinstance(node, ast.Call):
            return
        plain = [ast.unparse(a) for a in node.args]
        for i in range(len(plain) - 1):
            yield "argument order", self.with_arguments(node, [*plain[:i], plain[i + 1], plain[i], *plain[i + 2 :]])
        for i in range(len(plain) if len(plain) > 1 else 0):
            yield "argument", self.with_arguments(node, plain[:i] + plain[i + 1 :])
        for keyword in node.keywords:
            yield "option", ast.unparse(ast.Call(node.func, node.args, [k for k in node.keywords if k is not keyword]))
        if _called(node) == "permute" and len(plain) == 4:
            yield from (
                ("dimension order", self.with_arguments(node, list(order))) for order in ("0213", "0132", "0312", "0231")
            )

    def names(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """Another parameter or local name."""
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            scope = list(dict.fromkeys([*self.parameters(node), *self.locals(node)]))
            if node.id in scope:
                yield from (("name", name) for name in scope if name not in (node.id, "self"))

    def added(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """An added conversion, or dimensions swapped first."""
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in self.parameters(node):
            for code in ("{}.transpose(1, 2)", "{}.contiguous()", "{}.float()", "{}.clone()", "iter({})"):
                yield "missing step", code.format(node.id)

    # -- statements

    def returns(self) -> Iterator[Edit]:
        """A function that ends without returning what it has computed, or returns it in another form."""
        for function in self.functions:
            yield from self.ends(function.body[-1])

    def ends(self, last: ast.stmt) -> Iterator[Edit]:
        """Other ends of a function than its last statement."""
        if isinstance(last, ast.Expr):
            if isinstance(last.value, ast.Call) and _called(last.value) == "print" and last.value.args:
                yield from self.replace(last, RETURN, f"return {ast.unparse(last.value.args[0])}")
            yield from self.replace(last, RETURN, f"return {ast.unparse(last.value)}")
        elif isinstance(last, ast.Assign) and isinstance(last.targets[0], ast.Name):
            yield from self.insert(last, RETURN, f"return {last.targets[0].id}", after=True)
        elif isinstance(last, (ast.For, ast.While, ast.With, ast.If)):
            for name in self.locals(last)[-3:]:
                yield from self.insert(last, RETURN, f"return {name}", after=True)
        elif isinstance(last, ast.Return) and last.value is not None:
            for text in RETURNED:
                yield from self.replace(last, RETURN, f"return {text.format(ast.unparse(last.value))}")

    def structure(self) -> Iterator[Edit]:
        """Statements dropped, swapped, moved out of a block, or added."""
        for block in _blocks(self.tree):
            plain = [statement for statement in block if not isinstance(statement, ast.FunctionDef)]
            for statement in plain if len(block) > 1 else ():
                if not isinstance(statement, ast.Return):
                    yield from self.replace(statement, "one step too many", "pass")
            for one, other in itertools.pairwise(plain):
                yield from self.swap(one, other)
            yield from self.inserted(plain)
        for loop in ast.walk(self.tree):
            if (
                isinstance(loop, (ast.For, ast.While, ast.With, ast.If))
                and len(loop.body) > 1
                and not getattr(loop, "orelse", [])
            ):
                yield from self.dedent(loop)

    def inserted(self, block: list[ast.stmt]) -> Iterator[Edit]:
        """Statements that may be missing, at every place of a block."""
        for concept, code in self.statements if block else ():
            for statement in block:
                yield from self.insert(statement, concept, code)
            if not isinstance(block[-1], ast.Return):
                yield from self.insert(block[-1], concept, code, after=True)

    # -- the source with one edit

    def put(self, node: ast.expr, concept: str, code: str) -> Iterator[Edit]:
        """The source with this code in the place of an expression."""
        if not code or node.end_lineno is None or node.end_col_offset is None:
            return
        first, last = node.lineno - 1, node.end_lineno - 1
        before, after = self.lines[first][: node.col_offset], self.lines[last][node.end_col_offset :]
        old = b"".join(self.lines[first : last + 1]).removesuffix(after)[node.col_offset :]
        new = b"".join([*self.lines[:first], before, f"({code})".encode(), after, *self.lines[last + 1 :]])
        yield Edit(concept, node.lineno, _short(old.decode("utf-8", "replace")), new.decode("utf-8"))

    def replace(self, statement: ast.stmt, concept: str, code: str) -> Iterator[Edit]:
        """The source with this code in the place of a whole statement."""
        first, last = statement.lineno - 1, (statement.end_lineno or statement.lineno) - 1
        if self.crowded(statement):
            return
        pad = b" " * statement.col_offset
        new = b"".join([*self.lines[:first], pad + code.encode() + b"\n", *self.lines[last + 1 :]])
        yield Edit(concept, statement.lineno, self.text(statement), new.decode("utf-8"))

    def insert(self, statement: ast.stmt, concept: str, code: str, after: bool = False) -> Iterator[Edit]:
        """The source with one more statement before or after this one."""
        if self.crowded(statement):
            return
        at = (statement.end_lineno or statement.lineno) if after else statement.lineno - 1
        pad = b" " * statement.col_offset
        above = self.lines[:at]
        if above and not above[-1].endswith(b"\n"):
            above = [*above[:-1], above[-1] + b"\n"]
        new = b"".join([*above, pad + code.encode() + b"\n", *self.lines[at:]])
        yield Edit(concept, statement.lineno, self.text(statement), new.decode("utf-8"), adds=code)

    def swap(self, one: ast.stmt, other: ast.stmt) -> Iterator[Edit]:
        """The source with two neighbouring statements in the other order."""
        if self.crowded(one) or self.crowded(other) or isinstance(other, ast.FunctionDef):
            return
        a, b = one.lineno - 1, one.end_lineno or one.lineno
        c, d = other.lineno - 1, other.end_lineno or other.lineno
        second = [*self.lines[c:d]]
        if not second[-1].endswith(b"\n"):
            second[-1] += b"\n"
        new = b"".join([*self.lines[:a], *second, *self.lines[b:c], *self.lines[a:b], *self.lines[d:]])
        yield Edit("order of steps", other.lineno, self.text(other), new.decode("utf-8"), also=one.lineno)

    def dedent(self, loop: ast.For | ast.While | ast.With | ast.If) -> Iterator[Edit]:
        """The source with the last statement of a block moved behind it."""
        last = loop.body[-1]
        if self.crowded(last):
            return
        first, end, less = last.lineno - 1, last.end_lineno or last.lineno, last.col_offset - loop.col_offset
        moved = [line[less:] if line[:less].strip() == b"" else line for line in self.lines[first:end]]
        new = b"".join([*self.lines[:first], *moved, *self.lines[end:]])
        yield Edit("indentation", last.lineno, self.text(last), new.decode("utf-8"))

    def crowded(self, statement: ast.stmt) -> bool:
        """Whether it shares its lines with other code."""
        end = statement.end_lineno or statement.lineno
        before = self.lines[statement.lineno - 1][: statement.col_offset]
        after = self.lines[end - 1][statement.end_col_offset or 0 :].strip()
        return bool(before.strip()) or bool(after and not after.startswith(b"#"))

    def text(self, statement: ast.stmt) -> str:
        return _short(self.lines[statement.lineno - 1][statement.col_offset :].decode("utf-8", "replace"))

    # -- helpers

    def changed(self, node: ast.Call, value: ast.expr, code: str) -> str:
        """The call with other code for one of its arguments."""
        arguments = [code if a is value else ast.unparse(a) for a in node.args]
        named = [
            f"{k.arg}={code if k.value is value else ast.unparse(k.value)}" if k.arg else f"**{ast.unparse(k.value)}"
            for k in node.keywords
        ]
        return f"{ast.unparse(node.func)}({', '.join([*arguments, *named])})"

    def with_argument(self, node: ast.Call, code: str) -> str:
        inside = ", ".join(ast.unparse(part) for part in (*node.args, *node.keywords))
        return f"{ast.unparse(node.func)}({inside}{', ' if inside else ''}{code})"

    def with_arguments(self, node: ast.Call, arguments: list[str]) -> str:
        named = [ast.unparse(k) for k in node.keywords]
        return f"{ast.unparse(node.func)}({', '.join([*arguments, *named])})"

    def function_of(self, node: ast.AST) -> ast.FunctionDef | None:
        """The innermost function around a node."""
        line = getattr(node, "lineno", 0)
        around = (function for function in self.functions if function.lineno <= line <= (function.end_lineno or line))
        return max(around, key=lambda function: function.lineno, default=None)

    def parameters(self, node: ast.AST) -> list[str]:
        function = self.function_of(node)
        return [a.arg for a in function.args.args] if function else []

    def locals(self, node: ast.AST) -> list[str]:
        """The names that the function around a node sets above it."""
        function, line = self.function_of(node), getattr(node, "end_lineno", 0)
        return [name for name, first in self.set_in(function).items() if first <= line] if function else []

    def set_in(self, function: ast.FunctionDef) -> dict[str, int]:
        """Name -> the first line that sets it in a function, in the order of these lines."""
        if function not in self.stored:
            names = [n for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
            first = self.stored[function] = {}
            for name in sorted(names, key=lambda n: n.lineno):
                first.setdefault(name.id, name.lineno)
        return self.stored[function]


def _blocks(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and not isinstance(node, (ast.Module, ast.ClassDef)):
                yield block


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""


def _whole(node: ast.AST) -> int | None:
    """The whole number that an expression is; None for any other."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return -node.operand.value if type(node.operand.value) is int else None
    return None


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= PART else text[: PART - 1] + "…"

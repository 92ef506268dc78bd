"""Single edits of a student's own function or class: each a mistake that people make, undone.

``edits`` yields the source with one edit, the concept behind it, and the line and part that it changes. Nothing is run here.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from . import notation
from .edited import Edit, Edited
from .nodes import Precise, attn_masks, blocks, called, conditions, ends, ends_of_ranges, is_shape, whole
from .templates import Template, replacements, templates

MOST, MOST_NODES = 700, 3000  # edits, and nodes of the source's tree
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
REDUCING = {"sum", "mean", "max", "min", "amax", "amin", "norm", "logsumexp"}
SIZES = (-1, -2, 0, 1, 2, 3)
PAIRS = {"eval": "train", "train": "eval", "sum": "mean", "mean": "sum", "tril": "triu", "triu": "tril", "split": "chunk"}
HALF = re.compile(r"\b(?:b?float16|half)\b")
RETURN, MINUS_INFINITY = "return value", 'float("-inf")'
RETURNED = (
    "iter({})",
    "torch.as_tensor({})",
    "torch.as_tensor({}).float()",
    "torch.stack({}, dim=1)",
    "float({})",
    "({}).mean()",
)


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


class _Editor(Edited):
    """Yields the edits of one source."""

    def __init__(self, source: str, tree: ast.Module, templates: tuple[Template, ...], statements: tuple[tuple[str, str], ...]):
        super().__init__(source, tree)
        self.templates, self.statements = templates, statements
        self.indexes: set[int] = set()
        sizes = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and is_shape(node.value)]
        self.unpackings = {id(target) for node in sizes for target in node.targets}  # they get the sizes of a tensor
        self.measured = {id(part) for node in sizes for part in ast.walk(node.value)}
        self.bounds = ends_of_ranges(tree)
        self.attn_masks = set(map(id, attn_masks(tree)))
        self.conditions = set(map(id, conditions(tree)))
        self.has_half = bool(HALF.search(source))

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
            self.kept,
            self.unpacked,
            self.letters,
            self.replaced,
            self.masks,
            self.lengthened,
            self.dimensions,
            self.sizes,
            self.fixed,
            self.dropped,
            self.constants,
            self.whole_lists,
            self.arguments,
            self.ends_of_loops,
            self.names,
            self.added,
        )

    # -- expressions

    def replaced(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """What the templates put in its place. A comparison that decides what is run chooses no entries of a mask."""
        for concept, code in replacements(node, self.templates):
            yield ("condition" if concept == "mask side" and id(node) in self.conditions else concept), code

    def dimensions(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """Another dimension, or one at all, for a call that works along one."""
        if not isinstance(node, ast.Call) or called(node) not in WITH_DIMENSION:
            return
        concept = "softmax axis" if "softmax" in called(node) else "dimension"
        named = [k.value for k in node.keywords if k.arg in ("dim", "axis")]
        for value in [*named, *node.args]:
            if whole(value) is not None:
                yield from ((concept, self.changed(node, value, str(size))) for size in SIZES)
        if not named and called(node) != "transpose":
            yield from ((concept, self.with_argument(node, f"dim={size}")) for size in SIZES[:4])

    def masks(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """Truth values for attn_mask: PyTorch adds numbers to the scores."""
        if id(node) in self.attn_masks:
            mask = f"({ast.unparse(node)})"
            yield "number type", f"{mask} if {mask} is None else {mask}.bool()"

    def lengthened(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """The same in single precision."""
        if self.has_half and isinstance(node, (ast.Call, ast.BinOp)) and HALF.search(code := ast.unparse(node)):
            yield "number type", ast.unparse(Precise().visit(ast.parse(code, mode="eval").body))

    def kept(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """A dimension along which something is summed up, kept with one entry."""
        if not isinstance(node, ast.Call) or called(node) not in REDUCING or not (node.args or node.keywords):
            return
        if all(keyword.arg != "keepdim" for keyword in node.keywords):
            yield "kept dimension", self.with_argument(node, "keepdim=True")

    def unpacked(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """The names of several sizes in another order."""
        if id(node) in self.unpackings and isinstance(node, ast.Tuple):
            names = [ast.unparse(name) for name in node.elts]
            for i, j in itertools.combinations(range(len(names)), 2):
                swapped = [*names]
                swapped[i], swapped[j] = names[j], names[i]
                yield "order of sizes", ", ".join(swapped)

    def letters(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """Other letters in einsum, other names in einops."""
        if isinstance(node, ast.Call) and called(node) in notation.CALLS:
            for text in node.args:
                if isinstance(text, ast.Constant) and isinstance(text.value, str) and "->" in text.value:
                    written = notation.others(called(node), text.value)
                    yield from (("letters", self.changed(node, text, repr(other))) for other in written)

    def ends_of_loops(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """The end of another loop for that of this one."""
        if id(node) in self.bounds:
            yield from (("loop", bound) for bound in dict.fromkeys(self.bounds.values()))

    def sizes(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """Another entry of a shape or a list."""
        if isinstance(node, ast.Subscript) and (number := whole(node.slice)) is not None:
            concept = "size" if "shape" in ast.unparse(node.value) else "index"
            yield from ((concept, f"{ast.unparse(node.value)}[{size}]") for size in (*SIZES, number - 1, number + 1))
        if isinstance(node, ast.Call) and called(node) == "size" and len(node.args) == 1:
            yield from (("size", f"{ast.unparse(node.func)}({size})") for size in SIZES)

    def fixed(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """A size where a fixed number stands."""
        if abs(whole(node) or 0) > 1:
            parts = ("", ".shape[-1]", ".shape[-2]", ".shape[0]")
            yield from (("fixed size", f"{name}{part}") for name in self.scopes.parameters(node) for part in parts)

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
        elif isinstance(node, ast.Tuple):
            yield from ((RETURN, ast.unparse(part)) for part in ends(node))
        elif isinstance(node, ast.Attribute) and node.attr in PAIRS:
            concept = node.attr if node.attr in ("eval", "train") else "function"
            yield concept, f"{ast.unparse(node.value)}.{PAIRS[node.attr]}"

    def constants(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """Another number, truth value or text; indexes are sizes."""
        number = whole(node)
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
        if called(node) == "permute" and len(plain) == 4:
            yield from (
                ("dimension order", self.with_arguments(node, list(order))) for order in ("0213", "0132", "0312", "0231")
            )

    def whole_lists(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """A list as one argument instead of its elements."""
        if not isinstance(node, ast.Call):
            return
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                others = [ast.unparse(argument.value if a is argument else a) for a in node.args]
                yield "unpacking", self.with_arguments(node, others)

    def names(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """Another parameter or local name."""
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            scope = list(dict.fromkeys([*self.scopes.parameters(node), *self.scopes.locals(node)]))
            if node.id in scope:
                yield from (("name", name) for name in scope if name not in (node.id, "self"))

    def added(self, node: ast.expr) -> Iterator[tuple[str, str]]:
        """An added conversion, or dimensions swapped first."""
        if id(node) in self.measured:
            return  # the order of the names is what to ask about
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in self.scopes.parameters(node):
            for code in ("{}.transpose(1, 2)", "{}.contiguous()", "{}.float()", "{}.clone()", "iter({})"):
                yield "missing step", code.format(node.id)

    # -- statements

    def returns(self) -> Iterator[Edit]:
        """A function that ends without returning what it has computed, or returns it in another form."""
        for function in self.scopes.functions:
            yield from self.ends(function.body[-1])

    def ends(self, last: ast.stmt) -> Iterator[Edit]:
        """Other ends of a function than its last statement."""
        if isinstance(last, ast.Expr):
            if isinstance(last.value, ast.Call) and called(last.value) == "print" and last.value.args:
                yield from self.replace(last, RETURN, f"return {ast.unparse(last.value.args[0])}")
            yield from self.replace(last, RETURN, f"return {ast.unparse(last.value)}")
        elif isinstance(last, ast.Assign) and isinstance(last.targets[0], ast.Name):
            yield from self.insert(last, RETURN, f"return {last.targets[0].id}", after=True)
        elif isinstance(last, (ast.For, ast.While, ast.With, ast.If)):
            for name in self.scopes.locals(last)[-3:]:
                yield from self.insert(last, RETURN, f"return {name}", after=True)
        elif isinstance(last, ast.Return) and last.value is not None:
            for text in RETURNED:
                yield from self.replace(last, RETURN, f"return {text.format(ast.unparse(last.value))}")

    def structure(self) -> Iterator[Edit]:
        """Statements dropped, swapped, moved out of a block, or added."""
        for block in blocks(self.tree):
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
            yield from self.accumulated(loop)

    def accumulated(self, loop: ast.AST) -> Iterator[Edit]:
        """Values that each round of a loop adds up instead of replacing them."""
        for statement in loop.body if isinstance(loop, (ast.For, ast.While)) else ():
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], (ast.Name, ast.Subscript)):
                code = f"{ast.unparse(statement.targets[0])} += {ast.unparse(statement.value)}"
                yield from self.replace(statement, "accumulation", code)

    def inserted(self, block: list[ast.stmt]) -> Iterator[Edit]:
        """Statements that may be missing, at every place of a block."""
        for concept, code in self.statements if block else ():
            for statement in block:
                yield from self.insert(statement, concept, code)
            if not isinstance(block[-1], ast.Return):
                yield from self.insert(block[-1], concept, code, after=True)

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

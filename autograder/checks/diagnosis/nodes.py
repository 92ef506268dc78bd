"""Questions about the nodes of a tree that edits are made of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import cast


def blocks(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and not isinstance(node, (ast.Module, ast.ClassDef)):
                yield block


def ends_of_ranges(tree: ast.AST) -> dict[int, str]:
    """The last number of each range and its code, by the node's id."""
    ranges = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) == "range" and node.args]
    return {id(end): ast.unparse(end) for end in (node.args[:2][-1] for node in ranges)}


def attn_masks(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions that a call gets as attn_mask, where they stand or where their name is bound."""
    for keyword in (node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "attn_mask"):
        name = keyword.value.id if isinstance(keyword.value, ast.Name) else None
        yield from values_of(tree, name) or [keyword.value]


def values_of(tree: ast.AST, name: str | None) -> list[ast.expr]:
    """What is assigned to a name anywhere in the tree."""
    assignments = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    return [node.value for node in assignments if isinstance(node.targets[0], ast.Name) and node.targets[0].id == name]


def ends(node: ast.Tuple) -> list[ast.expr]:
    """The first and the last part of a tuple that is read, and not assigned to."""
    return [node.elts[0], node.elts[-1]] if node.elts and isinstance(node.ctx, ast.Load) else []


def conditions(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions that are asked for one truth value, the parts of `and`, `or` and `not` among them."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.If, ast.While, ast.IfExp, ast.Assert)):
            yield node.test
        elif isinstance(node, ast.comprehension):
            yield from node.ifs
        elif isinstance(node, ast.BoolOp):
            yield from node.values
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield from (node, node.operand)


class Precise(ast.NodeTransformer):
    """Takes single precision wherever numbers are made half as long."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return ast.Attribute(node.value, "float32", node.ctx) if node.attr in ("bfloat16", "float16", "half") else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in ("half", "bfloat16") and not node.args:
            return cast("ast.AST", self.visit(function.value))
        return self.generic_visit(node)


def is_shape(node: ast.expr) -> bool:
    """Whether an expression gives all sizes of something."""
    if isinstance(node, ast.Call):
        return called(node) == "size" and not node.args and not node.keywords
    return isinstance(node, ast.Attribute) and node.attr == "shape"


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""


def whole(node: ast.AST) -> int | None:
    """The whole number that an expression is; None for any other."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return -node.operand.value if type(node.operand.value) is int else None
    return None

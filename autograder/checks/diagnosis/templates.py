"""Edits of expressions as data: what to look for, what to put in its place, and the concept behind it.

A name that begins with an underscore stands for any expression, the same one wherever it occurs; everything else has to be
there as it stands. Edits that explain come before those that rewrite. An assignment adds its own with the same three fields.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

UNSEEN = ("ctx", "kind", "type_comment")  # fields of a node that make no difference


@dataclass(frozen=True)
class Template:
    """``find``: a pattern; ``put``: the code in its place."""

    concept: str
    find: ast.expr
    put: str


def template(concept: str, find: str, put: str) -> Template:
    return Template(concept, ast.parse(find, mode="eval").body, put)


# concept, what is there, and what may be right in its place
TABLE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("transpose", "_a @ _b", ("_a @ _b.transpose(-2, -1)", "_a.transpose(-2, -1) @ _b", "(_a @ _b).transpose(-2, -1)")),
    ("operand order", "_a @ _b", ("_b @ _a", "_b @ _a.transpose(-2, -1)")),
    ("transpose", "torch.matmul(_a, _b)", ("torch.matmul(_a, _b.transpose(-2, -1))", "torch.matmul(_a.transpose(-2, -1), _b)")),
    ("operand order", "torch.matmul(_a, _b)", ("torch.matmul(_b, _a)",)),
    ("leading dimensions", "torch.bmm(_a, _b)", ("_a @ _b",)),
    ("leading dimensions", "_a.bmm(_b)", ("_a @ _b",)),
    ("leading dimensions", "torch.mm(_a, _b)", ("_a @ _b",)),
    ("transpose", "torch.bmm(_a, _b)", ("torch.bmm(_a, _b.transpose(-2, -1))", "_a @ _b.transpose(-2, -1)")),
    ("transpose", "_a.matmul(_b)", ("_a.matmul(_b.transpose(-2, -1))", "_a.transpose(-2, -1).matmul(_b)", "_b.matmul(_a)")),
    ("swapped dimensions", "_a.T", ("_a.transpose(-2, -1)", "_a")),
    ("swapped dimensions", "_a.t()", ("_a.transpose(-2, -1)", "_a")),
    ("swapped dimensions", "_a.mT", ("_a",)),
    ("swapped dimensions", "_a.transpose(_i, _j)", ("_a.transpose(-2, -1)", "_a.transpose(1, 2)", "_a")),
    ("swapped dimensions", "torch.transpose(_a, _i, _j)", ("_a.transpose(-2, -1)", "_a.transpose(1, 2)", "_a")),
    ("swapped dimensions", "_a.swapaxes(_i, _j)", ("_a.transpose(-2, -1)", "_a.transpose(1, 2)", "_a")),
    ("matrix product", "_a * _b", ("_a @ _b", "_a @ _b.transpose(-2, -1)")),
    ("scale", "_a / _b", ("_a / _b ** 0.5", "_a * _b", "_a", "_a / _b ** 2", "_b / _a")),
    ("scale", "_a * _b", ("_a / _b", "_a", "_b", "_a / _b ** 0.5", "_a * _b ** 0.5", "_a + _b")),
    ("scale", "_a / _b / _c", ("_a / (_b / _c)", "_a / (_b / _c) ** 0.5", "_a / _b * _c", "_a / (_b * _c)")),
    ("scale", "_a / _b ** 0.5 / _c", ("_a / (_b / _c) ** 0.5",)),
    ("scale", "_a / math.sqrt(_b) / _c", ("_a / (_b / _c) ** 0.5",)),
    ("scale", "_a / _b ** 1 / 2", ("_a / _b ** 0.5",)),
    ("scale", "_a ** 1 / 2", ("_a ** 0.5",)),
    ("scale", "_a ** -1 / 2", ("_a ** -0.5",)),
    ("scale", "_a * _b ** -1 / 2", ("_a * _b ** -0.5",)),
    ("whole number", "math.isqrt(_a)", ("math.sqrt(_a)",)),
    ("whole number", "_a // _b", ("_a / _b",)),
    ("scale", "math.sqrt(_a)", ("_a", "math.sqrt(_a / _b)")),
    ("scale", "math.sqrt(_a * _b)", ("math.sqrt(_a / _b)", "math.sqrt(_a)", "math.sqrt(_b)")),
    ("scale", "math.sqrt(_a / _b)", ("math.sqrt(_a)", "math.sqrt(_b)", "math.sqrt(_b / _a)", "math.sqrt(_a * _b)")),
    ("scale", "np.sqrt(_a)", ("_a",)),
    ("scale", "torch.sqrt(_a)", ("_a", "_a ** 0.5")),
    ("scale", "_a ** 0.5", ("_a", "_a ** -0.5")),
    ("scale", "_a ** -0.5", ("_a ** 0.5", "_a ** -1")),
    ("scale", "_a ** 2", ("_a ** 0.5", "_a")),
    ("whole number", "_a / _b", ("_a // _b",)),
    ("sign", "-_a", ("_a",)),
    ("one step too many", "_a + _b", ("_a", "_b")),
    ("one step too many", "_a - _b", ("_a",)),
    ("operator", "_a + _b", ("_a - _b", "_a * _b")),
    ("operator", "_a - _b", ("_a + _b", "_b - _a", "_a / _b")),
    ("comparison", "_a >= _b", ("_a == _b",)),
    ("comparison", "_a <= _b", ("_a == _b",)),
    ("comparison", "_a > _b", ("_a == _b",)),
    ("comparison", "_a < _b", ("_a == _b",)),
    ("comparison", "_a is _b", ("_a == _b",)),
    ("mask side", "_a == 0", ("_a != 0",)),
    ("mask side", "_a == 1", ("_a == 0", "_a != 1")),
    ("mask side", "_a == _b", ("_a != _b",)),
    ("mask side", "_a != _b", ("_a == _b",)),
    ("mask side", "~_a", ("_a",)),
    ("mask side", "not _a", ("_a",)),
    (
        "mask side",
        "_a.masked_fill(_m, _v)",
        ("_a.masked_fill(~_m, _v)", "_a.masked_fill(_m == 0, _v)", "_a.masked_fill(_m.bool(), _v)"),
    ),
    (
        "mask fill",
        "_a.masked_fill(_m, _v)",
        ('_a.masked_fill(_m, float("-inf"))', "_a.masked_fill(_m, 0)", "_a.masked_fill(_m, 1)"),
    ),
    ("mask side", "_a.masked_fill_(_m, _v)", ("_a.masked_fill_(~_m, _v)", "_a.masked_fill_(_m == 0, _v)")),
    ("mask fill", "_a.masked_fill_(_m, _v)", ('_a.masked_fill_(_m, float("-inf"))',)),
    ("mask fill", "torch.masked_fill(_a, _m, _v)", ('_a.masked_fill(_m, float("-inf"))', "_a.masked_fill(~_m, _v)")),
    ("mask fill", "_a * _m", ('_a.masked_fill(_m == 0, float("-inf"))', '_m.masked_fill(_a == 0, float("-inf"))')),
    ("mask fill", "torch.where(_m, _a, _b)", ('torch.where(_m, _a, float("-inf"))', "torch.where(_m, _b, _a)")),
    ("mask fill", "torch.where(_m == _c, _a, _b)", ("torch.where(_m == _c, _b, _a)",)),
    ("less or equal", "_a < _b", ("_a <= _b", "_a > _b", "_a >= _b")),
    ("less or equal", "_a <= _b", ("_a < _b", "_a >= _b", "_a > _b")),
    ("less or equal", "_a > _b", ("_a >= _b", "_a < _b", "_a <= _b")),
    ("less or equal", "_a >= _b", ("_a > _b", "_a <= _b", "_a < _b")),
    ("triangle", "torch.tril(_a, _d)", ("torch.tril(_a)", "torch.triu(_a)", "torch.triu(_a, 1) == 0")),
    ("triangle", "torch.triu(_a, _d)", ("torch.tril(_a)", "1 - torch.triu(_a, 1)")),
    ("triangle", "torch.tril(_a, diagonal=_d)", ("torch.tril(_a)", "torch.triu(_a)")),
    ("triangle", "torch.triu(_a, diagonal=_d)", ("torch.tril(_a)", "1 - torch.triu(_a, 1)")),
    ("triangle", "torch.triu(_a)", ("torch.tril(_a)", "1 - torch.triu(_a, 1)")),
    ("triangle", "torch.tril(_a)", ("torch.triu(_a)", "torch.triu(_a).T")),
    ("triangle", "torch.ones(_a, _b)", ("torch.tril(torch.ones(_a, _b))",)),
    ("triangle", "torch.ones((_a, _b))", ("torch.tril(torch.ones((_a, _b)))",)),
    ("triangle", "_a.triu()", ("_a.tril()",)),
    ("triangle", "_a.triu(_d)", ("_a.tril()",)),
    ("fill", "torch.zeros(_a, _b)", ("torch.ones(_a, _b)",)),
    ("fill", "torch.empty(_a, _b)", ("torch.ones(_a, _b)", "torch.zeros(_a, _b)")),
    ("fill", "torch.rand(_a, _b)", ("torch.ones(_a, _b)",)),
    ("softmax axis", "F.softmax(_a)", ("F.softmax(_a, dim=-1)",)),
    ("softmax axis", "torch.softmax(_a)", ("torch.softmax(_a, dim=-1)",)),
    ("softmax axis", "_a.softmax()", ("_a.softmax(-1)",)),
    ("softmax axis", "nn.Softmax()(_a)", ("torch.softmax(_a, dim=-1)",)),
    ("softmax axis", "_a.exp() / _b.exp().sum()", ("torch.softmax(_a, dim=-1)",)),
    ("softmax axis", "torch.exp(_a) / torch.exp(_a).sum()", ("torch.softmax(_a, dim=-1)",)),
    ("softmax axis", "_a / _b.sum()", ("_a / _b.sum(-1, keepdim=True)",)),
    ("softmax axis", "_a / torch.sum(_b)", ("_a / _b.sum(-1, keepdim=True)",)),
    ("softmax axis", "_a / _b.sum(dim=_d)", ("_a / _b.sum(dim=-1, keepdim=True)",)),
    ("softmax axis", "_a / _b.sum(_d)", ("_a / _b.sum(-1, keepdim=True)",)),
    ("softmax", "F.log_softmax(_a, dim=_d)", ("F.softmax(_a, dim=_d)",)),
    ("softmax", "torch.log_softmax(_a, dim=_d)", ("torch.softmax(_a, dim=_d)",)),
    ("softmax", "torch.sigmoid(_a)", ("torch.softmax(_a, dim=-1)",)),
    ("contiguous", "_a.view(__)", ("_a.reshape(__)",)),
    (
        "dimension order",
        "_a.reshape(__)",
        ("_a.transpose(1, 2).reshape(__)", "_a.reshape(__).transpose(1, 2)", "_a.transpose(-2, -1)"),
    ),
    (
        "dimension order",
        "_a.view(__)",
        ("_a.transpose(1, 2).reshape(__)", "_a.view(__).transpose(1, 2)", "_a.transpose(-2, -1)"),
    ),
    ("dimension order", "torch.reshape(_a, _b)", ("torch.reshape(_a.transpose(1, 2), _b)", "_a.transpose(-2, -1)")),
    ("dimension order", "_a.flatten(__)", ("_a.transpose(1, 2).flatten(__)",)),
    ("dimension order", "_a.unflatten(__)", ("_a.unflatten(__).transpose(1, 2)",)),
    ("joining", "torch.stack(_a)", ("torch.stack(_a, dim=1)", "torch.cat(_a, dim=-1)")),
    ("joining", "torch.cat(_a)", ("torch.cat(_a, dim=-1)", "torch.stack(_a, dim=1)")),
    ("mean or sum", "_a.sum()", ("_a.mean()",)),
    ("mean or sum", "_a.mean()", ("_a.sum()",)),
    ("mean or sum", "sum(_a)", ("sum(_a) / len(_a)",)),
    ("extremum", "_a.argmin(__)", ("_a.argmax(__)",)),
    ("extremum", "torch.argmin(__)", ("torch.argmax(__)",)),
    ("extremum", "_a.max(_d)", ("_a.argmax(_d)",)),
    ("extremum", "_a.max(dim=_d)", ("_a.argmax(dim=_d)",)),
    ("extremum", "max(__)", ("min(__)",)),
    ("extremum", "min(__)", ("max(__)",)),
    ("gradient", "_a.item()", ("_a",)),
    ("gradient", "_a.detach()", ("_a",)),
    ("gradient", "_a.data", ("_a",)),
    ("tensor", "_a.numpy()", ("_a",)),
    ("tensor", "_a.tolist()", ("_a",)),
    ("tensor", "np.tril(__)", ("torch.tril(torch.as_tensor(__))", "torch.as_tensor(np.tril(__))")),
    ("device", "_a.cuda()", ("_a",)),
    ("device", '_a.to("cuda")', ("_a",)),
    ("number type", "_a.mean()", ("_a.float().mean()",)),
    ("number type", "_a.int()", ("_a",)),
    ("number type", "_a.long()", ("_a",)),
    ("number type", "_a.half()", ("_a",)),
    ("number type", "_a.float()", ("_a.bool()",)),
    ("number type", "_a.to(__)", ("_a.bool()",)),
    ("number type", "round(__)", ("(__)",)),
    ("number type", "int(_a)", ("_a", "float(_a)")),
    ("unpacking", "zip(_a)", ("zip(*_a)",)),
    ("text", 'float("inf")', ('float("-inf")',)),
    ("text", "torch.inf", ("-torch.inf",)),
    ("text", "math.inf", ("-math.inf",)),
)


@functools.cache
def templates() -> tuple[Template, ...]:
    """Those of the table, parsed when they are first needed: a right answer needs none."""
    return tuple(template(concept, find, put) for concept, find, puts in TABLE for put in puts)


def replacements(node: ast.expr, tried: tuple[Template, ...]) -> Iterator[tuple[str, str]]:
    """(concept, code in the place of this expression) by every template that fits it."""
    for one in tried:
        bound: dict[str, str] = {}
        if type(one.find) is type(node) and fits(one.find, node, bound):
            yield one.concept, filled(one.put, bound)


def fits(pattern: ast.AST, node: ast.AST, bound: dict[str, str]) -> bool:
    """Whether an expression fits a pattern; ``bound`` gets the code of what its underscored names stand for.

    ``__`` as the only argument stands for all arguments.
    """
    if isinstance(pattern, ast.Name) and pattern.id.startswith("_"):
        code = ast.unparse(node)
        return bound.setdefault(pattern.id, code) == code
    if type(pattern) is not type(node):
        return False
    if isinstance(pattern, ast.Call) and isinstance(node, ast.Call) and _takes_all(pattern):
        bound["__"] = ", ".join(ast.unparse(part) for part in (*node.args, *node.keywords))
        return fits(pattern.func, node.func, bound)
    return all(_parts_fit(getattr(pattern, name), getattr(node, name), bound) for name in pattern._fields if name not in UNSEEN)


def _parts_fit(a: Any, b: Any, bound: dict[str, str]) -> bool:
    """The same for a field of a node: nodes, lists of nodes, and plain values."""
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(fits(x, y, bound) for x, y in zip(a, b))
    if isinstance(a, ast.AST):
        return isinstance(b, ast.AST) and fits(a, b, bound)
    return type(a) is type(b) and bool(a == b)


def _takes_all(pattern: ast.Call) -> bool:
    return len(pattern.args) == 1 and isinstance(pattern.args[0], ast.Name) and pattern.args[0].id == "__"


def filled(put: str, bound: dict[str, str]) -> str:
    """The code of a template with its names replaced by what they stand for."""
    tree = ast.parse(put, mode="eval").body
    if "__" in bound:
        return put_all(put, bound)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in bound:
            node.id = f"({bound[node.id]})"
    return ast.unparse(tree)


def put_all(put: str, bound: dict[str, str]) -> str:
    """The code of a template that hands all arguments on."""
    for name, code in sorted(bound.items(), key=lambda pair: -len(pair[0])):
        put = put.replace(f"({name})", f"({code})") if name == "__" else put.replace(f"{name}.", f"({code}).")
    return put

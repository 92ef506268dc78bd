"""Which hidden set a section of a submission is judged on.

A keyed function of the statements behind the section's answers, of which only what they do is looked at: comments, layout,
docstrings, annotations, names, the order of statements, files and their formats do not matter. Whoever writes the same in
another way may get another set, but not an easier one: all sets have the same sizes, and the audit shows that each mistake
fails on each of them.
"""

from __future__ import annotations

import ast
import hashlib
import hmac
from collections import deque
from collections.abc import Iterable, Iterator

UNSEEN = {"annotation", "returns", "type_comment", "ctx", "kind"}


def choose(key: bytes, code: bytes, count: int) -> int:
    """A number below ``count``, which nobody without the key can tell, and always the same for the same code."""
    return int.from_bytes(hmac.digest(key, code, "sha256")[:8], "big") % count


def essence(statements: Iterable[ast.stmt]) -> bytes:
    """A digest of what these statements do, whatever their order; linear in their size, without recursion."""
    digests = {hashlib.sha256("\0".join(_tokens(node)).encode("utf-8", "surrogatepass")).digest() for node in statements}
    return hashlib.sha256(b"".join(sorted(digests))).digest()


def _tokens(statement: ast.stmt) -> Iterator[str]:
    """The kinds of a statement's nodes, level by level, with attributes and constants but without other names."""
    pending: deque[ast.AST] = deque([statement])
    while pending:
        node = pending.popleft()
        if not _does_nothing(node):
            yield _text(node)
            pending.extend(_children(node))


def _does_nothing(node: ast.AST) -> bool:
    """Whether this is ``pass``, or a docstring or other constant on a line of its own."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _text(node: ast.AST) -> str:
    """What a node is, without names. Integers in base 16: Python refuses to write very long ones in base 10."""
    if isinstance(node, ast.Constant):
        kind, value = type(node.value).__name__, node.value
        return f"{kind} {hex(value) if type(value) is int else value!r}"
    if isinstance(node, ast.Attribute):
        return f"Attribute {node.attr}"
    return "Assign" if isinstance(node, ast.AnnAssign) else type(node).__name__


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for field, value in ast.iter_fields(node):
        if field not in UNSEEN:
            yield from (item for item in (value if isinstance(value, list) else [value]) if isinstance(item, ast.AST))

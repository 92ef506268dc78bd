"""A source with one edit: an expression or statement replaced, one added, two swapped, one moved out of its block."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .scopes import Scopes

PART = 60  # characters of the line that are quoted


@dataclass(frozen=True)
class Edit:
    """``code``: the whole source with the edit; ``line`` (from 1) and ``part``: what it changes, as it stands in the source.

    ``also``: another line that it changes or whose value it does without, if there is one; ``adds``: the statement that it
    adds before that line, if it does.
    """

    concept: str
    line: int
    part: str
    code: str
    rank: int = 0
    also: int = 0
    adds: str = ""


class Edited:
    """One source, which each method yields with an edit; nothing is yielded where it cannot be made by whole lines."""

    def __init__(self, source: str, tree: ast.Module):
        self.tree, self.scopes = tree, Scopes(tree)
        self.lines = source.encode("utf-8").splitlines(keepends=True)

    def put(self, node: ast.expr, concept: str, code: str) -> Iterator[Edit]:
        """The source with this code in the place of an expression."""
        if not code or node.end_lineno is None or node.end_col_offset is None:
            return
        first, last = node.lineno - 1, node.end_lineno - 1
        before, after = self.lines[first][: node.col_offset], self.lines[last][node.end_col_offset :]
        old = b"".join(self.lines[first : last + 1]).removesuffix(after)[node.col_offset :]
        new = b"".join([*self.lines[:first], before, f"({code})".encode(), after, *self.lines[last + 1 :]])
        also = self.scopes.done_without(node, code)
        yield Edit(concept, node.lineno, _short(old.decode("utf-8", "replace")), new.decode("utf-8"), also=also)

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


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= PART else text[: PART - 1] + "…"

"""The statements behind a function as names stood in its own part: a name rebound later does not reach back.

A function reads its globals when it is called, which the grader does after everything else has run: ``F = torch.randn(8, 4)``
in a scratch cell at the end would change what ``F.softmax`` means in an answer far above it. So an answer that fails is judged
once more without what follows it. A constant that only a later statement defines is still found.
"""

from __future__ import annotations

import ast
import builtins
import functools
from typing import TYPE_CHECKING

from autograder.core.syntax import stored, walk
from autograder.slicing.effects import imported

if TYPE_CHECKING:
    from autograder.slicing.slicer import Slicer

BUILTINS = frozenset(dir(builtins))
BY_NAME = {"setattr", "delattr", "exec"}  # calls as statements that may rebind a name or an attribute


def statements(slicer: Slicer, wanted: set[str], available: set[int]) -> set[int]:
    """The slice up to the last definition of a wanted name, with the first binding of each name that is missing there."""
    last = max((i for i in available if slicer.effects[i].binds & wanted), default=-1)
    before = {i for i in available if i <= last}
    chosen, tried = slicer.needed(wanted, before), set[str]()
    bound = _given(slicer.section.prelude) | _bound(slicer, before)
    while missing := (wanted | _read(slicer, chosen)) - bound - tried:
        tried |= missing
        found = {i for name in missing for i in slicer.first_binding(name, last + 1)}
        chosen |= found | slicer.needed(_read(slicer, found), before)
    first = _first_bound(slicer, chosen)
    return chosen - {i for i in before & chosen if _rebinds_only(slicer, i, chosen, wanted, first)}


def _first_bound(slicer: Slicer, indexes: set[int]) -> dict[str, int]:
    """Name -> the first of these statements that binds it; -1 where it is there before all statements."""
    first: dict[str, int] = dict.fromkeys(_given(slicer.section.prelude), -1)
    for i in sorted(indexes):
        for name in slicer.effects[i].binds:
            first.setdefault(name, i)
    return first


def _read(slicer: Slicer, indexes: set[int]) -> set[str]:
    return {name for i in indexes for name in slicer.effects[i].uses}


def _bound(slicer: Slicer, indexes: set[int]) -> set[str]:
    return {name for i in indexes for name in slicer.effects[i].binds}


def left_out(slicer: Slicer, wanted: set[str], chosen: set[int], early: set[int]) -> bool:
    """Whether the early slice lacks a statement of the whole one that may give a name in the answers another meaning."""
    read = wanted | _read(slicer, early)
    return any(slicer.effects[i].binds & read or _rebinds_by_name(slicer.statements[i].node) for i in chosen - early)


@functools.lru_cache
def _given(prelude: str) -> frozenset[str]:
    """The names that are there before the submission's first statement."""
    body = ast.parse(prelude).body
    bound = stored(part for node in body for part in walk(node))
    return BUILTINS.union(imported(body), bound, *({node.name} for node in body if isinstance(node, ast.FunctionDef)))


def _rebinds_only(slicer: Slicer, index: int, chosen: set[int], wanted: set[str], first: dict[str, int]) -> bool:
    """Whether all that a statement does for the answers is to rebind names that functions above it had read before."""
    effects = slicer.effects
    binds = effects[index].binds
    if binds & wanted:
        return False
    readers = {i for name in binds for i in slicer.index.uses.get(name, ()) if i != index and i in chosen}
    if not readers or not all(i < index and _defines(slicer.statements[i].node) for i in readers):
        return False
    begin = min(readers)
    return all(first.get(name, begin) < begin for i in readers for name in binds & effects[i].uses)


def _defines(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))


def _rebinds_by_name(node: ast.stmt) -> bool:
    """A star import, an assignment to an attribute or an item, or a call that may rebind what it is given the name of."""
    if isinstance(node, ast.ImportFrom):
        return node.names[0].name == "*"
    if isinstance(node, ast.Expr):
        calls = [part.func for part in walk(node) if isinstance(part, ast.Call)]
        return any(isinstance(call, ast.Name) and call.id in BY_NAME for call in calls)
    return not _defines(node)

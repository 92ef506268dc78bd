"""The statements behind a function as names stood in its own part: a name rebound later does not reach back.

A function reads its globals when it is called, which the grader does after everything else has run: ``F = torch.randn(8, 4)``
in a scratch cell at the end would change what ``F.softmax`` means in an answer far above it. So an answer that fails is judged
once more without what follows it. A constant that only a later statement defines is still found.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograder.core.syntax import DEFINED, bound_by, walk

if TYPE_CHECKING:
    from autograder.slicing.slicer import Slicer

BUILTINS = frozenset(dir(builtins))
BY_NAME = {"setattr", "delattr", "exec"}  # calls as statements that may rebind a name or an attribute


def statements(slicer: Slicer, wanted: set[str], available: set[int]) -> set[int]:
    """The slice up to the last definition of a wanted name, with the first binding of each name that is missing there."""
    last = max((i for i in available if slicer.effects[i].binds & wanted), default=-1)
    before = {i for i in available if i <= last}
    chosen, tried = slicer.needed(wanted, before), set[str]()
    asked = fresh = wanted | _read(slicer, chosen)
    bound, left = BUILTINS | bound_by(slicer.section.prelude) | _bound(slicer, before), before - chosen
    while missing := fresh - bound - tried:
        tried |= missing
        found = {i for name in missing for i in slicer.first_binding(name, last + 1)}
        added = found | slicer.needed(_read(slicer, found) - asked, left)
        fresh = _read(slicer, added - chosen)
        asked, chosen = asked | fresh, chosen | added
        left -= added
    first, readers = _first_bound(slicer, chosen), _readers(slicer, chosen)
    return chosen - {i for i in before & chosen if _rebinds_only(slicer, i, readers, wanted, first)}


def _first_bound(slicer: Slicer, indexes: set[int]) -> dict[str, int]:
    """Name -> the first of these statements that binds it; -1 where it is there before all statements."""
    first: dict[str, int] = dict.fromkeys(BUILTINS | bound_by(slicer.section.prelude), -1)
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


@dataclass
class _Readers:
    """The statements that read a name, in order, and those of them that define no function and no class."""

    all: list[int]
    plain: set[int]


def _readers(slicer: Slicer, chosen: set[int]) -> dict[str, _Readers]:
    """Name -> which of the chosen statements read it."""
    defining = {i for i in chosen if isinstance(slicer.statements[i].node, DEFINED)}
    found: dict[str, _Readers] = {}
    for i in sorted(chosen):
        for name in slicer.effects[i].uses:
            readers = found.setdefault(name, _Readers([], set()))
            readers.all.append(i)
            if i not in defining:
                readers.plain.add(i)
    return found


def _rebinds_only(slicer: Slicer, index: int, readers: dict[str, _Readers], wanted: set[str], first: dict[str, int]) -> bool:
    """Whether all that a statement does for the answers is to rebind names that functions above it had read before."""
    binds = slicer.effects[index].binds
    if binds & wanted:
        return False
    begins: dict[str, int] = {}  # of the names that are read elsewhere, by whom first
    for name in binds & readers.keys():
        read = readers[name]
        ends = [i for i in (*read.all[:2], *read.all[-2:]) if i != index]
        if ends and (max(ends) > index or len(read.plain) > (index in read.plain)):
            return False
        begins |= {name: min(ends)} if ends else {}
    begin = min(begins.values(), default=0)
    return bool(begins) and all(first.get(name, begin) < begin for name in begins)


def _rebinds_by_name(node: ast.stmt) -> bool:
    """A star import, an assignment to an attribute or an item, or a call that may rebind what it is given the name of."""
    if isinstance(node, ast.ImportFrom):
        return node.names[0].name == "*"
    if isinstance(node, ast.Expr):
        calls = [part.func for part in walk(node) if isinstance(part, ast.Call)]
        return any(isinstance(call, ast.Name) and call.id in BY_NAME for call in calls)
    return not isinstance(node, DEFINED)

"""Which of an assignment's functions a composite calls, and in which order, by its code."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence

from .findings import RULE, Finding


def composition(name: str, source: str, steps: Sequence[str]) -> Finding | None:
    """What the composite ``name`` leaves out, calls twice or in another order than these ``steps``; None if nothing of that.

    A composite that calls fewer than half of the steps is built in another way, about which nothing is said.
    """
    called = [step for call in calls(name, source) for step in steps if call == step or call.startswith(f"{step}_")]
    if not steps or 2 * len(set(called)) < len(steps):
        return None
    if missing := [f"`{step}`" for step in steps if step not in called]:
        return _missing(name, missing)
    for before, after in itertools.pairwise(steps):
        if called.index(after) < called.index(before):
            return Finding(
                RULE, "order of steps", f"`{name}` calls `{after}` before `{before}`: which of them has to come first?"
            )
    return _twice(name, called, steps)


def _missing(name: str, missing: list[str]) -> Finding:
    them = "it does" if len(missing) == 1 else "they do"
    return Finding(RULE, "composition", f"`{name}` does not call {listed(missing)}: is what {them} done in another way?")


def _twice(name: str, called: list[str], steps: Sequence[str]) -> Finding | None:
    more = [step for step in steps[1:-1] if called.count(step) > called.count(steps[-1])]
    return Finding(RULE, "composition", f"`{name}` calls `{more[0]}` more than once") if more else None


def unused(name: str, source: str, spare: Sequence[str] = ()) -> Finding | None:
    """The parameters that the function ``name`` never looks at, apart from ``spare``; None if it uses all others."""
    function = function_of(name, source)
    if function is None:
        return None
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    parameters = [one.arg for one in (*function.args.args, *function.args.kwonlyargs)]
    left = [
        f"`{one}`" for one in parameters if one not in used and not one.startswith("_") and one not in ("self", "cls", *spare)
    ]
    return Finding(RULE, "unused argument", f"`{name}` never uses {listed(left)}") if left else None


def function_of(name: str, source: str) -> ast.FunctionDef | None:
    """The last function of this name in a source; None if there is none, or if the source does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    own = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name]
    return own[-1] if own else None


def calls(name: str, source: str) -> list[str]:
    """The names of the functions that the function ``name`` calls, in the order in which the calls end."""
    function = function_of(name, source)
    return list(_calls(function)) if function else []


def _calls(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        yield from _calls(child)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        yield node.func.id


def listed(names: list[str]) -> str:
    """The names in one phrase: ``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

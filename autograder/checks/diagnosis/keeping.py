"""Answers that keep something from one call to the next: right when they are called alone, wrong after another call."""

from __future__ import annotations

import ast

from ..case import STATE
from .findings import RULE, Finding

KEPT = Finding(
    RULE,
    STATE,
    "Called alone, this call gives the right result, and after others it does not: something is kept from one call to the next",
)
CHANGING = (ast.List, ast.Dict, ast.Set, ast.Call)  # defaults that a call may change


def may_keep(source: str) -> bool:
    """Whether a function has anything that outlives a call: a global, an attribute, a default that changes, a decorator."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for node in ast.walk(tree):
        if isinstance(node, (ast.Global, ast.Nonlocal)) or (
            isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        ):
            return True
        if isinstance(node, ast.FunctionDef):
            defaults = (*node.args.defaults, *(default for default in node.args.kw_defaults if default))
            if node.decorator_list or any(isinstance(default, CHANGING) for default in defaults):
                return True
    return False

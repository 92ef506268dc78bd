"""What a function does to the tensors that it is given, beside what it returns: seen by one call with tensors to be trained."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

TRACED, MOST_NODES = "$traced", 20_000  # nodes of a graph that are looked at


def make_tracer(decode: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return ``trace(function, args, kwargs)`` for arguments of which some are ``{"$traced": array}``.

    It calls the function with tensors that require gradients in their places and returns two lists of truth values, one value
    for each of these tensors: ``changed``, whether its numbers are others afterwards, and ``cut``, whether no gradient flows
    to it from the result.
    """
    torch: Any = sys.modules.get("torch")

    def trace(function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> dict[str, list[bool]]:
        leaves = [torch.from_numpy(arg[TRACED].copy()).requires_grad_(True) for arg in args if is_traced(arg)]
        with torch.enable_grad():  # whatever another cell has switched off
            given = [leaf.clone() for leaf in leaves]
            places = iter(given)
            result = function(*(next(places) if is_traced(arg) else decode(arg) for arg in args), **decode(kwargs))
        reached = reached_by(getattr(result, "grad_fn", None))
        return {
            "changed": [not torch.equal(tensor.detach(), leaf.detach()) for tensor, leaf in zip(given, leaves)],
            "cut": [id(leaf) not in reached for leaf in leaves],
        }

    return trace


def is_traced(arg: Any) -> bool:
    return isinstance(arg, dict) and set(arg) == {TRACED}


def reached_by(node: Any) -> set[int]:
    """The ids of the leaves of a graph of gradients, which is walked through and not run."""
    seen, found, left = {None, node}, set[int](), [node] if node is not None else []
    while left and len(seen) < MOST_NODES:
        one = left.pop()
        found.add(id(getattr(one, "variable", None)))
        new = {below for below, _ in one.next_functions} - seen
        seen |= new
        left += new
    return found

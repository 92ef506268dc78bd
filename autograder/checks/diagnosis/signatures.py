"""How wrong results relate to the right ones: transposed, scaled, normalised along another dimension, and so on.

A relation is told only if it holds in every public call that is wrong, within the tolerance of that call, and would not hold
for a right result too. Where some calls are right, the finding says what sets the wrong ones apart.
"""

from __future__ import annotations

import re

import numpy as np

from .findings import RULE, Call, Finding, Relation
from .numbers import NUMBERS
from .shapes import SHAPES

RESHAPES = re.compile(r"\b(?:view|reshape|flatten|unflatten)\b")


def signature(calls: list[Call], code: str = "") -> Finding | None:
    """What is known from the results of ``code``; None if nothing, or if no call is wrong."""
    wrong = [call for call in calls if not call.right]
    telling = [call for call in wrong if len(np.unique(call.wanted)) > 2] or wrong
    found = next(filter(None, (_held(relation, telling) for relation in (*SHAPES, *NUMBERS))), None)
    apart = what_sets_apart(calls)
    if found is None:
        return Finding(RULE, "some inputs only", f"Of the public calls only those are wrong {apart}") if apart else None
    concept, says = found
    if concept == "dimension order" and RESHAPES.search(code):
        says += ": view and reshape do not move numbers between dimensions, transpose and permute do"
    return Finding(RULE, concept, f"{says} (only {apart})" if apart else says)


def _held(relation: Relation, wrong: list[Call]) -> tuple[str, str] | None:
    """What a relation says of these calls; nothing where one of them has no result: it holds of that one least of all."""
    if not wrong or any(call.got is None for call in wrong):
        return None
    with np.errstate(all="ignore"):
        return relation(wrong)


def what_sets_apart(calls: list[Call]) -> str:
    """``where n_heads is more than 1``: the one quantity that tells the wrong public calls from the right ones; '' if none."""
    wrong, right = [c for c in calls if not c.right], [c for c in calls if c.right]
    if not wrong or len(right) < 2:
        return ""
    names = set.intersection(*(set(call.quantities) for call in calls))
    ordered = sorted(names, key=lambda name: (name != "n_heads", name))
    told = (_apart(name, *({c.quantities[name] for c in some} for some in (wrong, right))) for name in ordered)
    return next(filter(None, told), _ranks(wrong, right))


def _ranks(wrong: list[Call], right: list[Call]) -> str:
    ranks, others = {call.wanted.ndim for call in wrong}, {call.wanted.ndim for call in right}
    return f"where the result has {min(ranks)} dimensions" if len(ranks) == 1 and not ranks & others else ""


def _apart(name: str, bad: set[float], good: set[float]) -> str:
    """How the values of a quantity in wrong calls differ from those in right ones, if they do in a plain way."""
    if good == {1.0} and min(bad) > 1:
        return f"where {name} is more than 1"
    if bad == {1.0} and min(good) > 1:
        return f"where {name} is 1"
    if bad | good == {0.0, 1.0} and not bad & good:
        return f"where {name} is {bool(min(bad))}"
    return ""

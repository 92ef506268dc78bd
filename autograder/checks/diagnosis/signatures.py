"""How wrong results relate to the right ones: transposed, scaled, normalised along another dimension, and so on.

A relation is told only if it holds in every public call that is wrong, within the tolerance of that call, and would not hold for
a right result too. Where some calls are right, the finding says what sets the wrong ones apart.
"""

from __future__ import annotations

import numpy as np

from .findings import RULE, Call, Finding, Relation
from .numbers import NUMBERS
from .shapes import SHAPES


def signature(calls: list[Call]) -> Finding | None:
    """What is known from the results alone; None if nothing, or if no call is wrong."""
    wrong = [call for call in calls if not call.right]
    if not wrong:
        return None
    found = next((found for relation in (*SHAPES, *NUMBERS) if (found := _held(relation, wrong))), None)
    apart = what_sets_apart(calls)
    if found is None:
        return Finding(RULE, "some inputs only", f"Of the public calls only those are wrong {apart}") if apart else None
    concept, says = found
    return Finding(RULE, concept, f"{says} (only {apart})" if apart else says)


def _held(relation: Relation, wrong: list[Call]) -> tuple[str, str] | None:
    """What a relation says of those of these calls that have a result."""
    wrong = [call for call in wrong if call.got is not None]
    if not wrong:
        return None
    with np.errstate(all="ignore"):
        return relation(wrong)


def what_sets_apart(calls: list[Call]) -> str:
    """``in which n_heads is more than 1``: the one quantity that tells the wrong public calls from the right ones; '' if none."""
    wrong, right = [c for c in calls if not c.right], [c for c in calls if c.right]
    if not wrong or len(right) < 2:
        return ""
    names = [name for name in wrong[0].quantities if all(name in call.quantities for call in calls)]
    for name in sorted(names, key=lambda name: name != "n_heads"):
        bad, good = {c.quantities[name] for c in wrong}, {c.quantities[name] for c in right}
        if good == {1.0} and min(bad) > 1:
            return f"in which {name} is more than 1"
        if bad == {1.0} and min(good) > 1:
            return f"in which {name} is 1"
        if name not in ("batch", "n_tok") and len(bad) == 1 and not bad & good and good | bad == {0.0, 1.0}:
            return f"in which {name} is {bool(min(bad))}"
    ranks = [{call.wanted.ndim for call in some} for some in (wrong, right)]
    if not ranks[0] & ranks[1] and len(ranks[0]) == 1:
        return f"in which the result has {min(ranks[0])} dimensions"
    return ""

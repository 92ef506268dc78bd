"""Why a query or a key of section 1 misses its target, by its similarities: K, V and the targets are public."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .queries import SELECT_THIRD, as_numbers, attention_error, replaced, wanted_weights, weights

LONGER, SHORTER = np.geomspace(1.05, 1e5, 120), np.geomspace(0.95, 1e-5, 120)
ORDERS = ((3, 2, 1, 0), (1, 2, 3, 0), (3, 0, 1, 2), (1, 0, 3, 2))
CLOSE = 0.2  # of weights that are meant to be the same
HEAVY = 0.9  # a weight that selects


class Quiet:
    """Stands in for ``check`` where an unreadable value ends in ValueError."""

    def fail(self, kind: str, text: str, **data: Any) -> None:
        raise ValueError(text)


def reason(id: str, value: Any, case: Any, context: dict[str, Any]) -> tuple[str, str] | None:
    """(concept, sentence) about a wrong answer that has the right shape; None where nothing is known."""
    try:
        answer = as_numbers(Quiet(), value, "")
        if id.startswith("1.4"):
            query = as_numbers(Quiet(), context.get("query132"), "").reshape(3)
            return about_key(id, answer.reshape(-1, 3), query, case)
        return about_query(id, answer, case)
    except ValueError:
        return None


OTHERS: tuple = (
    (
        lambda rows: (rows[list(order)] for order in ORDERS if len(rows) == 4),
        "rows",
        "The four queries are right, but in another order: row i of the queries selects row i of V",
    ),
    (
        lambda rows: (factor * rows for factor in LONGER),
        "query length",
        "The direction is right and the query is too short: the softmax stays too flat while similarities differ little",
    ),
    (
        lambda rows: (factor * rows for factor in SHORTER),
        "query length",
        "The direction would do with a shorter query: in a longer one small differences of similarities count more",
    ),
    (
        lambda rows: (-factor * rows for factor in (1, *LONGER)),
        "query direction",
        "The query points the opposite way: the largest similarity should belong to what it is to select",
    ),
)


def about_query(id: str, query: np.ndarray, case: Any) -> tuple[str, str] | None:
    key, values, target = (np.asarray(array, dtype=np.float64) for array in case.args[:3])
    rows = query.reshape(-1, 3)
    if query.shape[-1:] != (3,) or len(rows) != (4 if id == "1.2.2" else 1):
        return None

    wanted = np.atleast_2d(wanted_weights(id))

    def works(others: Iterable[np.ndarray]) -> bool:
        return any(meets(one) for one in others)

    def meets(one: np.ndarray) -> bool:
        """By the weights that are wanted: others may come near the target by chance."""
        near = attention_error(one.reshape(query.shape), key, values, target) <= case.tolerance
        return near and bool((abs(np.array([weights(row, key) for row in one]) - wanted) < CLOSE).all())

    # A query of no length gives all values equal weights: that a shorter one would do says nothing of its direction.
    tried = () if (wanted > 0).all() else OTHERS
    found = next(((concept, says) for others, concept, says in tried if works(others(rows))), None)
    if found:
        return found
    return "query direction", _similarities(rows, np.broadcast_to(wanted, (len(rows), 4)), key, values, target, case.tolerance)


def _similarities(
    rows: np.ndarray, wanted: np.ndarray, key: np.ndarray, values: np.ndarray, target: np.ndarray, tolerance: float
) -> str:
    """A sentence about the first row that misses its target."""
    targets = np.broadcast_to(np.atleast_2d(target), (len(rows), 3))
    n = next((n for n, row in enumerate(rows) if attention_error(row, key, values, targets[n]) > tolerance), 0)
    similar, got, want = rows[n] @ key.T, weights(rows[n], key), wanted[n]
    whose = f"row {n} of your queries" if len(rows) > 1 else "your query"
    listed = f"The similarities of {whose} with k0…k3 are {_listed(similar)}"
    heavy, chosen = int(got.argmax()), np.flatnonzero(want > 0)
    if got[heavy] > HEAVY and want[heavy] == 0:
        return f"{listed}: the largest is that with k{heavy}, so it selects v{heavy}"
    if len(chosen) == 1:
        return f"{listed}: that with k{chosen[0]} should be larger than all others, by about 3 or 4 at least"
    names = " and ".join(f"k{i}" for i in chosen) if len(chosen) < 4 else "all four keys"
    others = "" if len(chosen) == 4 else ", and larger than the others, by about 2.5 at least"
    return f"{listed}: those with {names} have to be nearly equal{others}, since equal weights come from equal similarities"


def about_key(id: str, m_key: np.ndarray, query: np.ndarray, case: Any) -> tuple[str, str] | None:
    key, values, target = (np.asarray(array, dtype=np.float64) for array in case.args[:3])
    if len(m_key) not in (1, 4):
        return None
    changed = replaced(key, m_key[0] if len(m_key) == 1 else m_key[SELECT_THIRD])
    if len(m_key) == 4 and np.array_equal(m_key, key):
        return "rows", "m_key is K itself, nothing is replaced in it"
    if len(m_key) == 4 and np.allclose(m_key[SELECT_THIRD], key[SELECT_THIRD]):
        return "rows", "Row 2 of m_key is still the old k2: it is the one to replace"
    if attention_error(query, changed, values, target) <= case.tolerance:
        return None
    similar = query @ changed.T
    listed = f"The similarities of query132 with the keys are {_listed(similar)}"
    if id == "1.4.1":
        return "key similarity", f"{listed}: for three equal weights that with the new k2 has to equal those with k0 and k1"
    return "key similarity", f"{listed}: that with the new k2 has to be larger than those with k0 and k1, by about 3 at least"


def _listed(numbers: np.ndarray) -> str:
    return ", ".join(f"{number:.3g}" for number in numbers)

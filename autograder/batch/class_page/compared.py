"""What a class's scores say beside each other: first uploads and last ones, one item and the others."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable
from typing import Any

from autograder.core.assignment import Question


def moved(scores: Iterable[tuple[float | None, float | None]]) -> dict[str, Any] | None:
    """How scores moved from the first upload to the last, of those for whom the export has both; None without any."""
    pairs = [(first, last) for first, last in scores if first is not None and last is not None]
    if not pairs:
        return None
    signs = Counter((last > first) - (last < first) for first, last in pairs)
    return {
        "count": len(pairs),
        "first": statistics.median(first for first, _ in pairs),
        "last": statistics.median(last for _, last in pairs),
        "better": signs[1],
        "same": signs[0],
        "worse": signs[-1],
    }


def item_rest(passes: list[set[str]], question: Question) -> float | None:
    """Point-biserial correlation between passing an item and the number of other items passed; None if either is constant.

    ``passes``: the ids of the items passed, one set per submission.
    """
    pairs = [(float(question.id in passed), float(len(passed - {question.id}))) for passed in passes]
    if len(pairs) < 3:
        return None
    try:
        return statistics.correlation(*zip(*pairs))
    except statistics.StatisticsError:
        return None

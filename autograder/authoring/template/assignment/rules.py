"""Rules that tests share, and the sentences they give. Travels with the notebooks, so it holds nothing secret.

Tests reach this module as ``check.rules``. It may import the standard library, numpy and ``autograder.checks``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.checks.compare import as_array, check_shape


def judge_centres(check: Any, id: str, centres: Any) -> None:
    """Reject centres, (2, 2), from which some point is farther than the limit."""
    found = as_array(centres, "centres")
    check_shape(found, (2, 2), "centres", "one row for each of two centres")
    for case in check.cases(id):
        points, limit = case.args
        gaps = np.linalg.norm(points[:, None] - found[None], axis=-1).min(axis=1)  # (n,)
        if not (gaps <= limit).all():  # NaN is too far, too
            check.fail("rule", f"{int((~(gaps <= limit)).sum())} of {len(gaps)} points are farther than {limit:g} from both")


def signature(id: str, value: Any, case: Any) -> np.ndarray | None:
    """What a wrong value is recognised by, as numbers; None if known mistakes are recognised by the results of a function."""
    return np.asarray(value, dtype=float) if id == "1.1" else None

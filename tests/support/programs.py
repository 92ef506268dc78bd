"""Programs as the judge sends them to a worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def program(*codes: str, watch: Sequence[str] = (), report: Sequence[str] = ("f",), prelude: str = "") -> dict[str, Any]:
    """Statements, the n-th at line n of cell 0."""
    return {
        "statements": [{"code": code, "cell": 0, "line": number} for number, code in enumerate(codes, 1)],
        "watch": list(watch),
        "report": list(report),
        "prelude": prelude,
        "future": [],
        "modules": {},
    }

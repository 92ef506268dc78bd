"""Test cases as plain data."""

from __future__ import annotations

PUBLIC_SEED = 447
# The handout calls 1e-4 "close to zero"; the audit shows how far this is from noise and from every mistake.
TOLERANCE = 2e-5


def case(
    args: list,
    function: str = "",
    label: str = "",
    kwargs: dict | None = None,
    tolerance: float = TOLERANCE,
    layout: str = "",
    facts: dict | None = None,
) -> dict:
    """A case as a dict. Without ``function`` there is no expected value: formulas judge section 1, ``facts`` section 3."""
    return {
        "args": args,
        "kwargs": kwargs or {},
        "expected": None,
        "tolerance": 0.0 if facts else tolerance,
        "label": label,
        "layout": layout,
        "facts": facts or {},
    } | ({"function": function} if function else {})

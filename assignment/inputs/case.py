"""Test cases as plain data."""

from __future__ import annotations

PUBLIC_SEED = 447


def case(
    args: list,
    function: str = "",
    label: str = "",
    kwargs: dict | None = None,
    layout: str = "",
    facts: dict | None = None,
) -> dict:
    """A case as a dict. Without ``function`` there is no expected value: formulas judge section 1, ``facts`` section 3.

    Its tolerance is its section's, in the rubric.
    """
    return (
        {
            "args": args,
            "kwargs": kwargs or {},
            "expected": None,
            "label": label,
            "layout": layout,
            "facts": facts or {},
        }
        | ({"function": function} if function else {})
        | ({"tolerance": 0.0} if facts else {})
    )

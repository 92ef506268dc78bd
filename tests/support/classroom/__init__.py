"""Submissions as a real class hands them in, as data: ``CASES``, graded one by one in test_classroom.py.

Each case names its files, the items it must lose (all others keep their points) and why it is here. ``cells`` holds right
answers and sections made of them, ``forms`` the formats in which they arrive; the other modules are the cases, by theme.
"""

from __future__ import annotations

from support.classroom import (
    attention,
    bindings,
    broken_cells,
    devices,
    endless,
    files,
    handed_in,
    helpers,
    m_key,
    noise,
    optimisers,
    order,
    other_files,
    scratch,
    tools,
    wrong,
)
from support.classroom.case import Case

THEMES = (
    noise,
    order,
    broken_cells,
    devices,
    optimisers,
    bindings,
    m_key,
    scratch,
    attention,
    other_files,
    helpers,
    wrong,
    endless,
    files,
    tools,
    handed_in,
)
CASES = [case for theme in THEMES for case in theme.CASES]
ENDLESS = ("hang-", "long-", "cell-while", "cell-sleep")  # cases in which something runs until a limit ends it

__all__ = ["CASES", "ENDLESS", "Case"]

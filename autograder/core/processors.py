"""How many things to do at once."""

from __future__ import annotations

import os


def processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def graders_at_once() -> int:
    """Half as many again as there are processors: a judge and its worker wait for each other in turn."""
    return processors() + (processors() + 1) // 2

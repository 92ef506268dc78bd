"""How many jobs to run in parallel."""

from __future__ import annotations

import os


def processors() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def graders_at_once() -> int:
    """One and a half graders per processor, because a judge and its worker take turns waiting for each other."""
    return processors() + (processors() + 1) // 2

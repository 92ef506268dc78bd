"""Judge side: how much of the time that passed is charged to a process."""

from __future__ import annotations

import time

QUEUED_WEIGHT = 0.1  # of the seconds in which the process is ready to run but gets no processor


def charged_seconds(*pids: int) -> float:
    """A clock for processes that wait for each other: seconds in which one is ready to run but gets no processor count a tenth.

    So a busy machine causes no timeouts, and every wait still ends. Systems that do not report them are charged in full.
    """
    return time.monotonic() - (1 - QUEUED_WEIGHT) * sum(map(_queued, pids))


def _queued(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/schedstat", "rb") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0

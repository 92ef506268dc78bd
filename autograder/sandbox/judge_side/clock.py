"""Judge side: how much of the time that passed is charged to a process."""

from __future__ import annotations

import time

QUEUED_WEIGHT = 0.1  # of the seconds in which the process is ready to run but gets no processor


def charged_seconds(pid: int) -> float:
    """A clock for one process: seconds in which it was ready to run but got no processor count for a tenth.

    So a busy machine causes no timeouts, and every wait still ends. Systems that do not report them are charged in full.
    """
    try:
        with open(f"/proc/{pid}/schedstat", "rb") as file:
            queued = int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        queued = 0.0
    return time.monotonic() - (1 - QUEUED_WEIGHT) * queued

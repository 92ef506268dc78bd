"""Worker side: what a child gives up before the first student line runs."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
GIB = 1 << 30


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent ends (elsewhere: the closed pipe ends it)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def enter(keep: int) -> None:
    """Own session, no descriptors but ``keep`` and /dev/null, empty environment, limits."""
    os.setsid()
    die_with_parent()
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    for low, high in ((3, keep), (keep + 1, 65536)):
        if low < high:
            os.closerange(low, high)
    os.environ.clear()
    os.chdir("/")
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_NOFILE: 256}
    if sys.platform == "linux":
        limits[resource.RLIMIT_AS] = 6 * GIB
    for which, soft in limits.items():
        resource.setrlimit(which, (soft, soft))

"""Process attributes that judge, zygote and workers set on themselves with prctl; no-ops outside Linux."""

from __future__ import annotations

import ctypes
import signal
import sys

LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36
if sys.platform != "win32":  # where ctypes cannot open the running program as a library
    libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Have Linux kill this process when its parent exits (elsewhere the closed pipe ends it)."""
    if LINUX:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def hide_from_debuggers() -> None:
    """Make this process non-dumpable: no process of the same user may read its memory."""
    if LINUX:
        prctl(PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants that lose theirs, so that this process can kill them."""
    if LINUX:
        prctl(PR_SET_CHILD_SUBREAPER, 1)


def prctl(option: int, value: int) -> None:
    """Set one attribute of this process. Raises OSError if the kernel refuses."""
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option})")

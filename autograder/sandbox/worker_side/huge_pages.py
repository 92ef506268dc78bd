"""Worker side: huge pages for a process that forks often.

Each fork copies the page tables of all anonymous memory, about 38,000 entries once torch is imported. With 512 small
pages collapsed into a huge one, the kernel copies a single entry for them: a fork takes less than half the time.
Collapsing takes 0.3 s and is worth it only before hundreds of forks.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from autograder.sandbox.process import LINUX, libc

HUGE = 2 << 20
MADV_COLLAPSE = 25  # Linux 6.1


def collapse() -> None:
    """Collapse this process's private writable anonymous memory, on Linux."""
    if not LINUX:
        return
    madvise = libc.madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, mode, _, _, inode = line.split()[:5]
        if not mode.startswith("rw-p") or inode != "0":
            continue
        start, end = (int(edge, 16) for edge in span.split("-"))
        for address in range(-(-start // HUGE) * HUGE, end // HUGE * HUGE, HUGE):
            madvise(address, HUGE, MADV_COLLAPSE)

"""Worker side: a small file system in memory for each scratch folder, where this process may mount one.

What is written there cannot exceed its size, whatever its path is and whether it still has one. The mounts are visible only
to the zygote and its children, and end with them.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
from pathlib import Path

from autograder.sandbox.process import libc

MAX_BYTES, MAX_ENTRIES = 64 << 20, 1000  # of one folder, wherever it lies
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 1 << 14, 1 << 18
MNT_DETACH, UMOUNT_NOFOLLOW = 2, 8


def separate() -> str:
    """Give this process its own view of the mounts, and the right to change it; returns '' or why that is refused.

    Tried in a child first, so that a refusal half way leaves nothing behind. Before any thread is started, and while this
    process may be debugged: its files in /proc are not its own afterwards.
    """
    pid = os.fork()
    if pid == 0:
        try:
            _separate()
            mount(tempfile.gettempdir(), -1)
            os._exit(0)
        except OSError as error:
            os._exit(error.errno or 1)
        finally:
            os._exit(1)
    status = os.waitpid(pid, 0)[1]
    if status:
        return os.strerror(os.WEXITSTATUS(status))
    _separate()
    return ""


def _separate() -> None:
    uid, gid = os.geteuid(), os.getegid()
    # An ordinary user needs a user namespace; root keeps its own, in which its workers have their users.
    _checked(libc.unshare(CLONE_NEWNS if uid == 0 else CLONE_NEWNS | CLONE_NEWUSER), "unshare")
    if uid != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            Path(f"/proc/self/{name}").write_text(text)
    _checked(libc.mount(None, b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None), "mount")


def mount(folder: str, uid: int) -> None:
    """Mount an empty file system there, which only the user ``uid`` may enter (-1: ours). Raises OSError."""
    owner, group = (uid, uid) if uid >= 0 else (os.geteuid(), os.getegid())
    size = f"size={MAX_BYTES},nr_inodes={MAX_ENTRIES + 1},mode=700,uid={owner},gid={group}"
    flags = ctypes.c_ulong(MS_NOSUID | MS_NODEV | MS_NOEXEC)
    _checked(libc.mount(b"worker", os.fsencode(folder), b"tmpfs", flags, size.encode()), "mount")


def unmount(folder: str) -> None:
    """Drop whatever is mounted there; it ends with the last process that uses it."""
    if hasattr(libc, "umount2"):
        libc.umount2(os.fsencode(folder), MNT_DETACH | UMOUNT_NOFOLLOW)  # an error: nothing was mounted


def _checked(result: int, what: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), what)

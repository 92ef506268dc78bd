"""Worker side: one worker's scratch folder, the only place where it may write; its zygote makes, watches and removes it.

Only the worker itself reads from it. Its contents are removed without following links.
"""

from __future__ import annotations

import os
import tempfile

WATCH_SECONDS = 0.1
MAX_BYTES = 64 << 20
MAX_ENTRIES = 1000


def make(uid: int) -> str:
    """Make a folder that only the user ``uid`` may enter (-1: ours), named after its zygote; returns its path."""
    folder = os.path.realpath(tempfile.mkdtemp(prefix=f"worker-{os.getpid()}-"))
    if uid >= 0:
        os.chown(folder, uid, uid)
    return folder


def too_full(folder: str) -> bool:
    """Whether it holds more than MAX_BYTES or MAX_ENTRIES; entries that vanish meanwhile are not counted."""
    total, count, pending = 0, 0, [folder]
    while pending:
        try:
            for entry in os.scandir(pending.pop()):
                count, total = count + 1, total + 512 * entry.stat(follow_symlinks=False).st_blocks
                if total > MAX_BYTES or count > MAX_ENTRIES:
                    return True
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
        except OSError:
            pass
    return False


def remove(folder: str) -> None:
    """Empty and remove it, after all processes of its worker have ended.

    The contents of a subfolder are moved to the top first, so that no nesting is too deep.
    """
    top, number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW), 0
    os.fchmod(top, 0o700)
    while names := os.listdir(top):
        for name in names:
            try:
                os.unlink(name, dir_fd=top)
                continue
            except (IsADirectoryError, PermissionError):
                os.chmod(name, 0o700, dir_fd=top)
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
            for entry in os.listdir(inner):
                number += 1
                os.rename(entry, f"{name}.{number}"[-200:], src_dir_fd=inner, dst_dir_fd=top)
            os.close(inner)
            os.rmdir(name, dir_fd=top)
    os.close(top)
    os.rmdir(folder)

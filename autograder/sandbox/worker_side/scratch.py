"""Worker side: one worker's scratch folder, the only place where it may write; its zygote makes, watches and removes it.

Only the worker itself reads from it. Names, depth and rights in there are the worker's: everything is reached from an open
descriptor of the folder around it, never by a path and never through a link.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile

from autograder.sandbox.worker_side import own_disk
from autograder.sandbox.worker_side.own_disk import MAX_BYTES, MAX_ENTRIES

WATCH_SECONDS = 0.1
MAX_DEPTH = 100
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# Where anyone may write, unless Landlock forbids it.
PUBLIC = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock", "/run/shm")


def make(uid: int, disk: bool = False) -> str:
    """Make a folder that only the user ``uid`` may enter (-1: ours), named after its zygote; returns its path.

    With ``disk`` it is a file system of its own, see ``own_disk``. Raises OSError, and then leaves nothing behind.
    """
    folder = os.path.realpath(tempfile.mkdtemp(prefix=f"worker-{os.getpid()}-"))
    try:
        if disk:
            own_disk.mount(folder, uid)
        elif uid >= 0:
            os.chown(folder, uid, uid)
    except OSError:
        os.rmdir(folder)
        raise
    return folder


def too_full(folder: str) -> bool:
    """Whether it holds more than MAX_BYTES or MAX_ENTRIES, or folders more than MAX_DEPTH deep.

    Entries that vanish meanwhile are not counted, nor are files that were removed while they are open or mapped.
    """
    total = count = 0
    around: list[tuple[int, list[str]]] = []  # the open folders around the next entry, with the names that are left in each
    try:
        around.append(_listed(folder))
        while around:
            top, names = around[-1]
            if not names:
                os.close(around.pop()[0])
                continue
            count += 1
            with contextlib.suppress(OSError):
                name = names.pop()
                found = os.stat(name, dir_fd=top, follow_symlinks=False)
                total += 512 * found.st_blocks
                if stat.S_ISDIR(found.st_mode):
                    around.append(_listed(name, top))
            if total > MAX_BYTES or count + len(around[-1][1]) > MAX_ENTRIES or len(around) > MAX_DEPTH:
                return True
    except OSError:
        pass
    finally:
        for top, _ in around:
            os.close(top)
    return False


def remove(folder: str) -> bool:
    """Empty and remove it, after all processes of its worker have ended; returns whether nothing is left.

    Folders nested too deep for open descriptors are moved to the top, under names that nobody could have used, and come
    later. What cannot be removed stays; nothing is raised.
    """
    own_disk.unmount(folder)
    with contextlib.suppress(OSError):
        top, token, moved = _opened(folder), secrets.token_hex(16), 0

        def empty(around: int, depth: int) -> None:
            nonlocal moved
            for name in os.listdir(around):
                if _unlinked(name, around):
                    continue
                with contextlib.suppress(OSError):
                    inner = _opened(name, around)  # and with rights: whoever moves a folder must be allowed to write in it
                    try:
                        if depth < MAX_DEPTH:
                            empty(inner, depth + 1)
                            os.rmdir(name, dir_fd=around)
                        else:
                            os.rename(name, f"{token}-{moved}", src_dir_fd=around, dst_dir_fd=top)
                            moved += 1
                    finally:
                        os.close(inner)

        before = -1
        while before < moved:  # what was moved to the top is emptied in the next round
            before = moved
            empty(top, 0)
        os.close(top)
    with contextlib.suppress(OSError):
        os.rmdir(folder)
    return not os.path.lexists(folder)


def fill(folder: str, files: dict[str, str]) -> None:
    """Write a submission's own files (path -> text) into a worker's folder, as far as there is room."""
    for path, text in files.items():
        with contextlib.suppress(OSError):
            place = os.path.join(folder, *path.split("/"))
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "w", encoding="utf-8", newline="") as file:
                file.write(text)


def remove_files_of(uid: int) -> None:
    """Remove what the user ``uid``, which only one worker had, left where anyone may write."""
    for place in PUBLIC:
        with contextlib.suppress(OSError):
            own = [entry.path for entry in os.scandir(place) if _owner(entry) == uid]
            for path in own:
                with contextlib.suppress(OSError):
                    remove(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)


def _owner(entry: os.DirEntry[str]) -> int:
    """The uid of an entry's owner; -1 if the entry is gone, as those of other processes may be at any time."""
    try:
        return entry.stat(follow_symlinks=False).st_uid
    except OSError:
        return -1


def _listed(name: str, dir_fd: int | None = None) -> tuple[int, list[str]]:
    """A folder's descriptor and the names in it. Raises OSError."""
    opened = _opened(name, dir_fd)
    try:
        return opened, os.listdir(opened)
    except OSError:
        os.close(opened)
        raise


def _opened(name: str, dir_fd: int | None = None) -> int:
    """Open a folder, but no link to one; where its mode forbids us that, its mode is changed first. Raises OSError."""
    try:
        opened = os.open(name, FOLDER, dir_fd=dir_fd)
        if os.fstat(opened).st_mode & stat.S_IRWXU == stat.S_IRWXU:
            return opened
        os.fchmod(opened, 0o700)
        return opened
    except PermissionError:
        held = os.open(name, FOLDER | getattr(os, "O_PATH", 0), dir_fd=dir_fd)
    try:
        os.chmod(f"/proc/self/fd/{held}", 0o700)
        return os.open(f"/proc/self/fd/{held}", FOLDER & ~os.O_NOFOLLOW)
    finally:
        os.close(held)


def _unlinked(name: str, dir_fd: int) -> bool:
    try:
        os.unlink(name, dir_fd=dir_fd)
        return True
    except OSError:  # mostly a folder
        return False

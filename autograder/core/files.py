"""Atomic file writes, and output folders that only the command that made them may overwrite."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

from autograder.core.errors import GraderError, NotWritten
from autograder.core.text import clean, reason

MARK = ".autograder-made"
READ_BYTES = 1 << 18


def write_whole(path: Path, data: bytes, mode: int = 0o644, durable: bool = False) -> None:
    """Write atomically: readers see either the old file or the new one, even after a crash.

    ``durable`` syncs the data to disk before the rename. Raises NotWritten, one line, and then leaves no temporary file
    behind; also if there is anything but an ordinary file, for a rename would put a file in the place of a device or a link.
    """
    try:
        if os.path.lexists(path) and not is_ordinary(path):
            raise OSError(0, "there is something that is not an ordinary file; name another")
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.chmod(temporary, mode)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise NotWritten(f"cannot write {clean(str(path), 200)}: {clean(reason(error), 160)}") from None


def is_ordinary(path: Path) -> bool:
    """Whether a path is a regular file, and no link to one. Raises OSError if there is none."""
    return stat.S_ISREG(path.lstat().st_mode)


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths name the same file, also through links."""
    if os.path.exists(one) and os.path.exists(other):
        return os.path.samefile(one, other)
    return os.path.realpath(one) == os.path.realpath(other)


def read_capped(path: Path, limit: int) -> bytes:
    """A file of at most ``limit`` bytes, whatever size it claims to have.

    Raises OSError, or GraderError if it has more or is a pipe or a device, which could keep a reader waiting for ever.
    """
    data, at_once = bytearray(), getattr(os, "O_NONBLOCK", 0)  # Windows has none, and no pipes among files
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | at_once)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise GraderError(f"cannot read {clean(str(path), 200)}: it is not an ordinary file")
        while len(data) <= limit and (chunk := file.read(READ_BYTES)):  # no buffer of the size that might come
            data += chunk
    if len(data) > limit:
        raise GraderError(f"cannot read {clean(str(path), 200)}: it is over {limit >> 20} MB")
    return bytes(data)


def write_private(path: Path, text: str, durable: bool = True) -> None:
    """Write a text file that only its owner can read."""
    write_whole(path, text.encode("utf-8"), 0o600, durable)


def own_folder(folder: Path, command: str, known: tuple[str, ...] = (), mode: int = 0o777) -> Path:
    """Create the folder if needed, mark it as written by ``command``, and return it.

    Raises GraderError, one line, if the folder is not empty and has neither this command's mark (or an empty one) nor one of
    the ``known`` files.
    """
    if folder.exists() and not folder.is_dir():
        raise GraderError(
            f"cannot write into {clean(str(folder), 200)}: it is a file, and `autograder {command}` writes a folder"
        )
    try:
        mark = folder / MARK
        marked = mark.is_file() and (not mark.stat().st_size or f"`autograder {command}`".encode() in _start_of(mark))
        if folder.is_dir() and any(folder.iterdir()) and not marked and not any((folder / name).exists() for name in known):
            raise GraderError(
                f"{clean(str(folder), 200)} was not made by `autograder {command}`, so it was left untouched: "
                f"name a new folder, or put an empty file {MARK} into this one"
            )
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
        if not mark.exists():
            mark.write_text(f"Made by `autograder {command}`, which may replace everything in this folder.\n", encoding="utf-8")
    except OSError as error:
        raise GraderError(f"cannot write into {clean(str(folder), 200)}: {clean(reason(error), 120)}") from None
    return folder


def _start_of(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(1000)


def replace_tree(new: Path, target: Path, command: str) -> None:
    """Replace the contents of ``target`` with the tree ``new``; ``target`` must belong to ``command`` (see own_folder).

    Raises NotWritten, and then leaves the old contents as they were: the new ones are copied beside them first, and what has
    been moved by then is moved back.
    """
    own_folder(target, command)
    try:
        with tempfile.TemporaryDirectory(dir=target, prefix=".new-", ignore_cleanup_errors=True) as beside:
            made, old = Path(beside, "new"), Path(beside, "old")
            old.mkdir()
            shutil.copytree(new, made)
            before = [(path, old / path.name) for path in target.iterdir() if path.name not in (MARK, Path(beside).name)]
            _move_all([*before, *((path, target / path.name) for path in made.iterdir())])
    except OSError as error:
        raise NotWritten(f"cannot write into {clean(str(target), 200)}: {clean(reason(error), 160)}") from None


def _move_all(moves: list[tuple[Path, Path]]) -> None:
    """Rename one after the other, or none: whatever interrupts it, those that were done are undone. Raises OSError."""
    done: list[tuple[Path, Path]] = []
    try:
        for source, place in moves:
            source.rename(place)
            done.append((source, place))
    except BaseException:
        for source, place in reversed(done):
            place.rename(source)
        raise

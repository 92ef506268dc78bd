"""Reads a submission (a file, a folder or an archive) into memory under hard limits; nothing is extracted to disk.

Code, and what may be code by its name, is read at once; of PDFs and other files only the name and size are read, and their
bytes are loaded on demand. Every file that was handed in is in the result, with a reason if it is not read.
"""

from __future__ import annotations

import hashlib
import io
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from autograder.checks.formats import ARCHIVE, CODE, CODE_SUFFIXES, PDF, TEXT
from autograder.checks.naming import why_no_code
from autograder.core.errors import GraderError
from autograder.core.text import clean
from autograder.core.watch import watch
from autograder.submission.archives import MAX_RATIO, NOT_REGULAR, Unopened, entries_of, is_bomb
from autograder.submission.files import MAX_TOTAL, Budget, Contents, Entry, File, is_ignored

__all__ = ["WRITE_UP_HINT", "Contents", "File", "read_files"]

WRITE_UP_HINT = "; a PDF belongs to the write-up's assignment"
MAX_NESTED = 3  # archives in archives
KEPT = 1 << 20  # larger files of code are read again when they are needed, not kept
SPENT = f"was left out: the submission is over {MAX_TOTAL >> 20} MB"


def read_files(path: Path, limit: int) -> Contents:
    """Read all files of a file, folder or archive, without the data of those over ``limit`` bytes. Raises GraderError."""
    budget = Budget(limit)
    files = list(_files(Path(path), budget))
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda f: str(f.path)):
        data = file.content() if file.kind in (CODE, TEXT) else file.data or b""
        digest.update(str(file.path).encode("utf-8", "surrogatepass") + b"\0" + data + b"\0")
    return Contents(files, budget.notes, digest.hexdigest())


def _files(path: Path, budget: Budget) -> Iterator[File]:
    """Every file of a file, folder or archive (archives inside of them are opened, too)."""
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise GraderError(f"cannot read {clean(str(path))}: {error.strerror}") from None
    if stat.S_ISLNK(mode):
        try:
            path = path.resolve()
        except (OSError, RuntimeError):  # a loop of links, as Python 3.10 and others say it
            raise GraderError(f"cannot read {clean(str(path))}: a loop of links") from None
    if path.is_dir():
        yield from _taken(_entries(path, budget), budget)
    elif path.is_file():
        entry = Entry(PurePosixPath(path.name), path.stat().st_size, path.read_bytes, where=path)
        if entry.kind == ARCHIVE:
            yield from _members(entry, budget, 0)
        elif entry.kind in (CODE, TEXT):
            yield _read(entry, budget)
        else:
            other = WRITE_UP_HINT if entry.kind == PDF else f"; it {why_no_code(path.name)}"
            raise GraderError(
                f"nothing to grade: {clean(path.name)} is not a submission: expected {CODE_SUFFIXES}, .zip or a folder{other}"
            )
    else:
        raise GraderError(f"cannot read {clean(str(path))}: not a regular file")


def _taken(entries: Iterable[Entry], budget: Budget, nested: int = 0) -> Iterator[File]:
    """The files of a folder or archive. What archives hold, and what only may be code, cannot use up what code needs."""
    archives: list[Entry] = []
    texts: list[Entry] = []
    for entry in entries:
        if entry.unread:
            yield entry.left_out(entry.unread)
        elif entry.kind == CODE:
            yield _read(entry, budget)
        elif entry.kind in (ARCHIVE, TEXT):
            (archives if entry.kind == ARCHIVE else texts).append(entry)
        else:
            yield File(entry.path, b"", entry.size, entry.load, archive=entry.archive)
    for entry in archives:
        yield from _opened(entry, budget, nested)
    for entry in texts:
        yield _read(entry, budget)


def _too_much(entry: Entry, budget: Budget) -> str:
    """Why a file of code or an archive may not be read, which counts its bytes; '' if it may."""
    if entry.size > budget.limit_of(entry.kind):
        if entry.kind == TEXT:
            return f"is neither named .ipynb nor .py, and is over {budget.limit_of(TEXT) >> 20} MB"
        return f"is {entry.size >> 20} MB, over the limit; clear its outputs and save again"
    if entry.packed >= 0 and is_bomb(entry.size, entry.packed):
        return f"unpacks to over {MAX_RATIO} times its size and was left out"
    return "" if entry.counted or budget.spends(entry.size) else SPENT


def _read(entry: Entry, budget: Budget) -> File:
    """A file of code, read once to see whether it can be read; its bytes are kept only if they are few."""
    if reason := _too_much(entry, budget) or watch.at("member", f"{entry.archive}/{entry.path}"):
        return entry.left_out(reason)
    try:
        data = entry.load()
    except Exception as error:  # encrypted, damaged or an unknown compression: zipfile raises many kinds
        if entry.archive:
            return entry.left_out("could not be unpacked")
        return entry.left_out(f"could not be read: {getattr(error, 'strerror', None) or type(error).__name__}")
    entry.size = len(data)
    return entry.file(data) if len(data) <= KEPT else entry.file(b"", entry.load)


def _opened(entry: Entry, budget: Budget, nested: int) -> Iterator[File]:
    """What an archive inside a folder or another archive holds."""
    reason = f"is packed {nested} archives deep: pack it once" if nested >= MAX_NESTED else _too_much(entry, budget)
    if not reason and entry.archive and not budget.keeps(entry.size):
        reason = "is an archive in an archive, and all of these are too large: pack the files once"
    if reason:
        yield entry.left_out(reason)
        return
    yield from _members(entry, budget, nested)


def _members(entry: Entry, budget: Budget, nested: int) -> Iterator[File]:
    """The files in an archive; the archive itself, too, if not all of it can be read or there is nothing in it."""
    if reason := watch.at("archive", f"{entry.archive}/{entry.path}"):
        yield entry.left_out(reason)
        return
    try:
        stream = entry.where.open("rb") if entry.where else io.BytesIO(entry.load())
    except Exception:  # as in _read
        yield entry.left_out("could not be unpacked" if entry.archive else "could not be read")
        return
    name = f"{entry.path} in {entry.archive}" if entry.archive else str(entry.path)
    empty = True
    try:
        for file in _taken(entries_of(stream, name, budget), budget, nested + 1):
            empty = False
            yield file
    except Unopened as problem:
        yield entry.left_out(str(problem))
    else:
        if empty and budget.files > 0:
            yield entry.left_out("holds no files")


def _entries(folder: Path, budget: Budget) -> Iterator[Entry]:
    """The files below a folder, except ignored names; stops after MAX_FILES files and folders."""
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            children = sorted(here.iterdir(), key=lambda p: p.name)
        except OSError as error:
            budget.tell(f"the folder {clean(here.name)} could not be read: {error.strerror}")
            continue
        for child in children:
            if is_ignored(child.name):
                continue
            status = child.lstat()
            if not budget.admits():
                return
            if stat.S_ISDIR(status.st_mode):
                pending.append(child)
                continue
            relative = PurePosixPath(*child.relative_to(folder).parts)
            regular = stat.S_ISREG(status.st_mode)
            yield Entry(relative, status.st_size, child.read_bytes, unread="" if regular else NOT_REGULAR, where=child)

"""Reads a submission (a file, a folder or a zip) into memory under hard limits; nothing is extracted to disk.

Every file name is treated as hostile. Code is read at once; of PDFs and other files only the name and size are read, and
their bytes are loaded on demand.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder.checks.formats import ARCHIVE, CODE, CODE_SUFFIXES, PDF, kind_of_file
from autograder.core.errors import GraderError
from autograder.core.text import clean

WRITE_UP_HINT = "; a PDF belongs to the write-up's assignment"
MAX_FILES = 2000
MAX_TOTAL = 256 << 20
MAX_RATIO = 200
IGNORED = ("__MACOSX", "__pycache__", "node_modules", "site-packages")


@dataclass
class File:
    """One submitted file: its path inside the submission and its bytes (None if over the size limit).

    For files other than code ``data`` is empty and ``load`` returns the bytes; it raises whatever a damaged zip raises.
    """

    path: PurePosixPath
    data: bytes | None
    size: int
    load: Callable[[], bytes] | None = field(default=None, compare=False)

    @property
    def kind(self) -> str:
        """The kind of file according to its name: see ``checks.formats.kind_of_file``."""
        return kind_of_file(self.path.name)

    @property
    def name(self) -> str:
        """The path, safe to print."""
        return clean(str(self.path))


@dataclass
class Contents:
    """The files of a submission, notes on what could not be read, and a digest of names and bytes."""

    files: list[File]
    notes: list[str]
    digest: str


def read_files(path: Path, limit: int) -> Contents:
    """Read all files of a file, folder or zip, without the data of those over ``limit`` bytes. Raises GraderError."""
    notes: list[str] = []
    files = list(_files(Path(path), limit, notes))
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda f: str(f.path)):
        digest.update(str(file.path).encode("utf-8", "surrogatepass") + b"\0" + (file.data or b"") + b"\0")
    return Contents(files, notes, digest.hexdigest())


def _files(path: Path, limit: int, notes: list[str]) -> Iterator[File]:
    """Every regular file of a file, folder or zip (zips inside a folder are opened too)."""
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
        yield from _folder(path, limit, notes)
    elif path.is_file():
        if kind_of_file(path.name) == ARCHIVE:
            yield from _zip(path.read_bytes(), path.name, limit, notes)
        elif kind_of_file(path.name) == CODE:
            size = path.stat().st_size
            yield File(PurePosixPath(path.name), path.read_bytes() if size <= limit else None, size)
        else:
            other = WRITE_UP_HINT * (kind_of_file(path.name) == PDF)
            raise GraderError(
                f"nothing to grade: {clean(path.name)} is not a submission: expected {CODE_SUFFIXES}, .zip or a folder{other}"
            )
    else:
        raise GraderError(f"cannot read {clean(str(path))}: not a regular file")


def _folder(folder: Path, limit: int, notes: list[str]) -> Iterator[File]:
    total = 0
    for entry in _regular_files(folder, notes):
        relative = PurePosixPath(*entry.relative_to(folder).parts)
        size = entry.stat().st_size
        if kind_of_file(entry.name) not in (CODE, ARCHIVE):
            yield File(relative, b"", size, entry.read_bytes)
            continue
        total += min(size, limit)
        if total > MAX_TOTAL:
            notes.append(f"the submission is over {MAX_TOTAL >> 20} MB; the rest was left out")
            return
        try:
            data = entry.read_bytes() if size <= limit else None
        except OSError as error:
            notes.append(f"{clean(str(relative))} could not be read: {error.strerror}")
            continue
        if kind_of_file(entry.name) == ARCHIVE and data is not None:
            yield from _zip(data, entry.name, limit, notes)
        else:
            yield File(relative, data, size)


def _regular_files(folder: Path, notes: list[str]) -> Iterator[Path]:
    """The regular files below a folder, except ignored names; stops after MAX_FILES entries."""
    count, pending = 0, [folder]
    while pending:
        here = pending.pop()
        try:
            entries = sorted(here.iterdir(), key=lambda p: p.name)
        except OSError as error:
            notes.append(f"the folder {clean(here.name)} could not be read: {error.strerror}")
            continue
        for entry in entries:
            if _ignored(entry.name):
                continue
            mode = entry.lstat().st_mode
            count += 1
            if count > MAX_FILES:
                notes.append(f"only the first {MAX_FILES} files were read")
                return
            if stat.S_ISDIR(mode):
                pending.append(entry)
            elif stat.S_ISREG(mode):
                yield entry
            else:
                relative = PurePosixPath(*entry.relative_to(folder).parts)
                notes.append(f"{clean(str(relative))} is not a regular file and was left out")


def _zip(data: bytes, name: str, limit: int, notes: list[str]) -> Iterator[File]:
    total = 0
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError, OSError):
        notes.append(f"{clean(name)} is not a readable zip")
        return
    for member in members[:MAX_FILES]:
        path = _member_path(member, name, notes)
        if path is None:
            continue
        if kind_of_file(path.name) != CODE:
            yield File(path, b"", member.file_size, functools.partial(archive.read, member))
            continue
        total += member.file_size
        if member.file_size > limit or _is_bomb(member) or total > MAX_TOTAL:
            yield File(path, None, member.file_size)
            continue
        try:
            with archive.open(member) as stream:
                content = stream.read(limit + 1)
        except Exception:  # encrypted, damaged or an unknown compression: zipfile raises many kinds
            notes.append(f"{clean(str(path))} in {clean(name)} could not be unpacked")
            continue
        yield File(path, content, len(content))


def _member_path(member: zipfile.ZipInfo, name: str, notes: list[str]) -> PurePosixPath | None:
    """The path of a regular file inside the zip ``name``; None, with a note if unsafe, for anything to leave out."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if member.is_dir() or any(_ignored(part) for part in path.parts if part != ".."):
        return None
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", member.filename):
        notes.append(f"{clean(name)} contains the unsafe name {clean(member.filename)!r}; that file was left out")
        return None
    if stat.S_ISLNK(member.external_attr >> 16):
        notes.append(f"{clean(str(path))} is a link and was left out")
        return None
    return path


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    return member.file_size > (1 << 20) and member.file_size > MAX_RATIO * max(member.compress_size, 1)


def _ignored(name: str) -> bool:
    return name in IGNORED or name.startswith(".")

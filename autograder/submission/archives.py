"""Lists what an archive holds, zip or tar, without extracting it; one budget holds for all archives of a submission."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import lzma
import re
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Any

from autograder.checks.formats import ARCHIVE, CODE, TEXT, kind_of_file
from autograder.core.watch import LARGE
from autograder.submission.files import MAX_ENTRIES, MAX_KEPT, MAX_TOTAL, Budget, Entry, is_ignored

MAX_RATIO = 200
RECORD = b"PK\1\2"  # what each entry of a zip's directory begins with
NOT_OPENED = "is an archive of a kind that is not opened: pack the files as .zip"
LINK = "is a link and was left out: hand in the file itself"
UNNAMED = "(a file)"
NOT_REGULAR = "is not a regular file and was left out"
ROOT = re.compile(r"^(?:[A-Za-z]:)?/*")
OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


class Unopened(Exception):
    """The archive cannot be opened; the message is the end of a sentence about it."""


def entries_of(stream: IO[bytes], name: str, budget: Budget) -> Iterator[Entry]:
    """What an archive holds, by its first bytes rather than by its name. Raises Unopened, at once or on the way."""
    head = stream.read(300)
    stream.seek(0)
    if head.startswith((b"Rar!", b"7z\xbc\xaf")):
        raise Unopened(NOT_OPENED)
    opener = next((opener for magic, opener in OPENERS.items() if head.startswith(magic)), None)
    try:
        if opener and kind_of_file(PurePosixPath(name).stem) == CODE:
            yield _packed_alone(stream, opener, name, budget)
        elif opener or head[257:262] == b"ustar":
            yield from _tar(stream, opener, name, budget)
        else:
            yield from _zip(stream, name, budget)
    except MemoryError:
        raise Unopened(LARGE) from None


def _packed_alone(stream: IO[bytes], opener: Any, name: str, budget: Budget) -> Entry:
    """The only file in what is packed without being an archive: ``A2S1.ipynb`` of A2S1.ipynb.gz."""
    capped = _Capped(opener(stream), budget)
    capped.most = budget.limit + 1
    try:
        data = capped.read(capped.most)
    except (Unopened, MemoryError):
        raise
    except Exception:  # as in _zip
        raise Unopened("is not a readable archive: pack the files as .zip") from None
    if not budget.keeps(len(data)):
        raise Unopened(LARGE)
    return Entry(PurePosixPath(PurePosixPath(name).stem), len(data), lambda: data, counted=True, archive=name)


def _zip(stream: IO[bytes], name: str, budget: Budget) -> Iterator[Entry]:
    try:
        if (count := _count(stream)) > budget.entries:
            raise Unopened(f"holds {count} entries, over the limit of {MAX_ENTRIES} in all archives, and was left out")
        budget.entries -= count
        archive = zipfile.ZipFile(stream)
        members = archive.infolist()
    except (Unopened, MemoryError):
        raise
    except Exception:  # for damaged bytes zipfile and tarfile raise many kinds, which differ between versions of Python
        raise Unopened("is not a readable zip: pack the files again") from None
    for member in members:
        path = _member_path(member.filename, member.filename.endswith("/"))
        if path is None:
            continue
        if not budget.admits():
            return
        load = functools.partial(_unpacked, archive, member)
        entry = Entry(path, member.file_size, load, member.compress_size, archive=name)
        encrypted = "is encrypted: pack the files without a password" if member.flag_bits & 1 else ""
        entry.unread = _unsafe(member.filename) or (LINK if stat.S_ISLNK(member.external_attr >> 16) else encrypted)
        yield entry


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The bytes of a member, at most as many as the archive says."""
    with archive.open(member) as stream:
        data = stream.read(member.file_size + 1)
    if len(data) > member.file_size or is_bomb(member.file_size, member.compress_size):
        raise zipfile.BadZipFile("more bytes than the archive says, or than its own can make")
    return data


def _count(stream: IO[bytes]) -> int:
    """How many entries a zip's directory may have, counted in one pass that keeps nothing."""
    count, before = 0, b""
    while block := stream.read(1 << 20):
        count += (before + block).count(RECORD)
        before = block[-len(RECORD) + 1 :]
    stream.seek(0)
    return count


class _Capped(io.RawIOBase):
    """A tar's bytes, unpacked: what is read counts against what a submission may hold, and no single piece is large."""

    def __init__(self, stream: Any, budget: Budget) -> None:
        self.stream, self.budget = stream, budget
        self.most, self.furthest = 1 << 20, 0

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= self.most:
            raise tarfile.ReadError("a piece that is too large")
        data: bytes = self.stream.read(size)
        self._reached(self.stream.tell())
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self._reached(offset)
        return int(self.stream.seek(offset, whence))

    def tell(self) -> int:
        return int(self.stream.tell())

    def _reached(self, place: int) -> None:
        more, self.furthest = max(0, place - self.furthest), max(self.furthest, place)
        self.budget.total -= more
        if self.budget.total < 0 or self.furthest > MAX_TOTAL:
            raise Unopened(f"unpacks to more than the {MAX_TOTAL >> 20} MB that a submission may have; not all of it was read")


def _tar(stream: IO[bytes], opener: Any, name: str, budget: Budget) -> Iterator[Entry]:
    capped = _Capped(opener(stream) if opener else stream, budget)
    try:
        archive = tarfile.TarFile(fileobj=capped, mode="r", errorlevel=2)
        while (member := archive.next()) is not None:
            budget.entries -= 1
            if budget.entries < 0:
                raise Unopened(f"holds entries over the limit of {MAX_ENTRIES} in all archives; not all of it was read")
            path = _member_path(member.name, member.isdir())
            if path is None:
                continue
            if not budget.admits():
                return
            entry = Entry(path, member.size, functools.partial(_from_tar, archive, member, capped), counted=True, archive=name)
            entry.unread = _unsafe(member.name) or _unlike_a_file(member)
            if opener and not entry.unread:
                _keep(entry, budget)
            yield entry
    except (Unopened, MemoryError):
        raise
    except Exception:  # as in _zip
        raise Unopened("is not a readable archive: pack the files as .zip") from None


def _unlike_a_file(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return LINK
    return "" if member.isreg() and not member.issparse() else NOT_REGULAR


def _keep(entry: Entry, budget: Budget) -> None:
    """Read what may be code out of a packed tar at once, because there is no cheap way back in it."""
    if entry.kind in (CODE, TEXT, ARCHIVE) and entry.size <= budget.limit_of(entry.kind):
        if budget.keeps(entry.size):
            data = entry.load()
            entry.load = lambda: data
        else:
            entry.unread = f"is in a tar with over {MAX_KEPT >> 20} MB of such files: pack them as .zip"


def _from_tar(archive: tarfile.TarFile, member: tarfile.TarInfo, capped: _Capped) -> bytes:
    usual, capped.most = capped.most, max(capped.most, member.size)
    try:
        stream = archive.extractfile(member)
        data = stream.read() if stream else b""
    finally:
        capped.most = usual
    if len(data) != member.size:
        raise tarfile.ReadError("fewer bytes than the archive says")
    return data


def _member_path(filename: str, folder: bool) -> PurePosixPath | None:
    """The path of a file inside an archive, from its root on; None for folders and what is nobody's answer."""
    path = PurePosixPath(ROOT.sub("", filename.replace("\\", "/")) or UNNAMED)
    return None if folder or any(is_ignored(part) for part in path.parts if part != "..") else path


def _unsafe(filename: str) -> str:
    if not filename:
        return "has no name in the archive and was left out: pack the files again"
    return "has an unsafe name and was left out" if ".." in PurePosixPath(filename.replace("\\", "/")).parts else ""


def is_bomb(size: int, packed: int) -> bool:
    """Whether so many bytes were made of so few that no honest file is like that."""
    return size > (1 << 20) and size > MAX_RATIO * max(packed, 1)

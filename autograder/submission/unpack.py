"""Reads a submission (a file, a folder or a zip) into memory under hard limits; nothing is extracted to disk.

Every file name is treated as hostile. Code is read at once; of PDFs and other files only the name and size are read, and
their bytes are loaded on demand.
"""

from __future__ import annotations

import functools
import hashlib
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder.checks.formats import ARCHIVE, CODE, CODE_SUFFIXES, PDF, kind_of_file
from autograder.core.errors import GraderError
from autograder.core.text import clean
from autograder.core.watch import LARGE, watch

WRITE_UP_HINT = "; a PDF belongs to the write-up's assignment"
MAX_FILES = 2000  # in the whole submission, whatever archives they are in
MAX_ENTRIES = 20_000  # of one archive, folders and ignored files included
MAX_TOTAL = 160 << 20  # bytes of code and archives, unpacked
KEPT = 1 << 20  # larger files of code are read again when they are needed, not kept
MAX_RATIO = 200
IGNORED = ("__MACOSX", "__pycache__", "node_modules", "site-packages")
ENTRY = b"PK\1\2"  # what each entry of a zip's directory begins with


@dataclass
class File:
    """One submitted file: its path inside the submission and its bytes (None if over the size limit).

    For files other than code, and large ones, ``data`` is empty and ``load`` returns the bytes; it raises whatever a damaged
    zip raises.
    """

    path: PurePosixPath
    data: bytes | None
    size: int
    load: Callable[[], bytes] | None = field(default=None, compare=False)

    @property
    def kind(self) -> str:
        """The kind of file according to its name: see ``checks.formats.kind_of_file``."""
        return kind_of_file(self.path.name)

    def content(self) -> bytes:
        """The bytes, read again if they were not kept; empty if over the size limit."""
        return self.load() if self.load and not self.data else self.data or b""

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


@dataclass
class _Budget:
    """What a submission may still hold, whatever archives it is divided among, and notes on what was left out."""

    limit: int
    notes: list[str]
    files: int = MAX_FILES
    total: int = MAX_TOTAL
    told: set[str] = field(default_factory=set)

    def admits(self) -> bool:
        """Count one more file."""
        self.files -= 1
        if self.files < 0:
            self.tell(f"only the first {MAX_FILES} files were read")
        return self.files >= 0

    def spends(self, size: int) -> bool:
        """Count the bytes of one more file of code."""
        self.total -= min(size, self.limit)
        if self.total < 0:
            self.tell(f"the submission is over {MAX_TOTAL >> 20} MB; the rest was left out")
        return self.total >= 0

    def tell(self, note: str) -> None:
        if note not in self.told:
            self.told.add(note)
            self.notes.append(note)


def read_files(path: Path, limit: int) -> Contents:
    """Read all files of a file, folder or zip, without the data of those over ``limit`` bytes. Raises GraderError."""
    budget = _Budget(limit, [])
    files = list(_files(Path(path), budget))
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda f: str(f.path)):
        data = file.content() if file.kind == CODE else file.data or b""
        digest.update(str(file.path).encode("utf-8", "surrogatepass") + b"\0" + data + b"\0")
    return Contents(files, budget.notes, digest.hexdigest())


def _files(path: Path, budget: _Budget) -> Iterator[File]:
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
        yield from _folder(path, budget)
    elif path.is_file():
        if kind_of_file(path.name) == ARCHIVE:
            yield from _zip(path, path.name, budget)
        elif kind_of_file(path.name) == CODE:
            size = path.stat().st_size
            yield File(PurePosixPath(path.name), path.read_bytes() if size <= budget.limit else None, size)
        else:
            other = WRITE_UP_HINT * (kind_of_file(path.name) == PDF)
            raise GraderError(
                f"nothing to grade: {clean(path.name)} is not a submission: expected {CODE_SUFFIXES}, .zip or a folder{other}"
            )
    else:
        raise GraderError(f"cannot read {clean(str(path))}: not a regular file")


def _folder(folder: Path, budget: _Budget) -> Iterator[File]:
    archives = []
    for entry in _regular_files(folder, budget):
        relative = PurePosixPath(*entry.relative_to(folder).parts)
        size, kind = entry.stat().st_size, kind_of_file(entry.name)
        if kind not in (CODE, ARCHIVE):
            yield File(relative, b"", size, entry.read_bytes)
        elif size > budget.limit:
            yield File(relative, None, size)
        elif not budget.spends(size):
            return
        elif kind == ARCHIVE:
            archives.append(entry)
        else:
            file = _file(relative, size, entry.read_bytes)
            if isinstance(file, File):
                yield file
            else:
                reason = getattr(file, "strerror", None) or type(file).__name__
                budget.tell(f"{clean(str(relative))} could not be read: {reason}")
    for entry in archives:  # last: what they hold cannot use up what other files need
        yield from _zip(entry, entry.name, budget)


def _file(path: PurePosixPath, size: int, load: Callable[[], bytes]) -> File | Exception:
    """A file of code, read once to see whether it can be read; its bytes are kept only if they are few."""
    try:
        data = load()
    except Exception as error:  # encrypted, damaged or an unknown compression: zipfile raises many kinds
        return error
    return File(path, data, len(data)) if size <= KEPT else File(path, b"", len(data), load)


def _regular_files(folder: Path, budget: _Budget) -> Iterator[Path]:
    """The regular files below a folder, except ignored names; stops after MAX_FILES entries."""
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            entries = sorted(here.iterdir(), key=lambda p: p.name)
        except OSError as error:
            budget.tell(f"the folder {clean(here.name)} could not be read: {error.strerror}")
            continue
        for entry in entries:
            if _ignored(entry.name):
                continue
            mode = entry.lstat().st_mode
            if not budget.admits():
                return
            if stat.S_ISDIR(mode):
                pending.append(entry)
            elif stat.S_ISREG(mode):
                yield entry
            else:
                relative = PurePosixPath(*entry.relative_to(folder).parts)
                budget.tell(f"{clean(str(relative))} is not a regular file and was left out")


def _zip(source: Path, name: str, budget: _Budget) -> Iterator[File]:
    if reason := watch.at("zip", str(source)):
        budget.tell(f"{clean(name)} {reason}")
        return
    try:
        if (count := _entries(source)) > MAX_ENTRIES:
            budget.tell(f"{clean(name)} holds {count} entries, over the limit of {MAX_ENTRIES}, and was left out")
            return
        archive = zipfile.ZipFile(source)
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError, OSError):
        budget.tell(f"{clean(name)} is not a readable zip")
        return
    except MemoryError:
        budget.tell(f"{clean(name)} {LARGE}")
        return
    for member in members:
        path = _member_path(member, name, budget)
        if path is None:
            continue
        if not budget.admits():
            return
        yield from _member(archive, member, path, name, budget)


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: PurePosixPath, name: str, budget: _Budget
) -> Iterator[File]:
    load = functools.partial(_unpacked, archive, member)
    if kind_of_file(path.name) != CODE:
        yield File(path, b"", member.file_size, load)
    elif member.file_size > budget.limit:
        yield File(path, None, member.file_size)
    elif _is_bomb(member):
        budget.tell(f"{clean(str(path))} in {clean(name)} unpacks to over {MAX_RATIO} times its size and was left out")
    elif not budget.spends(member.file_size):
        return
    elif reason := watch.at("member", f"{name}/{path}"):
        budget.tell(f"{clean(str(path))} in {clean(name)} {reason}")
    else:
        file = _file(path, member.file_size, load)
        if isinstance(file, File):
            yield file
        else:
            budget.tell(f"{clean(str(path))} in {clean(name)} could not be unpacked")


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The bytes of a member, at most as many as the archive says."""
    with archive.open(member) as stream:
        data = stream.read(member.file_size + 1)
    if len(data) > member.file_size or _is_bomb(member):
        raise zipfile.BadZipFile("more bytes than the archive says, or than its own can make")
    return data


def _entries(source: Path) -> int:
    """How many entries a zip's directory may have, counted in one pass that keeps nothing."""
    count, before = 0, b""
    with source.open("rb") as file:
        while block := file.read(1 << 20):
            count += (before + block).count(ENTRY)
            before = block[-len(ENTRY) + 1 :]
    return count


def _member_path(member: zipfile.ZipInfo, name: str, budget: _Budget) -> PurePosixPath | None:
    """The path of a regular file inside the zip ``name``; None, with a note if unsafe, for anything to leave out."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if member.is_dir() or any(_ignored(part) for part in path.parts if part != ".."):
        return None
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", member.filename):
        budget.tell(f"{clean(name)} contains the unsafe name {clean(member.filename)!r}; that file was left out")
        return None
    if stat.S_ISLNK(member.external_attr >> 16):
        budget.tell(f"{clean(str(path))} is a link and was left out")
        return None
    return path


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    return member.file_size > (1 << 20) and member.file_size > MAX_RATIO * max(member.compress_size, 1)


def _ignored(name: str) -> bool:
    return name in IGNORED or name.startswith(".")

"""The files of a submission, and what it may hold, whatever archives it is divided among. Every name is treated as hostile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder.checks.formats import TEXT, kind_of_file
from autograder.core.text import clean

MAX_FILES = 2000  # in the whole submission, whatever archives they are in
MAX_ENTRIES = 20_000  # of all archives together, folders and ignored files included
MAX_TOTAL = 160 << 20  # bytes of code and archives, unpacked
MAX_TEXT = 8 << 20  # bytes of one file whose name does not say that it is code
MAX_KEPT = 32 << 20  # bytes that cannot be read again where they are: archives in archives, members of packed tars
IGNORED = ("__MACOSX", "__pycache__", "node_modules", "site-packages", "Thumbs.db", "desktop.ini")


@dataclass
class File:
    """One file: its path inside the submission (in the innermost archive) and its bytes (None if it is not read).

    For files other than code, and large ones, ``data`` is empty and ``load`` returns the bytes; it raises whatever a damaged
    archive raises. ``unread``: why the file is not read, as the end of a sentence about it. ``archive``: the archive it is in.
    """

    path: PurePosixPath
    data: bytes | None
    size: int
    load: Callable[[], bytes] | None = field(default=None, compare=False)
    unread: str = ""
    archive: str = ""

    @property
    def kind(self) -> str:
        """The kind of file according to its name: see ``checks.formats.kind_of_file``."""
        return kind_of_file(self.path.name)

    def content(self) -> bytes:
        """The bytes, read again if they were not kept; empty if it is not read."""
        return self.load() if self.load and not self.data else self.data or b""

    @property
    def name(self) -> str:
        """The path, safe to print."""
        return clean(str(self.path))

    @property
    def label(self) -> str:
        """The path and the archive, safe to print."""
        return f"{self.name} in {clean(self.archive)}" if self.archive else self.name


@dataclass
class Contents:
    """All files that were handed in, notes on what could not be looked at, and a digest of names and bytes."""

    files: list[File]
    notes: list[str]
    digest: str


@dataclass
class Entry:
    """A file that was found and not read yet.

    ``packed``: its bytes inside an archive, -1 if unknown; ``counted``: where the archive is read; ``where``: on a disk.
    """

    path: PurePosixPath
    size: int
    load: Callable[[], bytes]
    packed: int = -1
    counted: bool = False
    unread: str = ""
    archive: str = ""
    where: Path | None = None

    @property
    def kind(self) -> str:
        return kind_of_file(self.path.name)

    def file(self, data: bytes | None, load: Callable[[], bytes] | None = None) -> File:
        return File(self.path, data, self.size, load, archive=self.archive)

    def left_out(self, reason: str) -> File:
        """The file, not read for this reason."""
        return File(self.path, None, self.size, None, reason, self.archive)


@dataclass
class Budget:
    """What a submission may still hold, and notes on what was left out; ``limit``: bytes of one file."""

    limit: int
    notes: list[str] = field(default_factory=list)
    files: int = MAX_FILES
    entries: int = MAX_ENTRIES
    total: int = MAX_TOTAL
    kept: int = MAX_KEPT

    def admits(self) -> bool:
        """Count one more file."""
        self.files -= 1
        if self.files < 0:
            self.tell(f"only the first {MAX_FILES} files were read")
        return self.files >= 0

    def spends(self, size: int) -> bool:
        """Count the bytes of one more file of code, or of a packed archive."""
        self.total -= min(size, self.limit)
        return self.total >= 0

    def limit_of(self, kind: str) -> int:
        """How many bytes a file of this kind may have."""
        return min(self.limit, MAX_TEXT) if kind == TEXT else self.limit

    def keeps(self, size: int) -> bool:
        """Count bytes that are kept in memory."""
        self.kept -= size
        return self.kept >= 0

    def tell(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def is_ignored(name: str) -> bool:
    """Whether a name is what systems and programs leave behind, and nobody's answer; a placeholder of iCloud is told."""
    return name in IGNORED or (name.startswith(".") and not name.endswith(".icloud"))

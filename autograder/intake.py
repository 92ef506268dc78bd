"""Which submitted file is which section, by name and by content; nothing is extracted to disk.

Reads a file, a folder or a zip into memory under hard caps, and treats every name in it as hostile.
"""

from __future__ import annotations

import ast
import hashlib
import io
import re
import stat
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder.model import Assignment, GraderError, Section
from autograder.readers import Unreadable, read
from autograder.statements import Parsed, parse_document
from autograder.text import clean

CODE_SUFFIXES = (".py", ".ipynb")
WRITE_UP = "; a PDF belongs to the write-up's assignment"
MAX_FILES = 2000
MAX_TOTAL = 256 << 20
MAX_RATIO = 200
IGNORED = ("__MACOSX", "__pycache__", "node_modules", "site-packages")


@dataclass
class File:
    """One submitted file: its path inside the submission and its bytes (None when over the size limit)."""

    path: PurePosixPath
    data: bytes | None
    size: int

    @property
    def name(self) -> str:
        return clean(str(self.path))


@dataclass
class Found:
    """A section as it was submitted: the parsed file that counts, or ``problem`` why there is none."""

    section: Section
    parsed: Parsed | None = None
    notes: list[str] = field(default_factory=list)
    problem: str = ""


@dataclass
class Contents:
    """A submission's files as they were read, notes on what could not be, and a digest of names and bytes."""

    files: list[File]
    notes: list[str]
    digest: str


@dataclass
class Submission:
    """All of a submission: sections, modules it brings along, notes for its author, and a digest of its content."""

    sections: dict[str, Found]
    modules: dict[str, str]
    notes: list[str]
    digest: str


@dataclass
class _Candidate:
    file: File
    parsed: Parsed
    named: str
    score: dict[str, int]


def read_files(path: Path, limit: int) -> Contents:
    """All files of a file, folder or zip; one over ``limit`` bytes keeps its name only. Raises GraderError."""
    notes: list[str] = []
    files = list(_files(Path(path), limit, notes))
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda f: str(f.path)):
        digest.update(str(file.path).encode("utf-8", "surrogatepass") + b"\0" + (file.data or b"") + b"\0")
    return Contents(files, notes, digest.hexdigest())


def take_in(assignment: Assignment, submitted: Path | Contents) -> Submission:
    """Sort a submission's files into sections; raises GraderError where there is nothing that could be graded."""
    read = submitted if isinstance(submitted, Contents) else read_files(submitted, assignment.limits.file_bytes)
    files, notes, candidates = read.files, list(read.notes), []
    for file in files:
        if file.path.suffix.lower() in CODE_SUFFIXES:
            candidate = _candidate(assignment, file, notes)
            if candidate:
                candidates.append(candidate)
    if not candidates:
        alone = any(file.path.suffix.lower() == ".pdf" for file in files)
        kinds = ("" if notes else ": expected .ipynb or .py files") + WRITE_UP * alone
        raise GraderError("nothing to grade" + (kinds if files or not notes else "") + "".join(f"; {n}" for n in notes[:3]))
    sections = {s.id: _choose(s, candidates, assignment) for s in assignment.sections}
    used = {id(found.parsed) for found in sections.values() if found.parsed}
    modules = {}
    for candidate in candidates:
        if id(candidate.parsed) not in used and candidate.file.path.suffix == ".py" and candidate.file.data:
            modules |= _module(candidate, files)
    return Submission(sections, modules, notes, read.digest)


def _module(candidate: _Candidate, files: list[File]) -> dict[str, str]:
    """A brought-along file under the dotted name by which a notebook at the top (or beside it) imports it."""
    parts = [p for p in candidate.file.path.with_suffix("").parts]
    if not all(part.isidentifier() for part in parts):
        return {}
    source = "\n".join(cell.source for cell in candidate.parsed.document.cells)
    names = {".".join(parts): source}
    if len(parts) > 1 and not any(f.path.parts[:1] == parts[:1] and f.path.name == "__init__.py" for f in files):
        names[".".join(parts[1:])] = source
    return names


def _files(path: Path, limit: int, notes: list[str]):
    """Every regular file of a file, folder or zip (one zip inside a folder is opened too)."""
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise GraderError(f"cannot read {clean(str(path))}: {error.strerror}") from None
    if stat.S_ISLNK(mode):
        path = path.resolve()
    if path.is_dir():
        yield from _folder(path, limit, notes)
    elif path.is_file():
        if path.suffix.lower() == ".zip":
            yield from _zip(path.read_bytes(), path.name, limit, notes)
        elif path.suffix.lower() in CODE_SUFFIXES:
            size = path.stat().st_size
            yield File(PurePosixPath(path.name), path.read_bytes() if size <= limit else None, size)
        else:
            other = WRITE_UP * (path.suffix.lower() == ".pdf")
            raise GraderError(f"nothing to grade: {clean(path.name)} is neither .ipynb, .py, .zip nor a folder{other}")
    else:
        raise GraderError(f"cannot read {clean(str(path))}: not a regular file")


def _folder(folder: Path, limit: int, notes: list[str]):
    total, count, pending = 0, 0, [folder]
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
                notes.append(f"only the first {MAX_FILES} files were looked at")
                return
            if stat.S_ISDIR(mode):
                pending.append(entry)
                continue
            relative = PurePosixPath(*entry.relative_to(folder).parts)
            if not stat.S_ISREG(mode):
                notes.append(f"{clean(str(relative))} is not a regular file and was left out")
                continue
            size = entry.stat().st_size
            wanted = entry.suffix.lower() in (*CODE_SUFFIXES, ".zip")
            if not wanted:
                yield File(relative, b"", size)
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
            if entry.suffix.lower() == ".zip" and data is not None:
                yield from _zip(data, entry.name, limit, notes)
            else:
                yield File(relative, data, size)


def _zip(data: bytes, name: str, limit: int, notes: list[str]):
    total = 0
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError, OSError):
        notes.append(f"{clean(name)} is not a readable zip")
        return
    for member in members[:MAX_FILES]:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if member.is_dir() or any(_ignored(part) for part in path.parts if part != ".."):
            continue
        if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", member.filename):
            notes.append(f"{clean(name)} holds the unsafe name {clean(member.filename)!r}; that file was left out")
            continue
        if stat.S_ISLNK(member.external_attr >> 16):
            notes.append(f"{clean(str(path))} is a link and was left out")
            continue
        if path.suffix.lower() not in CODE_SUFFIXES:
            yield File(path, b"", member.file_size)
            continue
        total += member.file_size
        bomb = member.file_size > (1 << 20) and member.file_size > MAX_RATIO * max(member.compress_size, 1)
        if member.file_size > limit or bomb or total > MAX_TOTAL:
            yield File(path, None, member.file_size)
            continue
        try:
            with archive.open(member) as stream:
                content = stream.read(limit + 1)
        except Exception:  # encrypted, damaged or an unknown compression: zipfile raises many kinds
            notes.append(f"{clean(str(path))} in {clean(name)} could not be unpacked")
            continue
        yield File(path, content, len(content))


def _ignored(name: str) -> bool:
    return name in IGNORED or name.startswith(".")


def _candidate(assignment: Assignment, file: File, notes: list[str]) -> _Candidate | None:
    if file.data is None:
        notes.append(f"{file.name} has {file.size >> 20} MB, over the limit; clear its outputs and save again")
        return None
    try:
        document = read(file.name, file.data, assignment.limits.file_bytes)
    except Unreadable as problem:
        notes.append(str(problem))
        return None
    parsed = parse_document(document, assignment.numbers())
    if not parsed.statements:
        notes.append(f"{file.name} holds no code")
        return None
    bound = {name for s in parsed.statements for name in _bound_names(s.node)}
    score = {s.id: len(bound & set(s.names)) for s in assignment.sections}
    named = [s.id for s in assignment.sections if re.search(s.file_pattern, file.path.stem.lower())]
    return _Candidate(file, parsed, named[0] if len(named) == 1 else "", score)


def _bound_names(node) -> set[str]:
    if hasattr(node, "name"):
        return {node.name}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _choose(section: Section, candidates: list[_Candidate], assignment: Assignment) -> Found:
    """The file that counts for a section: named for it at the top, else named anywhere, else holding its names."""
    found = Found(section)
    named = [c for c in candidates if c.named == section.id]
    top = min((len(c.file.path.parts) for c in named), default=0)
    named = [c for c in named if len(c.file.path.parts) == top]
    wrong = [c for c in named if not c.score[section.id] and any(c.score.values())]
    right = [c for c in named if c not in wrong]
    if not right:
        shallow = min((len(c.file.path.parts) for c in candidates if c.named), default=99)
        right = [c for c in candidates if c.score[section.id] and c not in wrong
                 and len(c.file.path.parts) <= shallow and _holds(c, section)]
    imported = {module for c in right for s in c.parsed.statements for module in imported_modules(s.node)}
    right = [c for c in right if c.file.path.stem not in imported or c.named] or right
    for candidate in wrong:
        held = max(assignment.sections, key=lambda s: candidate.score[s.id])
        found.notes.append(f"{candidate.file.name} is named for {section.id} but holds the code of {held.id}: wrong file?")
    if not right:
        found.problem = found.notes[-1] if wrong else f"no file for {section.id} was submitted"
        return found
    # A script counts before a notebook, then the fuller file, then the one nearest the top.
    right.sort(key=lambda c: (c.file.path.suffix.lower() != ".py", -c.score[section.id],
                              len(c.file.path.parts), str(c.file.path)))
    chosen, others = right[0], right[1:]
    found.parsed = chosen.parsed
    found.notes.append(f"graded from {chosen.file.name} ({chosen.parsed.document.format})")
    for other in others[:3]:
        same = _fingerprint(other, section) == _fingerprint(chosen, section)
        verb = "agrees with it" if same else "differs from it and was not graded"
        found.notes.append(f"{other.file.name} {verb}")
    found.notes += chosen.parsed.document.notes
    return found


def imported_modules(node: ast.stmt) -> set[str]:
    """Top-level names of the modules that a statement imports."""
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    return {(node.module or "").split(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def _holds(candidate: _Candidate, section: Section) -> bool:
    """A file named for another section may still hold this one too, but not on the strength of one stray name."""
    return candidate.named in ("", section.id) or candidate.score[section.id] * 2 > len(section.names) // 2


def _fingerprint(candidate: _Candidate, section: Section) -> str:
    """The answers' own statements, free of layout and comments."""
    kept = [ast.dump(s.node) for s in candidate.parsed.statements if _bound_names(s.node) & set(section.names)]
    return hashlib.sha256("\n".join(kept).encode("utf-8", "surrogatepass")).hexdigest()

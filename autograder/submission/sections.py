"""Which submitted file is which section, by name and by content."""

from __future__ import annotations

import ast
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from autograder.checks.formats import CODE, CODE_SUFFIXES, PDF, Unreadable, read
from autograder.core.assignment import Assignment, Section
from autograder.core.errors import GraderError
from autograder.submission.statements import Parsed, parse_document
from autograder.submission.unpack import WRITE_UP_HINT, Contents, File, read_files


@dataclass
class Found:
    """A section as it was submitted: the parsed file that counts, or ``problem`` why there is none."""

    section: Section
    parsed: Parsed | None = None
    notes: list[str] = field(default_factory=list)
    problem: str = ""


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


def take_in(assignment: Assignment, submitted: Path | Contents) -> Submission:
    """Sort a submission's files into sections; raises GraderError where there is nothing that could be graded."""
    read = submitted if isinstance(submitted, Contents) else read_files(submitted, assignment.limits.file_bytes)
    files, notes, candidates = read.files, list(read.notes), []
    for file in files:
        if file.kind == CODE:
            candidate = _candidate(assignment, file, notes)
            if candidate:
                candidates.append(candidate)
    if not candidates:
        alone = any(file.kind == PDF for file in files)
        kinds = ("" if notes else f": expected {CODE_SUFFIXES} files") + WRITE_UP_HINT * alone
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
        right = [
            c
            for c in candidates
            if c.score[section.id] and c not in wrong and len(c.file.path.parts) <= shallow and _holds(c, section)
        ]
    imported = {module for c in right for s in c.parsed.statements for module in imported_modules(s.node)}
    right = [c for c in right if c.file.path.stem not in imported or c.named] or right
    for candidate in wrong:
        held = max(assignment.sections, key=lambda s: candidate.score[s.id])
        found.notes.append(f"{candidate.file.name} is named for {section.id} but holds the code of {held.id}: wrong file?")
    if not right:
        found.problem = found.notes[-1] if wrong else f"no file for {section.id} was submitted"
        return found
    # A script counts before a notebook, then the fuller file, then the one nearest the top.
    right.sort(
        key=lambda c: (c.file.path.suffix.lower() != ".py", -c.score[section.id], len(c.file.path.parts), str(c.file.path))
    )
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

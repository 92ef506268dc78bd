"""Decides which submitted file holds which section, by file name and by content."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.checks.formats import CODE, CODE_SUFFIXES, PDF, Unreadable, read
from autograder.core.assignment import Assignment, Section
from autograder.core.errors import GraderError
from autograder.core.syntax import shape, walk
from autograder.core.watch import LARGE, watch, why
from autograder.submission.statements import Parsed, parse_document
from autograder.submission.unpack import WRITE_UP_HINT, Contents, File, read_files

MAX_STATEMENTS, MAX_CODE = 20_000, 12 << 20  # in all files of code together
MAX_ENDED = 2  # files that end the process that reads them: after these no other is tried


@dataclass
class Found:
    """A section of the submission: the parsed file to grade, or the ``problem`` if there is none."""

    section: Section
    parsed: Parsed | None = None
    notes: list[str] = field(default_factory=list)
    problem: str = ""


@dataclass
class Submission:
    """A whole submission: its sections by id, its own modules (dotted name -> source), and notes for its author."""

    sections: dict[str, Found]
    modules: dict[str, str]
    notes: list[str]


@dataclass
class _Candidate:
    """A parsed file, the id of the section it is named for ('' if none or several), and section id -> names it binds."""

    file: File
    parsed: Parsed
    named: str
    score: dict[str, int]

    @property
    def depth(self) -> int:
        return len(self.file.path.parts)


def take_in(assignment: Assignment, submitted: Path | Contents) -> Submission:
    """Sort a submission's files into sections; raises GraderError if nothing in it can be graded."""
    contents = submitted if isinstance(submitted, Contents) else read_files(submitted, assignment.limits.file_bytes)
    notes = list(contents.notes)
    candidates = list(_candidates(assignment, contents.files, notes))
    if not candidates:
        raise GraderError(_nothing_to_grade(contents.files, notes))
    sections = {s.id: _chosen(s, candidates, assignment) for s in assignment.sections}
    graded = {id(found.parsed) for found in sections.values() if found.parsed}
    modules = _modules([candidate for candidate in candidates if id(candidate.parsed) not in graded], notes)
    return Submission(sections, modules, notes)


def _candidates(assignment: Assignment, files: list[File], notes: list[str]) -> Iterator[_Candidate]:
    """The files that hold code, first those that are named for a section, as far as they are not too many."""
    code = sorted((file for file in files if file.kind == CODE), key=lambda file: not _named(assignment, file))
    statements, characters, ended = MAX_STATEMENTS, MAX_CODE, 0
    for number, file in enumerate(code):
        if ended == MAX_ENDED:
            notes.append(f"only {number} of {len(code)} files of code were read: {MAX_ENDED} of them take too much to be read")
            return
        if statements < 0 or characters < 0:
            notes.append(
                f"only {number} of {len(code)} files of code were read: together they may have {MAX_STATEMENTS} statements and "
                f"{MAX_CODE} characters of code"
            )
            return
        with watch.inside("file", str(file.path)) as reason:
            candidate = None if reason else _candidate(assignment, file, notes)
        if reason:
            ended += 1
            notes.append(f"{file.name} {reason}")
        if candidate:
            statements -= len(candidate.parsed.statements)
            characters -= sum(len(cell.source) for cell in candidate.parsed.document.cells)
            yield candidate


def likely_sections(assignment: Assignment, contents: Contents) -> list[str]:
    """The ids of the sections of which some file has most of the names in its text."""
    found: dict[str, None] = {}
    for file in contents.files:
        text = _content(file) if file.kind == CODE and file.data is not None else b""
        for section in assignment.sections:
            if text and 2 * sum(name.encode() in text for name in section.names) > len(section.names):
                found[section.id] = None
    return list(found)


def _content(file: File) -> bytes:
    """The bytes of a file of code; empty if they cannot be read any more."""
    try:
        return file.content()
    except Exception:  # zipfile raises many kinds
        return b""


def _nothing_to_grade(files: list[File], notes: list[str]) -> str:
    only_pdf = any(file.kind == PDF for file in files)
    expected = ("" if notes else f": expected {CODE_SUFFIXES} files") + WRITE_UP_HINT * only_pdf
    return "nothing to grade" + (expected if files or not notes else "") + "".join(f"; {note}" for note in notes[:3])


def _modules(candidates: list[_Candidate], notes: list[str]) -> dict[str, str]:
    modules: dict[str, str] = {}
    for candidate in candidates:
        if candidate.file.path.suffix == ".py":
            modules |= _module(candidate, notes)
    return modules


def _module(candidate: _Candidate, notes: list[str]) -> dict[str, str]:
    """A submitted module under its dotted name, and under the shorter name by which a notebook in its folder imports it."""
    parts = candidate.file.path.with_suffix("").parts
    if not all(part.isidentifier() for part in parts):
        return {}
    if candidate.parsed.cut:
        notes.append(f"{candidate.file.name} is too long to be imported")
        return {}
    source = "\n".join(cell.source for cell in candidate.parsed.document.cells)
    names = {".".join(parts): source}
    if len(parts) > 1:
        names[".".join(parts[1:])] = source
    return names


def _candidate(assignment: Assignment, file: File, notes: list[str]) -> _Candidate | None:
    if file.data is None:
        notes.append(f"{file.name} is {file.size >> 20} MB, over the limit; clear its outputs and save again")
        return None
    try:
        document = read(file.name, _content(file), assignment.limits.file_bytes)
        parsed = parse_document(document, assignment.numbers())
        bound = {name for s in parsed.statements for name in _bound_names(s.node)}
    except Unreadable as problem:
        notes.append(str(problem))
        return None
    except (MemoryError, RecursionError):
        notes.append(f"{file.name} {LARGE}; clear its outputs and save again")
        return None
    except Exception as error:  # ours: it must not cost the other files
        notes.append(f"{file.name} {why(error)}")
        return None
    if not parsed.statements:
        notes.append(f"{file.name} contains no code")
        return None
    score = {s.id: len(bound & set(s.names)) for s in assignment.sections}
    named = _named(assignment, file)
    return _Candidate(file, parsed, named[0] if len(named) == 1 else "", score)


def _named(assignment: Assignment, file: File) -> list[str]:
    """The ids of the sections that a file is named for."""
    return [s.id for s in assignment.sections if re.search(s.file_pattern, file.path.stem.lower())]


def _bound_names(node: ast.stmt) -> set[str]:
    if hasattr(node, "name"):
        return {node.name}
    return {n.id for n in walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _chosen(section: Section, candidates: list[_Candidate], assignment: Assignment) -> Found:
    """The file to grade for a section; a problem that names the files between which it cannot be chosen."""
    with watch.inside("choice", section.id) as reason:
        try:
            found, problem = None if reason else _choose(section, candidates, assignment), reason
        except Exception as error:  # ours: it must not cost the other sections
            found, problem = None, why(error)
    names = ", ".join(c.file.name for c in candidates if c.named == section.id or c.score[section.id])
    return found or Found(section, problem=f"what was submitted for {section.id} ({names[:200]}) {problem}")


def _choose(section: Section, candidates: list[_Candidate], assignment: Assignment) -> Found:
    """The file to grade for a section: one named for it (nearest the top), otherwise one that binds its names."""
    right, wrong = _by_name(section, candidates)
    right = right or _by_content(section, candidates, wrong)
    right = _not_imported(right) or right
    found = Found(section, notes=[_wrong_file(c, section, assignment) for c in wrong])
    if not right:
        found.problem = found.notes[-1] if wrong else f"no file for {section.id} was submitted"
        return found
    chosen, *others = sorted(right, key=lambda c: _preference(c, section))
    found.parsed = chosen.parsed
    found.notes.append(f"graded from {chosen.file.name} ({chosen.parsed.document.format})")
    found.notes += [_comparison(other, chosen, section) for other in others[:3]]
    found.notes += chosen.parsed.document.notes
    return found


def _wrong_file(candidate: _Candidate, section: Section, assignment: Assignment) -> str:
    held = max(assignment.sections, key=lambda s: candidate.score[s.id])
    return f"{candidate.file.name} is named for {section.id} but holds the code of {held.id}: wrong file?"


def _comparison(other: _Candidate, chosen: _Candidate, section: Section) -> str:
    same = _fingerprint(other, section) == _fingerprint(chosen, section)
    return f"{other.file.name} {'agrees with it' if same else 'differs from it and was not graded'}"


def _by_name(section: Section, candidates: list[_Candidate]) -> tuple[list[_Candidate], list[_Candidate]]:
    """Files named for a section, nearest the top: (right, wrong), where the wrong ones bind names of other sections only."""
    named = [c for c in candidates if c.named == section.id]
    top = min((c.depth for c in named), default=0)
    named = [c for c in named if c.depth == top]
    wrong = [c for c in named if not c.score[section.id] and any(c.score.values())]
    return [c for c in named if c not in wrong], wrong


def _by_content(section: Section, candidates: list[_Candidate], wrong: list[_Candidate]) -> list[_Candidate]:
    """Files that bind names of a section, and are no deeper than the topmost file named for any section."""
    top = min((c.depth for c in candidates if c.named), default=99)
    return [c for c in candidates if c.score[section.id] and c not in wrong and c.depth <= top and _holds(c, section)]


def _not_imported(candidates: list[_Candidate]) -> list[_Candidate]:
    """Without the modules that another candidate imports, unless they are named for a section."""
    imported = {module for c in candidates for s in c.parsed.statements for module in imported_modules(s.node)}
    return [c for c in candidates if c.file.path.stem not in imported or c.named]


def _preference(candidate: _Candidate, section: Section) -> tuple[bool, int, int, str]:
    """Sort key: a script before a notebook, then the file with more of the names, then the one nearest the top."""
    path = candidate.file.path
    return path.suffix.lower() != ".py", -candidate.score[section.id], candidate.depth, str(path)


def imported_modules(node: ast.stmt) -> set[str]:
    """Top-level names of the modules that a statement imports."""
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    return {(node.module or "").split(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def _holds(candidate: _Candidate, section: Section) -> bool:
    """Whether a file may hold a section: one named for another section must bind over a quarter of this section's names."""
    return candidate.named in ("", section.id) or candidate.score[section.id] * 2 > len(section.names) // 2


def _fingerprint(candidate: _Candidate, section: Section) -> str:
    """A hash of the statements that bind the section's names, ignoring layout and comments."""
    names = set(section.names)
    answers = [shape(s.node, s.code) for s in candidate.parsed.statements if _bound_names(s.node) & names]
    return hashlib.sha256("\n".join(answers).encode("utf-8", "surrogatepass")).hexdigest()

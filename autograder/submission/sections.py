"""Decides which submitted file holds which section, by file name and by content."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.checks.formats import ARCHIVE, CODE, CODE_SUFFIXES, PDF, TEXT, Unreadable, read
from autograder.checks.ipython import as_module
from autograder.checks.naming import stem_of, why_no_code
from autograder.core.assignment import Assignment, Section
from autograder.core.errors import GraderError
from autograder.core.verdict import NO_FILE
from autograder.core.watch import LARGE, watch, why
from autograder.submission.fitting import Candidate, Fitting, comparison, fitting
from autograder.submission.own_files import own_files
from autograder.submission.recovery import Effort
from autograder.submission.several import Wanted, joined, preference, wanted
from autograder.submission.statements import Parsed, parse_document
from autograder.submission.stubs import all_bound
from autograder.submission.unpack import WRITE_UP_HINT, Contents, File, read_files
from autograder.submission.unread import told

UNNAMED = "is neither named .ipynb nor .py, and no answer was found in it"
MAX_TEXTS = 20  # files that are read for the names in them; they share the work on what does not parse
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
    """A whole submission: its sections by id, its own modules (dotted name -> source), and notes for its author.

    ``files``: those of data that its code names (path -> text).

    ``read`` and ``unread``: the files that were handed in, each in one of them; the latter name the reason.
    """

    sections: dict[str, Found]
    modules: dict[str, str]
    files: dict[str, str]
    notes: list[str]
    read: list[File]
    unread: list[File]


def take_in(assignment: Assignment, submitted: Path | Contents) -> Submission:
    """Sort a submission's files into sections; raises GraderError if nothing in it can be graded."""
    contents = submitted if isinstance(submitted, Contents) else read_files(submitted, assignment.limits.file_bytes)
    candidates = list(_candidates(assignment, contents.files))
    data = own_files(filter(_is_unread, contents.files), [c.source for one in candidates for c in one.parsed.document.cells])
    unread = [*filter(_is_unread, contents.files)]
    notes = [*contents.notes, *told(unread)]
    if not candidates:
        raise GraderError(_nothing_to_grade(contents.files, notes))
    sections = {s.id: _chosen(s, _answering(assignment, candidates), unread, assignment) for s in assignment.sections}
    modules = _modules(candidates, [found.parsed for found in sections.values() if found.parsed], notes)
    return Submission(sections, modules, data, notes, [candidate.file for candidate in candidates], unread)


def _is_unread(file: File) -> bool:
    return bool(file.unread)


def _answering(assignment: Assignment, candidates: list[Candidate]) -> list[Candidate]:
    """The files that may hold a section: a module of the assignment does not, whatever its name and content."""
    return [candidate for candidate in candidates if not assignment.is_module(candidate.file.path)]


@dataclass
class _Work:
    """What may still be read of code; ``effort``: what may be done about texts that do not parse, all of them together."""

    statements: int = MAX_STATEMENTS
    characters: int = MAX_CODE
    texts: int = MAX_TEXTS
    ended: int = MAX_ENDED
    effort: Effort = field(default_factory=Effort)

    def refuses(self, assignment: Assignment, file: File) -> str:
        """Why a file is not read at all; '' if it is."""
        if file.kind not in (CODE, TEXT):
            return why_no_code(file.path.name)
        if not self.ended:
            return f"was not read: {MAX_ENDED} other files take too much to be read"
        if self.statements < 0 or self.characters < 0:
            return f"was not read: all code may have {MAX_STATEMENTS} statements and {MAX_CODE} characters together"
        if file.kind == TEXT:
            if not _mentions(assignment, file):
                return UNNAMED
            self.texts -= 1
            if self.texts < 0:
                return f"was not read: of files that are neither named .ipynb nor .py only {MAX_TEXTS} are"
        return ""

    def reads(self, assignment: Assignment, file: File) -> Candidate | str:
        """A file as parsed code, or why it is not read."""
        if reason := self.refuses(assignment, file):
            return reason
        with watch.inside("file", file.label) as ended:
            candidate = ended or _candidate(assignment, file, self.effort if file.kind == TEXT else Effort())
        self.ended -= bool(ended)
        if isinstance(candidate, Candidate):
            self.statements -= len(candidate.parsed.statements)
            self.characters -= sum(len(cell.source) for cell in candidate.parsed.document.cells)
        return candidate


def _candidates(assignment: Assignment, files: list[File]) -> Iterator[Candidate]:
    """The files that hold code, first those that are named for a section, as far as they are not too many.

    All other files are marked as unread, with the reason.
    """
    work, order = _Work(), {CODE: 0, TEXT: 2}
    for file in sorted(files, key=lambda file: order.get(file.kind, 3) - bool(_named(assignment, file))):
        if file.unread:
            continue
        candidate = work.reads(assignment, file)
        if isinstance(candidate, str):
            file.unread = candidate
        else:
            yield candidate


def likely_sections(assignment: Assignment, contents: Contents) -> list[str]:
    """The ids of the sections of which some file has most of the names in its text."""
    found: dict[str, None] = {}
    for file in contents.files:
        text = _content(file) if file.kind in (CODE, TEXT) and file.data is not None else b""
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
    if not files and not notes:
        return NO_FILE
    only_pdf = any(file.kind == PDF for file in files)
    plain = all(file.kind not in (CODE, TEXT, ARCHIVE) for file in files)
    expected = f": expected {CODE_SUFFIXES} files" * (plain and bool(files or not notes))
    return "nothing to grade" + expected + "".join(f"; {note}" for note in notes[:3]) + WRITE_UP_HINT * only_pdf


def _modules(candidates: list[Candidate], graded: list[Parsed], notes: list[str]) -> dict[str, str]:
    """The submitted modules by the names by which a file at the top, in the only folder there, or beside them may import them.

    A notebook is one only for a file that runs it. Of several with one name that counts which lies highest.
    """
    modules: dict[str, str] = {}
    run = {stem for c in candidates for stem, name in c.taken if name == "*"}
    used = {id(parsed) for parsed in graded}
    for candidate in sorted(candidates, key=lambda c: c.depth):
        source = _source(candidate, run)
        if id(candidate.parsed) in used or source is None:
            continue
        if candidate.parsed.cut:
            notes.append(f"{candidate.file.name} is too long to be imported")
            continue
        parts = [*map(as_module, candidate.file.path.parent.parts), as_module(stem_of(candidate.file.path.name))]
        for first in sorted({0, 1, len(parts) - 2, len(parts) - 1} & set(range(len(parts)))):
            modules.setdefault(".".join(parts[first:]), source)
    return modules


def _source(candidate: Candidate, run: set[str]) -> str | None:
    """What a file is as a module; None for a notebook that is not among those that are run."""
    document = candidate.parsed.document
    if candidate.file.path.suffix.lower() == ".py" or not document.numbered:
        return "\n".join(cell.source for cell in document.cells)
    return as_script(candidate.parsed) if as_module(stem_of(candidate.file.path.name)) in run else None


def as_script(parsed: Parsed) -> str:
    """What of a notebook is Python."""
    return "\n".join(statement.code for statement in parsed.statements)


def _candidate(assignment: Assignment, file: File, effort: Effort) -> Candidate | str:
    """A file as parsed code, or why it is not read."""
    try:
        document = read(file.name, _content(file), assignment.limits.file_bytes)
        parsed = parse_document(document, assignment.numbers(), effort)
        bound = all_bound(parsed.statements)
    except Unreadable as problem:
        return str(problem).removeprefix(file.name).strip()
    except MemoryError:
        return f"{LARGE}; clear its outputs and save again"
    except Exception as error:  # ours: it must not cost the other files
        return why(error)
    score = {s.id: len(bound & set(s.names)) for s in assignment.sections}
    if file.kind == TEXT and not any(score.values()):
        return UNNAMED
    if not parsed.statements:
        return _without_code(parsed)
    named = _named(assignment, file)
    return Candidate(file, parsed, named[0] if len(named) == 1 else "", score)


def _without_code(parsed: Parsed) -> str:
    """Why a document has no statement."""
    reasons = [lost.why for lost in (*parsed.broken, *parsed.elsewhere)]
    return "contains no code" + (f" that is run: {reasons[0]}" if reasons else "")


def _mentions(assignment: Assignment, file: File) -> bool:
    """Whether some answer's name may stand in a text, in UTF-8 or UTF-16."""
    plain = _content(file).replace(b"\0", b"")
    return any(name.encode() in plain for section in assignment.sections for name in section.names)


def _named(assignment: Assignment, file: File) -> list[str]:
    """The ids of the sections that a file is named for; a module is for none."""
    if assignment.is_module(file.path):
        return []
    return [s.id for s in assignment.sections if re.search(s.file_pattern, stem_of(file.path.name).lower())]


def _chosen(section: Section, candidates: list[Candidate], unread: list[File], assignment: Assignment) -> Found:
    """The file to grade for a section; a problem that names the files between which it cannot be chosen."""
    with watch.inside("choice", section.id) as reason:
        try:
            found, problem = None if reason else _choose(section, candidates, unread, assignment), reason
        except Exception as error:  # ours: it must not cost the other sections
            found, problem = None, why(error)
    names = ", ".join(c.file.name for c in candidates if c.named == section.id or c.score[section.id])
    return found or Found(section, problem=f"what was submitted for {section.id} ({names[:200]}) {problem}")


def _choose(section: Section, candidates: list[Candidate], unread: list[File], assignment: Assignment) -> Found:
    """The file to grade for a section: one named for it (nearest the top), otherwise one that binds its names."""
    looked_for = wanted(assignment, section)
    fit = fitting(section, looked_for, [c for c in candidates if c.expected])
    if not fit.right:
        fit = fitting(section, looked_for, candidates)
    found = Found(section, notes=[_wrong_file(c, section, assignment) for c in fit.wrong])
    if not fit.right:
        lost = next((f"{f.label} {f.unread}" for f in unread if section.id in _named(assignment, f)), "")
        found.problem = found.notes[-1] if fit.wrong else lost or f"no file for {section.id} was submitted"
        return found
    found.parsed, compared = _of_several(section, looked_for, fit)
    found.notes += [f"graded from {found.parsed.document.name} ({found.parsed.document.format})", *compared]
    found.notes += found.parsed.document.notes
    return found


def _of_several(section: Section, wanted: Wanted, fit: Fitting) -> tuple[Parsed, list[str]]:
    """(What is graded of these files, how up to three others compare with it)."""
    ordered = [
        candidate
        for group in (fit.right, fit.more)
        for candidate in sorted(group, key=lambda c: preference(c.file.path, wanted.filled(c.parsed), section))
    ]
    parsed, used = joined([c.parsed for c in ordered], [c.module for c in ordered], wanted)
    left = [candidate for number, candidate in enumerate(ordered[: len(fit.right)]) if number not in used]
    return parsed, [comparison(other, ordered[0], wanted, len(used) == 1) for other in left[:3]]


def _wrong_file(candidate: Candidate, section: Section, assignment: Assignment) -> str:
    held = max(assignment.sections, key=lambda s: candidate.score[s.id])
    return f"{candidate.file.name} is named for {section.id} but holds the code of {held.id}: wrong file?"

"""A submission as the judge sees it: read in a process of its own (``sandbox.judge_side.apart``), whose answers are data.

``Reader`` asks; ``_Desk`` is what answers in that process. Every answer has its types checked and its texts cleaned.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.checks.formats import CODE, MARKDOWN, Cell, Document
from autograder.core.assignment import Assignment, Question, Section
from autograder.core.errors import GraderError
from autograder.core.text import clean
from autograder.core.trusted import load_rules
from autograder.core.watch import watch, why
from autograder.judging.choice import essence
from autograder.judging.edits import Edits, edits_from, edits_of
from autograder.sandbox.judge_side.apart import Apart, Ended
from autograder.slicing.absent import why_absent
from autograder.slicing.known import Known, Malformed, from_tree, pair_of, texts
from autograder.slicing.slicer import SLICE, WIDE, Program, Slicer, program_of
from autograder.submission.lost import Lost
from autograder.submission.own_files import is_plain
from autograder.submission.own_modules import Shelf
from autograder.submission.sections import Found as FoundFile
from autograder.submission.sections import Submission, likely_sections, take_in
from autograder.submission.unpack import Contents, File, read_files

PATIENCE = 120.0  # seconds for one answer, of which the limit on processor time leaves a busy machine most
PART = 3 << 20  # bytes of a file in one answer
PLAN = 24 << 20  # characters of what is sent of one section
MAX_NOTES, NOTE = 200, 600


@dataclass
class Plan:
    """The file to grade for a section: its statements, and answers to what the slicer knows of it.

    ``statements``: with their code from when it is first in a program on; ``document``: with the sources of its cells;
    ``essence``: see ``judging.choice``.
    """

    reader: Reader
    section: Section
    document: Document
    statements: list[Known]
    future: tuple[str, ...]
    modules: dict[str, str]
    files: dict[str, str]
    essence: bytes

    def program(self, questions: list[Question], width: str = SLICE) -> Program:
        """See ``Slicer.program``."""
        answer = self._ask("choice", questions=[q.id for q in questions], width=width)
        if _field(answer, "statements", int) != len(self.statements):  # it was read again, with less left of the limits
            raise Ended(f"the second reading of {clean(self.document.name)} differs from the first")
        self._keep(_field(answer, "codes", dict))
        statements = [self.statements[index] for index in self._indexes(_field(answer, "chosen", list))]
        calls = {name: [pair_of(pair) for pair in _field(answer["calls"], name, list)] for name in self._called(answer)}
        assignment = self.reader.assignment
        program = program_of(assignment, self.section, questions, statements, self.future, self.modules, calls)
        return replace(program, files=self.files)

    def _keep(self, codes: dict[str, Any]) -> None:
        """Remember the code of statements, by their indexes."""
        for index in self._indexes(int(index) for index in codes if index.isdecimal()):
            self.statements[index] = replace(self.statements[index], code=_field(codes, str(index), str))

    def _indexes(self, tree: Iterable[Any]) -> list[int]:
        """Those of these that are indexes of statements, in order."""
        return sorted({index for index in tree if type(index) is int and 0 <= index < len(self.statements)})

    def _called(self, answer: Any) -> list[str]:
        """The entry points that the submission calls."""
        return [name for name in _field(answer, "calls", dict) if name in self.section.entry_points]

    def rebinds_late(self, question: Question) -> bool:
        """See ``Slicer.rebinds_late``."""
        return self._ask("late", question=question.id) is True

    @functools.cached_property
    def flagged(self) -> dict[str, list[str]]:
        """See ``Slicer.flagged``."""
        answer = self._ask("flagged")
        asked = [q.id for q in self.reader.assignment.of_section(self.section)]
        found = {id: set(texts(_field(answer, id, list))) for id in asked}
        return {id: [word for word in self.reader.assignment.flags if word in words] for id, words in found.items()}

    def edits(self, question: Question) -> Edits:
        """Single edits of the code behind an answer, see ``judging.edits``."""
        return edits_from(self._ask("edits", question=question.id), len(self.statements))

    def why_absent(self, name: str, before: int) -> Lost | None:
        """See ``slicing.absent.why_absent``."""
        answer = self._ask("absent", name=name, before=before)
        return _lost(*answer) if isinstance(answer, list) and len(answer) == 4 else None

    @functools.cached_property
    def touched(self) -> list[str]:
        """See ``Slicer.touched``."""
        return [clean(text, NOTE) for text in texts(self._ask("touched"))]

    def _ask(self, op: str, **fields: Any) -> Any:
        return self.reader.ask(op, section=self.section.id, **fields)


@dataclass
class Found:
    """A section of the submission: the plan of the file to grade, or the ``problem`` if there is none."""

    plan: Plan | None
    notes: list[str]
    problem: str


class Reader(Apart):
    """Reads one submission, a path or its files; close it at the end of the grading. Its answers raise GraderError.

    ``rules``: the assignment's, if they are loaded already.
    """

    def __init__(
        self,
        assignment: Assignment,
        submitted: Path | Contents,
        patience: float = PATIENCE,
        rules: types.ModuleType | None = None,
    ):
        super().__init__(lambda: _Desk(assignment, submitted, rules).answer, min(patience, PATIENCE))
        self.assignment = assignment

    def ask(self, op: str, **fields: Any) -> Any:
        try:
            return super().ask(op, **fields)
        except Ended as error:
            raise Ended(f"nothing to grade: {error}" if op in ("contents", "submission") else str(error)) from None

    @functools.cached_property
    def contents(self) -> Contents:
        """The files, whose bytes are read when they are loaded."""
        answer = self.ask("contents")
        files = [self._file(number, tree) for number, tree in enumerate(_field(answer, "files", list))]
        return Contents(files, _notes(answer), _field(answer, "digest", str))

    def likely_sections(self) -> list[str]:
        """See ``submission.sections.likely_sections``."""
        return texts(self.ask("likely"))

    @functools.cached_property
    def sections(self) -> tuple[dict[str, Found], list[str]]:
        """What there is to grade for each section, by its id, and notes for the author."""
        answer = self.ask("submission")
        try:
            found = _field(answer, "sections", dict)
            sources = texts(_field(answer, "modules", list))
            return {s.id: self._found(s, _field(found, s.id, dict), sources) for s in self.assignment.sections}, _notes(answer)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise GraderError(f"the submission could not be read: {type(error).__name__}; please tell the staff") from None

    def _file(self, number: int, tree: Any) -> File:
        try:
            path, size, whole, unread, archive = tree
        except (TypeError, ValueError):
            raise GraderError("the submission could not be read; please tell the staff") from None
        load = functools.partial(self._load, number, int(size)) if whole is True else None
        data = b"" if whole is True else None
        return File(PurePosixPath(str(path)), data, int(size), load, clean(str(unread), NOTE), str(archive))

    def _load(self, number: int, size: int) -> bytes:
        parts: list[bytes] = []
        length = 0
        while length < size:
            part = base64.b64decode(self.ask("part", file=number, offset=length))
            if not part:
                break
            parts.append(part)
            length += len(part)
        return b"".join(parts)[:size]

    def _found(self, section: Section, tree: dict[str, Any], sources: list[str]) -> Found:
        plan = self._plan(section, tree["plan"], sources) if tree["plan"] else None
        return Found(plan, _notes(tree), clean(_field(tree, "problem", str), NOTE))

    def _plan(self, section: Section, tree: dict[str, Any], sources: list[str]) -> Plan:
        cells = [Cell(CODE if code is True else MARKDOWN, str(source), int(line)) for code, source, line in tree["cells"]]
        document = Document(str(tree["name"]), cells, str(tree["format"]), tree["numbered"] is True)
        document.parts = tuple((int(first), clean(str(name)), numbered is True) for first, name, numbered in tree["parts"])
        statements = [from_tree(index, part) for index, part in enumerate(_field(tree, "statements", list))]
        modules = {name: sources[number] for name, number in _field(tree, "modules", dict).items()}
        future, code = tuple(texts(tree["future"])), bytes.fromhex(_field(tree, "essence", str))
        files = {str(path): str(text) for path, text in _field(tree, "files", dict).items() if is_plain(PurePosixPath(path))}
        return Plan(self, section, document, statements, future, modules, files, code)


def _field(tree: Any, name: str, kind: type) -> Any:
    value = tree.get(name) if isinstance(tree, dict) else None
    if type(value) is not kind:
        raise Malformed(f"{name} is not what it should be")
    return value


def _lost(cell: Any, line: Any, why: Any, names: Any) -> Lost:
    return Lost(int(cell), int(line), clean(str(why), NOTE), frozenset(texts(names)))


def _notes(tree: Any) -> list[str]:
    notes = texts(_field(tree, "notes", list))
    more = [f"and {len(notes) - MAX_NOTES} more notes"] if len(notes) > MAX_NOTES else []
    return [clean(note, NOTE) for note in notes[:MAX_NOTES]] + more


@dataclass
class _Desk:
    """Answers the judge's questions about a submission, in the process that reads it."""

    assignment: Assignment
    submitted: Path | Contents
    loaded: types.ModuleType | None = None
    shelf: Shelf = field(default_factory=Shelf)
    last: tuple[int, bytes] = field(default=(-1, b""))
    sent: dict[str, set[int]] = field(default_factory=dict)  # section -> statements whose code the judge has

    @functools.cached_property
    def contents(self) -> Contents:
        if isinstance(self.submitted, Contents):
            return self.submitted
        return read_files(self.submitted, self.assignment.limits.file_bytes)

    @functools.cached_property
    def rules(self) -> types.ModuleType:
        return self.loaded or load_rules(self.assignment)

    @functools.cached_property
    def submission(self) -> Submission:
        return take_in(self.assignment, self.contents)

    @functools.cached_property
    def slicers(self) -> dict[str, Slicer]:
        """By section; a section whose statements ended an earlier process has a ``problem`` instead."""
        slicers = {}
        for id, found in self.submission.sections.items():
            with self._walled(found):
                if found.parsed:
                    slicer = Slicer(self.assignment, found.section, found.parsed, self.submission.modules)
                    slicer.modules, left_out = self.shelf.admitted([s.code for s in slicer.statements], slicer.modules)
                    found.notes += left_out
                    slicers[id] = slicer
        return slicers

    @contextlib.contextmanager
    def _walled(self, found: FoundFile) -> Iterator[None]:
        """Whatever ends or fails the work on a section's file costs that section; a problem names the file."""
        with watch.inside("section", found.section.id) as reason:
            if reason and found.parsed:
                found.problem, found.parsed = f"{found.parsed.document.name} {reason}", None
            try:
                yield
            except Exception as error:
                name = found.parsed.document.name if found.parsed else found.section.id
                found.problem, found.parsed = f"{name} {why(error)}", None

    def answer(self, request: dict[str, Any]) -> Any:
        op = request["op"]
        if op == "contents":
            files = [[str(f.path), f.size, f.data is not None, f.unread, f.archive] for f in self.contents.files]
            return {"files": files, "notes": self.contents.notes, "digest": self.contents.digest}
        if op == "likely":
            return likely_sections(self.assignment, self.contents)
        if op == "part":
            return self._part(request["file"], request["offset"])
        return self._submission() if op == "submission" else self._of_section(op, request)

    def _of_section(self, op: str, request: dict[str, Any]) -> Any:
        slicer = self.slicers[request["section"]]
        if op in ("touched", "flagged"):
            return slicer.touched() if op == "touched" else slicer.flagged()
        if op == "absent":
            ran = set(slicer.choice(self.assignment.of_section(slicer.section), WIDE)[0])
            lost = why_absent(slicer, request["name"], ran, request["before"])
            return [lost.cell, lost.line, lost.why[:NOTE], []] if lost else None
        if op == "late":
            return slicer.rebinds_late(self.assignment.question(request["question"]))
        if op == "edits":
            return edits_of(slicer, self.assignment.question(request["question"]), self.rules)
        chosen, calls = slicer.choice([self.assignment.question(id) for id in request["questions"]], request["width"])
        pairs = {name: [list(pair) for pair in own] for name, own in calls.items()}
        sent = self.sent.setdefault(request["section"], set())
        codes = {str(index): slicer.statements[index].code for index in chosen if index not in sent}
        sent.update(chosen)
        return {"statements": len(slicer.statements), "chosen": chosen, "codes": codes, "calls": pairs}

    def _part(self, number: int, offset: int) -> str:
        if self.last[0] != number:
            self.last = number, self.contents.files[number].content()
        return base64.b64encode(self.last[1][offset : offset + PART]).decode("ascii")

    def _submission(self) -> dict[str, Any]:
        slicers, sections = self.slicers, {}
        for id, found in self.submission.sections.items():
            plan, notes = None, found.notes
            with self._walled(found):
                if found.parsed:
                    modules = {name: self.shelf.texts[text] for name, text in slicers[id].modules.items()}
                    plan, notes = (
                        _described(slicers[id]) | {"modules": modules, "files": self.submission.files},
                        self._notes(found),
                    )
                    if len(json.dumps(plan)) > PLAN:
                        raise MemoryError
            plan = plan if found.parsed else None
            sections[id] = {"problem": found.problem, "notes": notes, "plan": plan}
        return {"sections": sections, "notes": self.submission.notes, "modules": list(self.shelf.texts)}

    def _notes(self, found: FoundFile) -> list[str]:
        slicer = self.slicers[found.section.id]
        place = slicer.parsed.document.place
        lost = [(s, e.left_out) for s, e in zip(slicer.statements, slicer.effects) if e.left_out]
        return found.notes + [f"the code at {place(s.cell, s.line)} was left out: it {reason}" for s, reason in lost]


def _quotable(cell: Cell) -> str:
    """The source, with long lines cut: it is only sent for lines to be quoted from."""
    return "\n".join(line[:NOTE] for line in cell.source.split("\n"))


def _described(slicer: Slicer) -> dict[str, Any]:
    document = slicer.parsed.document
    behind, _ = slicer.choice(slicer.assignment.of_section(slicer.section))
    return {
        "name": document.name,
        "format": document.format,
        "numbered": document.numbered,
        "parts": document.parts,
        "cells": [[cell.kind == CODE, _quotable(cell) if cell.kind == CODE else "", cell.line] for cell in document.cells],
        "statements": [known.tree() for known in slicer.known],
        "future": sorted(slicer.parsed.future),
        "essence": essence(slicer.statements[index].node for index in behind).hex(),
    }

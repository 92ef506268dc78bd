"""Selects the statements that a question needs.

A slice over names and effects: a statement is needed if it binds, or may change in place, a name that a needed statement
reads. When in doubt a statement is kept; the worker skips those that fail or take too long. Nothing is run here.
"""

from __future__ import annotations

import ast
import functools
import heapq
from bisect import bisect_left
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Any

from autograder.checks.own_calls import calls_of, names_in
from autograder.core.assignment import Assignment, Question, Section
from autograder.core.syntax import FUNCTIONS, bound_by, first_line
from autograder.core.watch import watch
from autograder.slicing import early
from autograder.slicing.calls import resolve
from autograder.slicing.effects import EXPENSIVE, SHOWS, effects_of, imported
from autograder.slicing.index import Index, tied
from autograder.slicing.known import Known, known
from autograder.slicing.touches import Touch, by_kind, noted, touches, touches_of_module
from autograder.submission.statements import Parsed, Statement

SLICE, WIDE, EARLY = "slice", "wide", "early"


@dataclass
class Program:
    """What a worker runs: statements in order, names to watch, and names to report.

    ``calls``: how the student's own code calls the functions that probes run, see ``checks.own_calls``; ``files``: of data,
    that lie in its working folder.
    """

    statements: list[Known]
    watch: tuple[str, ...]
    report: tuple[str, ...]
    prelude: str = ""
    future: tuple[str, ...] = ()
    modules: dict[str, str] = field(default_factory=dict)
    calls: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def wire(self) -> dict[str, Any]:
        """The plain tree that is sent to the worker."""
        return {
            "statements": [{"code": s.code, "cell": s.cell, "line": s.line} for s in self.statements],
            "watch": list(self.watch),
            "report": list(self.report),
            "prelude": self.prelude,
            "future": list(self.future),
            "modules": self.modules,
            "files": self.files,
            "calls": {name: [list(pair) for pair in pairs] for name, pairs in self.calls.items()},
            "mapped": True,
        }


class Slicer:
    """Slices one parsed document for the questions of one section."""

    def __init__(self, assignment: Assignment, section: Section, parsed: Parsed, modules: dict[str, str]):
        self.assignment, self.section, self.parsed = assignment, section, parsed
        self.modules = {**modules, **parsed.modules}
        self.statements = parsed.statements
        self.imports = imported([s.node for s in self.statements if "import" in s.code])
        own = {s.node.name for s in self.statements if isinstance(s.node, FUNCTIONS)}
        expensive = {*section.never_calls, *EXPENSIVE.difference(section.simulated_calls, own)}
        self.effects = [effects_of(s.code, s.node, self.imports, expensive, section.never_calls) for s in self.statements]
        resolve(self.effects, section.names)
        self.ties = tied(self.effects, set(self.imports))
        self.foreign = self._of_another_section()

    def bound(self) -> set[str]:
        """All names that any top-level statement binds."""
        return {name for effects in self.effects for name in effects.binds}

    @functools.cached_property
    def graded(self) -> set[int]:
        """The indexes of the statements of the graded part; of several files that are read as one, of each one's own.

        The part ends at a heading with one of ``until_labels`` or at an import of one of ``until_imports``, but not before the
        first graded name is bound, so that a table of contents or the imports at the top do not end it.
        """
        names, graded = set(self.section.names), set[int]()
        part, begun, ended, before = -1, False, False, 0
        for index, statement in enumerate(self.statements):
            if (number := self._part(statement)) != part:
                part, begun, ended, before = number, False, False, statement.heading
            turned = statement.heading != before and any(_within(statement.label, label) for label in self.section.until_labels)
            ended = ended or (begun and (turned or any(_imports(statement, name) for name in self.section.until_imports)))
            begun = begun or bool(self.effects[index].binds & names)
            before = statement.heading
            if not ended:
                graded.add(index)
        return graded

    def _part(self, statement: Statement) -> int:
        """The number of the file that a statement comes from, of several that are read as one."""
        return sum(first <= statement.cell for first, _, _ in self.parsed.document.parts)

    def _of_another_section(self) -> set[int]:
        """Statements of another section in the same file that rebind a name from this section's prelude, such as ``key``."""
        # What is imported is no rebinding: one section's part may import for the others.
        given, own = bound_by(self.section.prelude, imports=False), set(self.section.names)
        owner, foreign = None, set()
        numbers = {q.id.split(".")[0]: q.section for q in reversed(self.assignment.questions)}
        for index, (statement, effects) in enumerate(zip(self.statements, self.effects)):
            owner = next((s for s in self.assignment.sections if effects.binds & set(s.names)), owner)
            labelled = numbers.get(statement.label.split(".")[0], owner)
            if (labelled or self.section) is not self.section and effects.binds & given and not effects.binds & own:
                foreign.add(index)
        return foreign

    def program(self, questions: list[Question], width: str = SLICE) -> Program:
        """The slice for some questions; computed once.

        ``WIDE`` keeps every statement of the part that is not expensive; ``EARLY`` leaves out what comes after the answers, see
        ``slicing.early``.
        """
        chosen, calls = self.choice(questions, width)
        future = tuple(sorted(self.parsed.future))
        return program_of(
            self.assignment, self.section, questions, [self.known[i] for i in chosen], future, self.modules, calls
        )

    def choice(self, questions: list[Question], width: str = SLICE) -> tuple[list[int], dict[str, list[tuple[str, str]]]]:
        """What of the submission is in a program: the indexes of its statements in order, and how it calls entry points."""
        calls = self._own_calls(questions)
        called_with: set[str] = set().union(*map(names_in, calls.values()))
        return sorted(self._chosen(set(wanted_by(self.assignment, questions)), width, called_with)), calls

    @functools.cached_property
    def known(self) -> list[Known]:
        """What is known of each statement."""
        return [known(statement, effects) for statement, effects in zip(self.statements, self.effects)]

    def _chosen(self, wanted: set[str], width: str, called_with: set[str]) -> set[int]:
        available = self._available(wanted)
        if width == SLICE:
            return self.needed(wanted | called_with, available)
        if width == EARLY:
            return early.statements(self, wanted | called_with, available)
        return {i for i in available if not self._dropped(i, wanted)}

    def rebinds_late(self, question: Question) -> bool:
        """Whether statements after the answer give a name that it reads another meaning (see ``slicing.early``)."""
        if question.value and (not question.calls or question.names[0] in self.bound()):
            return False
        whole, before = (set(self.choice([question], width)[0]) for width in (SLICE, EARLY))
        return early.left_out(self, set(question.names), whole, before)

    def _own_calls(self, questions: list[Question]) -> dict[str, list[tuple[str, str]]]:
        """How the submission calls the section's entry points, as far as these questions need them."""
        names = [name for q in questions for name in q.names if name in self.section.entry_points]
        calls = {name: calls_of(name, self._looked_at("calls")) for name in names}
        watch.rest()
        return calls

    def _looked_at(self, kind: str) -> Iterator[ast.stmt]:
        """The statements, each noted before it is looked at, without those that ended an earlier process."""
        return (s.node for s in self.statements if not watch.at(kind, s.code))

    def _available(self, wanted: set[str]) -> set[int]:
        """The statements of the graded part, and later ones that bind wanted names which the part does not bind.

        Cells may be out of order: for a missing name, the first later statement that binds it counts.
        """
        graded = self.graded
        missing = wanted.difference(*(self.effects[i].binds for i in graded))
        others = set(range(len(self.statements))) - graded
        later = {i for name in missing for i in self._first_binding(name, others)}
        return (graded | later) - self.foreign

    def flagged(self) -> dict[str, list[str]]:
        """Question id -> those of the assignment's flags that the statements behind its answer use."""
        found = {}
        for question in self.assignment.of_section(self.section):
            used = set[str]().union(*(self.words[i] for i in self.needed(set(question.names), self.graded)))
            found[question.id] = [word for word in self.assignment.flags if word in used]
        return found

    def touched(self) -> list[str]:
        """What the statements that may run, and the modules that they may import, do to the interpreter around them.

        See ``slicing.touches``; with the place and the text of the line. All answers of a section share a worker.
        """
        found: list[Touch] = []
        place = self.parsed.document.place
        for statement in (self.statements[i] for i in self.choice(self.assignment.of_section(self.section), WIDE)[0]):
            if watch.at("touches", statement.code):
                continue
            first = first_line(statement.node)
            for line, what in touches(statement.node, self.imports):
                at = max(0, line - first)
                text = statement.code.split("\n")[at : at + 1]
                found.append((what, noted(what, place(statement.cell, statement.line + at), text)))
        once: dict[str, str] = {}
        for name, module in self.modules.items():  # which may have several names
            once.setdefault(module, name)
        for module, name in once.items():  # whichever of them the code names, and how
            if not watch.at("touches", module):
                found += touches_of_module(name, module)
        watch.rest()
        return by_kind(found)

    @functools.cached_property
    def words(self) -> list[set[str]]:
        """The names and attributes in each statement."""
        return [{getattr(n, "id", getattr(n, "attr", "")) for n in s.nodes} for s in self.statements]

    def first_binding(self, name: str, start: int) -> set[int]:
        """The slice, from ``start`` on, for the first statement that binds a name; empty if there is none."""
        bound = self.index.binds.get(name, ())
        at = bisect_left(bound, start)
        return set() if at == len(bound) else self.needed({name}, range(start, bound[at] + 1))

    def _first_binding(self, name: str, among: set[int]) -> set[int]:
        first = next((i for i in self.index.binds.get(name, ()) if i in among), None)
        return set() if first is None else self.needed({name}, {i for i in among if i <= first})

    @functools.cached_property
    def index(self) -> Index:
        """Where each name is bound, changed and used."""
        return Index(self.effects, self.ties)

    @functools.cached_property
    def stars(self) -> list[int]:
        """The statements that import all names of a module."""
        return [i for i in range(len(self.statements)) if self._star(i)]

    def needed(self, names: set[str], within: Container[int]) -> set[int]:
        """Fixpoint: the statements in ``within`` that bind or may change a needed name, and what those read in turn.

        In rounds from the first statement to the last; each looks only at statements that what was added since may concern.
        """
        needed: set[str] = set()
        chosen: set[int] = set()
        tied: set[str] = set()
        fresh, waiting = set(names), set(self.stars)
        while fresh or waiting:
            waiting |= self.index.concerned(fresh, tied)
            needed |= fresh
            fresh, queue = set(), sorted(index for index in waiting if index in within)
            waiting = set()
            while queue:
                index = heapq.heappop(queue)
                if index in chosen or not self._is_needed(index, needed, tied):
                    continue
                chosen.add(index)
                effects = self.effects[index]
                added = (effects.uses | (effects.changes & tied)) - needed
                needed |= added
                fresh |= added
                for other in self.index.binding(added, index):
                    if other in within:
                        heapq.heappush(queue, other)
        return chosen

    def _is_needed(self, index: int, needed: set[str], tied: set[str]) -> bool:
        effects = self.effects[index]
        concerned = effects.binds & needed or effects.changes & tied or self._star(index)
        return bool(concerned) and not self._dropped(index, needed)

    def _star(self, index: int) -> bool:
        node = self.statements[index].node
        return isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and (node.module or "").split(".")[0] not in SHOWS

    def _dropped(self, index: int, needed: set[str]) -> bool:
        """Whether to leave a statement out: downloads, file access, input, and calls into plotting packages."""
        effects = self.effects[index]
        if effects.expensive:
            return True
        packages = {self.imports[name] for name in effects.called if name in self.imports}
        return bool(packages) and packages <= SHOWS and not effects.binds & needed


def wanted_by(assignment: Assignment, questions: list[Question]) -> tuple[str, ...]:
    """The names that a program for these questions reports."""
    helpers = [assignment.question(id) for q in questions for id in q.prerequisites]
    return tuple(dict.fromkeys(n for q in [*questions, *helpers] for n in (*q.names, *q.context, *q.calls)))


def program_of(
    assignment: Assignment,
    section: Section,
    questions: list[Question],
    statements: list[Known],
    future: tuple[str, ...],
    modules: dict[str, str],
    calls: dict[str, list[tuple[str, str]]],
) -> Program:
    """A program of these statements for these questions."""
    observed = [(*(q.names if q.value else ()), *q.context) for q in questions if not q.probe]
    watch = tuple(dict.fromkeys(name for names in observed for name in names))
    return Program(statements, watch, wanted_by(assignment, questions), section.prelude, future, modules, calls)


def _within(label: str, part: str) -> bool:
    return label == part or label.startswith(part + ".")


def _imports(statement: Statement, module: str) -> bool:
    return module in statement.code and any(
        (isinstance(item, ast.Import) and any(a.name.split(".")[0] == module for a in item.names))
        or (isinstance(item, ast.ImportFrom) and (item.module or "").split(".")[0] == module)
        for item in statement.nodes
    )

"""The statements that a question needs, and the values in force in its own part of the notebook.

A slice over names and effects: a statement is needed when it binds, or may change in place, a name that a
needed statement reads. It errs on the side of keeping; what is kept but fails or takes too long in the worker
is skipped there. Nothing is run here.
"""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass, field

from autograder.core.assignment import Assignment, Question, Section
from autograder.slicing.effects import SHOWS, Effects, effects_of, imported
from autograder.submission.statements import Parsed, Statement

SLICE, WIDE = "slice", "wide"


@dataclass
class Program:
    """What a worker runs: statements in order, names to watch and to report."""

    statements: list[Statement]
    watch: tuple[str, ...]
    report: tuple[str, ...]
    prelude: str = ""
    future: tuple[str, ...] = ()
    modules: dict[str, str] = field(default_factory=dict)

    def wire(self) -> dict:
        """The tree that is sent to the worker."""
        return {
            "statements": [{"code": s.code, "cell": s.cell, "line": s.line} for s in self.statements],
            "watch": list(self.watch),
            "report": list(self.report),
            "prelude": self.prelude,
            "future": list(self.future),
            "modules": self.modules,
        }


class Slicer:
    """Slices one parsed document for the questions of one section."""

    def __init__(self, assignment: Assignment, section: Section, parsed: Parsed, modules: dict[str, str]):
        self.assignment, self.section, self.parsed = assignment, section, parsed
        self.modules = {**modules, **parsed.modules}
        self.statements = parsed.statements
        self.imports = imported([s.node for s in self.statements if "import" in s.code])
        self.effects = [
            effects_of(s.code, s.node, self.imports, section.simulated_calls, section.never_calls) for s in self.statements
        ]
        self._resolve_calls()
        self.ties = self._tie()
        self.foreign = self._of_another_section()

    def bound(self) -> set[str]:
        """All names that some top-level statement binds."""
        return set().union(*(e.binds for e in self.effects), set())

    @functools.cached_property
    def end(self) -> int:
        """Index behind the last statement of the graded part.

        It ends at a heading with one of ``until_labels`` or at an import of one of ``until_imports``, but not before
        the first graded name is bound: tables of contents and imports at the top end nothing.
        """
        names, begun, before = set(self.section.names), False, 0
        for index, statement in enumerate(self.statements):
            turned = statement.heading != before and any(_within(statement.label, label) for label in self.section.until_labels)
            if begun and (turned or any(_imports(statement, module) for module in self.section.until_imports)):
                return index
            begun = begun or bool(self.effects[index].binds & names)
            before = statement.heading
        return len(self.statements)

    def _of_another_section(self) -> set[int]:
        """Statements of another section (in one file) that rebind what this one is given, such as ``key``."""
        given, own = given_names(self.section.prelude), set(self.section.names)
        owner, foreign = None, set()
        numbers = {q.id.split(".")[0]: q.section for q in reversed(self.assignment.questions)}
        for index, (statement, effects) in enumerate(zip(self.statements, self.effects)):
            owner = next((s for s in self.assignment.sections if effects.binds & set(s.names)), owner)
            labelled = numbers.get(statement.label.split(".")[0], owner)
            if (labelled or self.section) is not self.section and effects.binds & given and not effects.binds & own:
                foreign.add(index)
        return foreign

    def program(self, questions: list[Question], width: str = SLICE) -> Program:
        """The slice for some questions; ``WIDE`` keeps every statement of the part that is not expensive."""
        helpers = [self.assignment.question(id) for q in questions for id in q.prerequisites]
        wanted = tuple(dict.fromkeys(n for q in [*questions, *helpers] for n in (*q.names, *q.context, *q.calls)))
        end = self.end
        missing = [n for n in wanted if not any(n in e.binds for e in self.effects[:end])]
        if missing and any(n in e.binds for n in missing for e in self.effects[end:]):
            # Cells may stand out of order: what the part lacks is taken from the first later cell that has it.
            picked = set(range(end)) | {i for n in missing for i in self._first_binding(n, end)}
        else:
            picked = set(range(end))
        picked -= self.foreign
        if width == SLICE:
            chosen = self._needed(set(wanted), picked)
        else:
            chosen = {i for i in picked if not self._dropped(i, set(wanted))}
        watch = tuple(dict.fromkeys(n for q in questions if q.value for n in (*q.names, *q.context)))
        return Program(
            [self.statements[i] for i in sorted(chosen)],
            watch,
            wanted,
            self.section.prelude,
            tuple(sorted(self.parsed.future)),
            self.modules,
        )

    def mentions(self, question: Question, words: tuple[str, ...]) -> list[str]:
        """Which of these names the statements behind an answer use."""
        indexes = self._needed(set(question.names), set(range(self.end)))
        return [word for word in words if any(word in self.words[i] for i in indexes)]

    @functools.cached_property
    def words(self) -> list[set[str]]:
        """Every name and attribute in each statement."""
        return [{getattr(n, "id", getattr(n, "attr", "")) for n in ast.walk(s.node)} for s in self.statements]

    def _first_binding(self, name: str, start: int) -> list[int]:
        indexes = [i for i in range(start, len(self.statements)) if name in self.effects[i].binds]
        if not indexes:
            return []
        return sorted(self._needed({name}, set(range(start, indexes[0] + 1))))

    def _needed(self, names: set[str], within: set[int]) -> set[int]:
        """Fixpoint: statements in ``within`` that bind or may change a needed name, and all that they read."""
        needed, chosen, grew = set(names), set(), True
        while grew:
            grew = False
            tied = needed | set().union(*(group for group in self.ties if group & needed), set())
            for index in within - chosen:
                effects = self.effects[index]
                if effects.binds & needed or effects.changes & tied or self._star(index):
                    if self._dropped(index, needed):
                        continue
                    chosen.add(index)
                    needed |= effects.uses | (effects.changes & tied)
                    grew = True
        return chosen

    def _star(self, index: int) -> bool:
        node = self.statements[index].node
        return isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and (node.module or "").split(".")[0] not in SHOWS

    def _dropped(self, index: int, needed: set[str]) -> bool:
        """Downloads, files and input are never run; neither are calls into plotting packages."""
        effects = self.effects[index]
        if effects.expensive:
            return True
        packages = {self.imports[name] for name in effects.called if name in self.imports}
        return bool(packages) and packages <= SHOWS and not effects.binds & needed

    def _resolve_calls(self) -> None:
        """A call statement changes its arguments unless the function it calls is known to leave them alone."""
        known: dict[str, Effects] = {e.defines: e for e in self.effects if e.defines}
        for effects in self.effects:
            for name, given in effects.calls:
                if name not in known or known[name].alters:
                    effects.changes |= given
            for name in effects.called & set(known):
                effects.binds |= self._global_writes(name, known, set())

    def _global_writes(self, name: str, known: dict[str, Effects], seen: set[str]) -> set[str]:
        """Globals that a function, or one it reads, declares ``global`` and sets."""
        seen.add(name)
        written = set(known[name].writes_globals)
        for inner in (known[name].uses & set(known)) - seen:
            written |= self._global_writes(inner, known, seen)
        return written

    def _tie(self) -> list[set[str]]:
        """Groups of names that may share memory (an optimiser and its tensors), joined where they overlap."""
        groups: list[set[str]] = []
        functions = {e.defines for e in self.effects if e.defines} | set(self.imports)
        for effects in self.effects:
            for tie in effects.ties:
                merged = tie - functions
                apart = []
                for group in groups:
                    if group & merged:
                        merged = merged | group
                    else:
                        apart.append(group)
                groups = [*apart, merged] if len(merged) > 1 else groups
        return groups


def given_names(source: str) -> set[str]:
    """Names that a piece of given code binds at its top level."""
    return {name for node in ast.parse(source).body for name in _bound(node)}


def _bound(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _within(label: str, part: str) -> bool:
    return label == part or label.startswith(part + ".")


def _imports(statement: Statement, module: str) -> bool:
    return module in statement.code and any(
        (isinstance(item, ast.Import) and any(a.name.split(".")[0] == module for a in item.names))
        or (isinstance(item, ast.ImportFrom) and (item.module or "").split(".")[0] == module)
        for item in ast.walk(statement.node)
    )

"""The solutions with some answers replaced, as a student would submit them, and the items that such a replacement can reach."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autograder.authoring.baking.solution import parsed_section
from autograder.core.assignment import Assignment, Question
from autograder.core.verdict import Verdict
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.judging.reading import Plan, Reader
from autograder.slicing.slicer import Slicer
from autograder.submission.sections import take_in


@dataclass
class Solved:
    """What the solutions run for each question, and the verdicts on them, by question id."""

    programs: dict[str, Any]
    verdicts: dict[str, Verdict]


class Variants:
    """The solutions as scripts, with some answers replaced."""

    def __init__(self, assignment: Assignment, solutions: Path):
        submission = take_in(assignment, solutions)
        self.assignment, self.solutions = assignment, solutions
        self.slicers = {
            s.id: Slicer(assignment, s, parsed_section(submission, s), submission.modules) for s in assignment.sections
        }
        self.solved: Solved | None = None

    def solve(self, grader: Grader) -> None:
        """Grade the solutions, so that :meth:`unreached` need not."""
        programs: dict[str, Any] = {}
        with self._written({section: {} for section in self.slicers}) as folder, Reader(self.assignment, folder) as reader:
            found, _ = reader.sections
            for section in self.assignment.sections:
                if plan := found[section.id].plan:
                    programs |= {q.id: _program(plan, q) for q in self.assignment.of_section(section)}
            verdicts = grade(grader, reader, lambda *_: None)
        self.solved = Solved(programs, {verdict.question.id: verdict for verdict in verdicts})

    def unreached(self, plan: Plan) -> dict[str, Verdict]:
        """The solutions' verdicts on the questions of a section for which a variant runs what the solutions run.

        ``plan``: the variant's. An answer is reached, too, where the one that it is used by is.
        """
        if self.solved is None:
            return {}
        questions = self.assignment.of_section(plan.section)
        reached = {q.id for q in questions if _program(plan, q) != self.solved.programs.get(q.id)}
        same = [q.id for q in questions if q.id not in reached and q.used_by not in reached]
        return {id: replace(self.solved.verdicts[id]) for id in same}

    def graded(self, grader: Grader, replaced: dict[str, str]) -> list[Verdict]:
        """The verdicts in the sections of the replaced answers (question id -> code)."""
        sections = {self.assignment.question(id).section.id for id in replaced}
        with self.submitted(replaced) as folder:
            verdicts = grade(grader, folder, lambda *_: None)
        return [v for v in verdicts if v.question.section.id in sections]

    @contextmanager
    def submitted(self, replaced: dict[str, str]) -> Iterator[Path]:
        """A folder with a script for each section of the replaced answers."""
        with self._written({self.assignment.question(id).section.id: replaced for id in replaced}) as folder:
            yield folder

    @contextmanager
    def _written(self, sections: dict[str, dict[str, str]]) -> Iterator[Path]:
        """A folder with a script for each of these sections; section -> what is replaced in it."""
        with tempfile.TemporaryDirectory() as folder:
            for id, replaced in sections.items():
                Path(folder, f"{id}.py").write_text(self.script(id, replaced), encoding="utf-8")
            yield Path(folder)

    def script(self, section: str, replaced: dict[str, str]) -> str:
        """One section as a script; each replacement stands where the solution's answer was."""
        slicer = self.slicers[section]
        lines, label, done = [], "", set()
        for index in sorted(slicer.graded):
            statement = slicer.statements[index]
            if statement.label != label:
                label = statement.label
                lines.append(f"# {label}")
            answered = self._answered(slicer, index, replaced)
            if all(_builds_on(replaced[q.id], q.names[0]) for q in answered):
                lines.append(statement.code)
            lines += [replaced[q.id] for q in answered if q.id not in done]
            done |= {q.id for q in answered}
        return "\n".join(lines) + "\n"

    def _answered(self, slicer: Slicer, index: int, replaced: dict[str, str]) -> list[Question]:
        """The replaced questions whose answer this statement is, or is part of."""
        return [
            q
            for q in self.assignment.questions
            if q.id in replaced and q.section.id == slicer.section.id and self._answers(slicer, index, q)
        ]

    def _answers(self, slicer: Slicer, index: int, question: Question) -> bool:
        """Whether this statement is, or is part of, the solution's answer to the question."""
        effects, name = slicer.effects[index], question.names[0]
        if not question.value:
            return getattr(slicer.statements[index].node, "name", "") == name
        return slicer.statements[index].label == question.id and name in effects.binds | effects.changes


def _builds_on(code: str, name: str) -> bool:
    """Whether the code is a class that inherits from the solution's class of the same name, which then has to stay."""
    return f"class {name}({name})" in code


def _program(plan: Plan, question: Question) -> Any:
    """What is run for a question, without the places where it stands."""
    tree = plan.program([question]).wire()
    return tree | {"statements": [statement["code"] for statement in tree["statements"]]}

"""Edits of the code behind an answer: made where a submission is read, tried in a worker, and data in between."""

from __future__ import annotations

import ast
import types
from dataclasses import dataclass
from typing import Any

from autograder.checks.diagnosis.edits import PART, Edit, edits
from autograder.checks.diagnosis.templates import template
from autograder.core.assignment import Question
from autograder.core.text import clean
from autograder.slicing.known import Malformed
from autograder.slicing.slicer import Slicer

MOST, MOST_BESIDE = 400, 80  # edits of the answer itself, and of the functions beside it
MAX_CODE, MAX_ALL = 20_000, 8 << 20  # characters of one edited statement, and of all


@dataclass(frozen=True)
class Edits:
    """``parameters``: those of the answer, if it is a function; ``of``: (index of the statement, edit of it), best ones first."""

    parameters: list[str]
    of: list[tuple[int, Edit]]


def edits_of(slicer: Slicer, question: Question, rules: types.ModuleType) -> dict[str, Any]:
    """The tree for ``edits_from``. Runs where a submission is read."""
    extra = [template(*one) for one in rules.EDITS]
    graded = {name for other in slicer.assignment.of_section(slicer.section) for name in other.names} - set(question.names)
    found: list[list[Any]] = []
    parameters: list[str] = []
    room = MAX_ALL
    for index in reversed(slicer.choice([question])[0]):
        statement = slicer.statements[index]
        node = statement.node
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name in graded or len(statement.code) > MAX_CODE:
            continue
        own = node.name in question.names
        if own and isinstance(node, ast.FunctionDef) and not parameters:
            parameters = [argument.arg for argument in node.args.args]
        for edit in edits(statement.code, extra, rules.STATEMENTS, MOST if own else MOST_BESIDE):
            room -= len(edit.code)
            if room > 0:
                found.append([index, edit.concept, edit.line, edit.part, edit.code, edit.rank if own else edit.rank + MOST])
    return {"parameters": parameters[:20], "edits": found}


def edits_from(tree: Any, count: int) -> Edits:
    """The edits that a tree describes, of ``count`` statements. Raises Malformed."""
    try:
        parameters = [name for name in tree["parameters"] if isinstance(name, str) and name.isidentifier()]
        found = []
        for index, concept, line, part, code, rank in tree["edits"]:
            if not (type(index) is type(line) is type(rank) is int and 0 <= index < count and 0 < line):
                raise ValueError
            found.append((index, Edit(str(concept), line, clean(str(part), PART), str(code), rank)))
    except (TypeError, ValueError, KeyError):
        raise Malformed("not a list of edits") from None
    return Edits(parameters, found)

"""Edits of the code behind an answer: made where a submission is read, tried in a worker, and data in between."""

from __future__ import annotations

import ast
import types
from dataclasses import dataclass
from typing import Any

from autograder.checks.diagnosis.edited import PART, Edit
from autograder.checks.diagnosis.edits import edits
from autograder.checks.diagnosis.templates import template
from autograder.core.assignment import Question
from autograder.core.text import clean
from autograder.slicing.known import Malformed
from autograder.slicing.slicer import Slicer
from autograder.submission.clashes import as_written

MOST, MOST_BESIDE = 250, 25  # edits of the answer itself, and of the functions beside it
MAX_CODE, MAX_ALL = 20_000, 8 << 20  # characters of one edited statement, and of all


@dataclass(frozen=True)
class Edits:
    """``parameters``: those of the answer, if it is a function; ``source``: its code and that of the functions beside it.

    ``of``: (index of the statement, edit of it), all of one statement together and of these the best first.
    """

    parameters: list[str]
    source: str
    of: list[tuple[int, Edit]]


def edits_of(slicer: Slicer, question: Question, rules: types.ModuleType) -> dict[str, Any]:
    """The tree for ``edits_from``. Runs where a submission is read."""
    extra = [template(*one) for one in rules.EDITS]
    found: list[list[Any]] = []
    parameters: list[str] = []
    room, behind = MAX_ALL, _behind(slicer, question)
    for index, node in behind:
        code, own = slicer.statements[index].code, node.name in question.names
        if own and isinstance(node, ast.FunctionDef) and not parameters:
            parameters = [argument.arg for argument in node.args.args]
        for edit in edits(code, extra, rules.STATEMENTS, MOST if own else MOST_BESIDE):
            room -= len(edit.code)
            rank = edit.rank if own else edit.rank + MOST
            found += [[index, edit.concept, edit.line, edit.part, edit.code, rank, edit.also, edit.adds]] if room > 0 else []
    source = "\n".join(slicer.statements[index].code for index, _ in behind)
    return {"parameters": parameters[:20], "source": source[:MAX_CODE], "edits": found}


def _behind(slicer: Slicer, question: Question) -> list[tuple[int, ast.FunctionDef | ast.ClassDef]]:
    """(index, node) of the functions and classes behind an answer that are no other question's, the last ones first.

    Of several with one name, the last: it is the one that counts.
    """
    graded = {name for other in slicer.assignment.of_section(slicer.section) for name in other.names} - set(question.names)
    found: dict[str, tuple[int, ast.FunctionDef | ast.ClassDef]] = {}
    for index in reversed(slicer.choice([question])[0]):
        node = slicer.statements[index].node
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name not in graded and _short(slicer, index):
            found.setdefault(node.name, (index, node))
    return list(found.values())


def _short(slicer: Slicer, index: int) -> bool:
    return len(slicer.statements[index].code) <= MAX_CODE


def edits_from(tree: Any, count: int) -> Edits:
    """The edits that a tree describes, of ``count`` statements. Raises Malformed."""
    try:
        parameters = [name for name in tree["parameters"] if isinstance(name, str) and name.isidentifier()]
        found = []
        for index, concept, line, part, code, rank, also, adds in tree["edits"]:
            if not (type(index) is type(line) is type(rank) is type(also) is int and 0 <= index < count and line > 0):
                raise ValueError
            found.append(
                (index, Edit(str(concept), line, clean(as_written(str(part)), PART), str(code), rank, also, str(adds)))
            )
    except (TypeError, ValueError, KeyError):
        raise Malformed("not a list of edits") from None
    return Edits(parameters, str(tree["source"]), found)

"""Several files for one section: which of them is graded, and answers that only another one of them holds.

Students hand in ``A2S2.ipynb`` beside ``A2S2 (1).ipynb``, a notebook beside the empty handout, ``_v1`` beside ``_final``, or
half of their answers in one file and half in another.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from autograder.checks.naming import stem_of
from autograder.core.assignment import Section
from autograder.core.syntax import shape
from autograder.submission.lost import Lost
from autograder.submission.statements import Parsed, Statement

OLD = re.compile(
    r"cop[yi]|kopie|copia|backup|\bbak|_bak|old|draft|entwurf|template|starter|blank|untouched|original", re.IGNORECASE
)
FINAL = re.compile(r"final|submit|abgabe", re.IGNORECASE)
MAX_PARTS = 4
Key = tuple[Any, ...]


def bound_names(statement: Statement) -> set[str]:
    """The names that a statement gives a value, imports aside."""
    return {statement.node.name} if hasattr(statement.node, "name") else statement.stores


def answers(statements: Iterable[Statement], names: Sequence[str]) -> dict[str, int]:
    """Name of an answer -> how many functions or values it was filled in with: 0 for a stub, several for a class."""
    found = dict.fromkeys(names, 0)
    for statement in statements:
        node = statement.node
        imported = {alias.asname or alias.name for alias in node.names} if isinstance(node, ast.ImportFrom) else set()
        for name in (imported | bound_names(statement)).intersection(names):
            found[name] = max(found[name], _work_in(node))
    return found


def _work_in(node: ast.AST) -> int:
    if isinstance(node, ast.ClassDef):
        return sum(_work_in(part) for part in node.body)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return int(not all(map(_does_nothing, node.body)))
    return int(not _does_nothing(node))


def _does_nothing(node: ast.AST) -> bool:
    """Whether a stub holds this: a docstring, ``pass``, ``x = None``, ``return None`` or ``raise NotImplementedError``."""
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Return)):
        value = node.value
        return value is None or (isinstance(value, ast.Constant) and value.value in (None, ...))
    if isinstance(node, ast.Raise) and node.exc is not None:
        return "NotImplementedError" in shape(node.exc, "")
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def preference(name: str, filled: int, depth: int, section: Section) -> Key:
    """Sort key: the file with more answers; of as many a script, what is nearest the top, and the name that was asked for.

    Of other names: none that says that it is old, then one that says that it is final, then the highest number.
    """
    stem = stem_of(name)
    asked = stem.lower() == section.id.lower()
    numbers = [-int(digits) for digits in re.findall(r"\d{1,9}", stem)]
    script = PurePosixPath(name).suffix.lower() == ".py"
    return -filled, not script, depth, not asked, bool(OLD.search(stem)), -len(FINAL.findall(stem)), numbers, stem


def joined(chosen: Parsed, others: Sequence[Parsed], names: Sequence[str]) -> Parsed:
    """The chosen file together with those of the others that hold answers which it does not; itself if there are none."""
    known, parts = answers(chosen.statements, names), [chosen]
    for other in others:
        held = answers(other.statements, names)
        if len(parts) < MAX_PARTS and any(held[name] and not known[name] for name in names):
            parts.append(other)
            known = {name: max(known[name], held[name]) for name in names}
    if len(parts) == 1:
        return chosen
    # Where both give a name another meaning, the chosen file's counts, which therefore comes last.
    last = any(_contradict(chosen, part, known) for part in parts[1:])
    parts.sort(key=lambda part: (last and part is chosen, part.document.name))
    return _together(parts, {name for name in names if known[name]})


def _contradict(one: Parsed, other: Parsed, known: dict[str, int]) -> bool:
    """Whether two files bind a name differently, other than a stub in one of them that the other fills in."""
    mine, theirs = (
        {name: shape(s.node, s.code) for s in part.statements if _counts(s, known) for name in bound_names(s)}
        for part in (one, other)
    )
    return any(mine[name] != theirs[name] for name in mine.keys() & theirs.keys())


def _counts(statement: Statement, known: dict[str, int]) -> bool:
    """Whether a statement is no stub of an answer that some file fills in."""
    return not any(known.get(name) for name in bound_names(statement)) or bool(_work_in(statement.node))


def _together(parts: list[Parsed], filled: set[str]) -> Parsed:
    """One document of these, one after the other, without stubs of what is filled in and imports of each other."""
    modules = {PurePosixPath(part.document.name).stem for part in parts}
    known = dict.fromkeys(filled, 1)
    first = parts[0].document
    whole = Parsed(replace(first, name=" and ".join(part.document.name for part in parts), cells=[], notes=[]))
    headings = 0
    for part in parts:
        offset, document = len(whole.document.cells), part.document
        whole.document.parts += ((offset, document.name, document.numbered),)
        whole.document.cells += document.cells
        whole.document.notes += document.notes
        whole.broken += _moved(part.broken, offset)
        whole.elsewhere += _moved(part.elsewhere, offset)
        whole.modules |= part.modules
        whole.future |= part.future
        whole.cut |= part.cut
        kept = [s for s in part.statements if _counts(s, known) and not _imports_from(s.node, modules)]
        whole.statements += [replace(s, cell=s.cell + offset, heading=s.heading + headings) for s in kept]
        headings += part.statements[-1].heading if part.statements else 0
    for index, statement in enumerate(whole.statements):
        statement.index = index
    return whole


def _moved(lost: list[Lost], offset: int) -> list[Lost]:
    return [replace(one, cell=one.cell + offset) for one in lost]


def _imports_from(node: ast.AST, modules: set[str]) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "") in modules

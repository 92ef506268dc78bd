"""Several files for one section: which of them is graded, and answers that only another one of them holds.

Students hand in ``A2S2.ipynb`` beside ``A2S2 (1).ipynb``, a notebook beside the empty handout, ``_v1`` beside ``_final``, or
half of their answers in one file and half in another.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

from autograder.checks.naming import stem_of
from autograder.core.assignment import Assignment, Section
from autograder.core.syntax import FUNCTIONS, bound_by, walk
from autograder.submission.clashes import told_apart
from autograder.submission.lost import Lost
from autograder.submission.statements import Parsed, Statement
from autograder.submission.stubs import all_bound, bound_names, imported_names, set_names, share

WORD = r"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))"  # where a word begins: not in "gold", but in "A2S2Old"
OLD = re.compile(
    WORD
    + r"(?i:cop[yi]|kopie|copia|backup|bak|old|draft|entwurf|template|starter|blank|untouched|original|attempt|scratch|wip)"
)
FINAL = re.compile(WORD + r"(?i:final|submit|abgabe)")
MAX_PARTS = 16
Key = tuple[Any, ...]
Answer = tuple[str, str]  # its name, and the id of its question where several ask for one name
Shares = dict[Answer, Fraction]  # the part of each answer that is filled in, from 0 to 1


@dataclass(frozen=True)
class Wanted:
    """What is looked for in a section's files.

    ``questions``: name of an answer -> the ids of the questions that ask for it, if these are several, else ''. ``entries``:
    functions of which the handout gives a beginning. ``given``: the names that are given.
    """

    questions: dict[str, tuple[str, ...]]
    entries: tuple[str, ...]
    given: frozenset[str]

    @property
    def answers(self) -> list[Answer]:
        return [(name, id) for name, ids in self.questions.items() for id in ids]

    def meant(self, statement: Statement, names: set[str]) -> set[Answer]:
        """The answers that these names stand for in a statement: under no question's heading, those of all its questions."""
        asking, label = {name: self.questions[name] for name in names if name in self.questions}, statement.label
        return {(name, id) for name, ids in asking.items() for id in ids if label not in ids or id == label}

    def shares(self, parsed: Parsed, without: frozenset[str] = frozenset()) -> Shares:
        """How much of each answer a file fills in, apart from its imports from modules in ``without``."""
        found = dict.fromkeys(self.answers, Fraction(0))
        for statement in parsed.statements:
            for answer in self.meant(statement, bound_names(statement) | imported_names(statement, without)):
                found[answer] = max(found[answer], share(statement, answer[0] in self.entries))
        return found

    def filled(self, parsed: Parsed) -> Fraction:
        """How much a file fills in of all answers."""
        return sum(self.shares(parsed).values(), Fraction(0))


def wanted(assignment: Assignment, section: Section) -> Wanted:
    questions = assignment.of_section(section)
    names = dict.fromkeys([*section.names, *(name for question in questions for name in question.names)])
    asking = {name: tuple(question.id for question in questions if name in question.names) for name in names}
    apart = {name: ids if len(ids) > 1 else ("",) for name, ids in asking.items()}
    return Wanted(apart, section.entry_points, bound_by(section.prelude))


def preference(path: PurePosixPath, filled: Fraction, section: Section) -> Key:
    """Sort key: a file with an answer, one whose name does not say that it is old, the one with more answers.

    Of as many: a script, what is nearest the top, the name that was asked for, one that says "final", the highest number.
    """
    stem = stem_of(path.name)
    asked = stem.lower() == section.id.lower()
    numbers = [*(-int(digits) for digits in re.findall(r"\d{1,9}", stem)), 0]
    script = path.suffix.lower() == ".py"
    return (
        not filled,
        bool(OLD.search(stem)),
        -filled,
        not script,
        len(path.parts),
        not asked,
        -len(FINAL.findall(stem)),
        numbers,
        stem,
        path,
    )


def joined(files: Sequence[Parsed], stems: Sequence[str], wanted: Wanted) -> tuple[Parsed, set[int]]:
    """The first file together with those of the others that hold more of an answer; itself if there are none.

    ``stems``: the files' names as modules. Also returns which of them it is made of.
    """
    known, chosen = wanted.shares(files[0]), [0]
    for number, other in enumerate(files[1:], 1):
        held = wanted.shares(other)
        if len(chosen) < MAX_PARTS and any(held[answer] > known[answer] for answer in held):
            chosen.append(number)
            known = {answer: max(known[answer], held[answer]) for answer in held}
    if len(chosen) == 1:
        return files[0], {0}
    parts = _divided([files[number] for number in chosen], [stems[number] for number in chosen], wanted)
    return _together([parts[number] for number in _in_order(*_before(parts, wanted.given))], parts), set(chosen)


def _divided(parts: list[Parsed], stems: list[str], wanted: Wanted) -> list[Parsed]:
    """The parts, each answer only in the one that fills in most of it, without imports of each other and without clashes."""
    others = [frozenset(stems) - {stem} for stem in stems]  # math.ipynb may import math
    held = [wanted.shares(part, own) for part, own in zip(parts, others)]
    binding = [all_bound(part.statements) for part in parts]
    by = {it: max(range(len(parts)), key=lambda n: (held[n][it], it[0] in binding[n], -n)) for it in wanted.answers}

    def kept(number: int, statement: Statement) -> list[Statement]:
        meant = wanted.meant(statement, set_names(statement))
        own = [answer for answer in meant if by[answer] == number]
        if _imports_from(statement.node, others[number]) or (meant and not own):
            return []
        label = own[0][1] if len(own) == 1 else ""
        return [replace(statement, label=label or statement.label)]

    divided = [replace(part, statements=[it for s in part.statements for it in kept(n, s)]) for n, part in enumerate(parts)]
    bound = {stems[n]: (n, binding[n]) for n in reversed(range(len(parts)))}  # of two of one name the preferred one
    return told_apart(divided, wanted.questions, [_borrowed(part, own, bound) for part, own in zip(parts, others)])


def _borrowed(part: Parsed, others: frozenset[str], bound: dict[str, tuple[int, set[str]]]) -> dict[str, int]:
    """The names that a part imports from others, and the number of the part that each is from.

    ``bound``: the number of each part and the names that it binds, by its name as a module.
    """
    found: dict[str, int] = {}
    for node in (statement.node for statement in part.statements):
        if isinstance(node, ast.ImportFrom) and _imports_from(node, others):
            number, names = bound[node.module or ""]
            found |= dict.fromkeys(names if node.names[0].name == "*" else {alias.name for alias in node.names}, number)
    return found


def _imports_from(node: ast.AST, modules: frozenset[str]) -> bool:
    """Whether this is an import from one of these modules, under no other names."""
    return isinstance(node, ast.ImportFrom) and (node.module or "") in modules and not any(a.asname for a in node.names)


def _before(parts: list[Parsed], given: frozenset[str]) -> tuple[list[set[int]], list[set[int]]]:
    """For each part those that have to run before it, because they bind what it reads; and those that should.

    These read a given name, such as ``key``, that it binds and they do not: it may mean another one.
    """
    binds = [all_bound(part.statements) for part in parts]
    reads = [_read_at_once(part) - bound for part, bound in zip(parts, binds)]
    numbers = range(len(parts))
    must = [{n for n in numbers if reads[own] & binds[n] - given} for own in numbers]
    should = [{n for n in numbers if reads[n] & binds[own] & given} for own in numbers]
    return must, should


def _read_at_once(part: Parsed) -> set[str]:
    """The names that a file reads to give others a value; a function reads those in its body when it is called."""
    nodes = [node for s in part.statements if set_names(s) for top in _run_at_once(s.node) for node in walk(top)]
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _run_at_once(node: ast.stmt) -> list[ast.AST]:
    """What of a statement runs where it stands: of a function its decorators and defaults, of a class also its bases."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases]
    if isinstance(node, FUNCTIONS):
        return [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
    return [node]


def _in_order(must: list[set[int]], should: list[set[int]]) -> list[int]:
    """The order to run the parts in: the least preferred first where nothing prevents it, because what comes last counts."""
    left, order = list(reversed(range(len(must)))), list[int]()
    while left:
        ready = [n for n in left if not must[n].intersection(left)] or left
        order.append(next((n for n in ready if not should[n].intersection(left)), ready[0]))
        left.remove(order[-1])
    return order


def _together(parts: list[Parsed], preferred: list[Parsed]) -> Parsed:
    """One document of these, one after the other; of two modules of one name that of the preferred part counts."""
    first = parts[0].document
    name, format = (" and ".join(dict.fromkeys(words)) for words in zip(*((p.document.name, p.document.format) for p in parts)))
    whole = Parsed(replace(first, name=name, format=format, cells=[], notes=[]))
    headings = 0
    for part in parts:
        offset, document = len(whole.document.cells), part.document
        whole.document.parts += ((offset, document.name, document.numbered),)
        whole.document.cells += document.cells
        whole.document.notes += document.notes
        whole.broken += _moved(part.broken, offset)
        whole.elsewhere += _moved(part.elsewhere, offset)
        whole.future |= part.future
        whole.cut |= part.cut
        whole.statements += [replace(s, cell=s.cell + offset, heading=s.heading + headings) for s in part.statements]
        headings += part.statements[-1].heading if part.statements else 0
    for part in reversed(preferred):
        whole.modules |= part.modules
    for index, statement in enumerate(whole.statements):
        statement.index = index
    return whole


def _moved(lost: list[Lost], offset: int) -> list[Lost]:
    return [replace(one, cell=one.cell + offset) for one in lost]

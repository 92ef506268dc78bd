"""Decides which value of a name counts for which question.

A notebook may bind ``m_key`` for one question and rebind it (or change it in place) in the next cell for another; it may try
a query twice or reuse its name in a scratch cell. A *candidate* is a run of changes to a name's value with no read in
between. Candidates are matched to questions by the heading above them and by their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autograder.checks.compare import is_blank
from autograder.core.assignment import Question
from autograder.slicing.known import Known
from autograder.slicing.slicer import Program


@dataclass
class Candidate:
    """One attempt at an answer: its value, and the index in the document and the label of the statement that set it."""

    index: int
    value: Any
    label: str

    @property
    def blank(self) -> bool:
        """Whether the value is None or ``...``."""
        return is_blank(self.value)


def values_for(
    statements: list[Known], program: Program, snapshots: list[tuple[str, int, Any]], question: Question, rivals: list[Question]
) -> list[Any]:
    """The values that may count for ``question``, first choice first; [] if its name was never bound.

    ``statements``: all of the document; ``snapshots``: (name, index of the statement in the program, value) in order of
    execution; ``rivals``: all questions of the section in order. Questions with the same name divide its candidates among
    themselves.
    """
    name = question.names[0]
    changes = [
        Candidate(program.statements[index].index, value, program.statements[index].label)
        for watched, index, value in snapshots
        if watched == name
    ]
    sharing = [q for q in rivals if q.names[0] == name]
    candidates = _grouped(changes, statements, name, by_reading=True)
    if len(sharing) > 1:
        if len(_filled(candidates)) < len(sharing):
            candidates = _grouped(changes, statements, name, by_reading=False)
        return _shared(candidates, question, sharing) or _kept(candidates, statements, question)
    own = _own_part(candidates, question, rivals, statements)
    return [own[-1].value] if own else []


def _filled(candidates: list[Candidate]) -> list[Candidate]:
    return [candidate for candidate in candidates if not candidate.blank]


def _under(candidates: list[Candidate], label: str) -> list[Candidate]:
    return [candidate for candidate in candidates if candidate.label == label]


def _grouped(changes: list[Candidate], statements: list[Known], name: str, by_reading: bool) -> list[Candidate]:
    """Groups of consecutive changes, each represented by its last change.

    A new group begins after a read of the value or in a new cell. Without ``by_reading`` (for work without checks) it begins
    where the name is rebound to something that does not use its old value.
    """
    grouped: list[Candidate] = []
    for change in changes:
        if grouped and not _begins_group(grouped[-1].index, change.index, statements, name, by_reading):
            grouped.pop()
        grouped.append(change)
    return grouped


def _begins_group(last: int, index: int, statements: list[Known], name: str, by_reading: bool) -> bool:
    if not by_reading:
        return any(name in statements[i].binds and name not in statements[i].uses for i in range(last + 1, index + 1))
    return statements[last].cell != statements[index].cell or any(
        name in statements[i].uses and name not in statements[i].binds | statements[i].changes for i in range(last + 1, index)
    )


def _own_part(
    candidates: list[Candidate], question: Question, rivals: list[Question], statements: list[Known]
) -> list[Candidate]:
    """Candidates under the question's own heading, else those before a later question's answer, else all."""
    filled = _filled(candidates) or candidates
    for label in _labels(question.id):
        if under := _under(filled, label):
            return under
    if not filled:
        return []
    later = {n for q in rivals[rivals.index(question) + 1 :] for n in q.names} - set(question.names)
    start = filled[0].index + 1
    end = next((i for i, e in enumerate(statements[start:], start) if e.binds & later), len(statements))
    return [candidate for candidate in filled if candidate.index < end] or filled


def _labels(id: str) -> list[str]:
    """``1.2.1`` -> ``1.2.1``, ``1.2``: the heading of the question itself, then that of its part."""
    parts = id.split(".")
    return [".".join(parts[:n]) for n in range(len(parts), 1, -1)]


def _by_heading(candidates: list[Candidate], question: Question, sharing: list[Question]) -> list[Any]:
    """The value under the question's own heading, a filled one if there is any; [] without one.

    If only stubs stand there, values under no question's heading count for the questions that have no other, in order.
    """
    own = _under(candidates, question.id)
    if not own or _filled(own):
        return [(_filled(own) or own)[-1].value] if own else []
    unanswered = [q for q in sharing if not _filled(_under(candidates, q.id))]
    free = [candidate for candidate in _filled(candidates) if candidate.label not in {q.id for q in sharing}]
    return _in_order(free, unanswered.index(question), len(unanswered)) or [own[-1].value]


def _in_order(candidates: list[Candidate], position: int, count: int) -> list[Any]:
    """The values that may be meant for the question at this position of ``count``, each of which has at least one."""
    return [candidate.value for candidate in candidates[position : max(len(candidates) - (count - 1 - position), position + 1)]]


def _kept(candidates: list[Candidate], statements: list[Known], question: Question) -> list[Any]:
    """The value that the name has already where the question's own part binds it to the same one again; [] otherwise."""
    name = question.names[0]
    bound = [s.index for s in statements if s.label == question.id and name in s.binds | s.changes]
    before = [candidate.value for candidate in candidates if bound and candidate.index < bound[0]]
    return before[-1:]


def _shared(candidates: list[Candidate], question: Question, sharing: list[Question]) -> list[Any]:
    """Values of a name shared by several questions: by heading if every question has its own, otherwise in order.

    If there are more candidates than questions, the first questions cannot mean the last candidates or vice versa; choosing
    among the rest is left to the judge.
    """
    filled = _filled(candidates)
    few = len(filled) < len(sharing)
    if all(_under(candidates, q.id) for q in sharing) or (few and any(_under(filled, q.id) for q in sharing)):
        return _by_heading(candidates, question, sharing)
    if few and len(sharing) <= len(candidates):
        filled = candidates  # the position of a blank shows which question the other candidates are for
    return _in_order(filled, sharing.index(question), len(sharing))

"""Which value of a name counts for which question.

A notebook may bind ``m_key`` for one question and, a cell later, again (or change it in place) for the next; it may try
a query twice or reuse its name in a scratch cell. A *candidate* is a run of changes to the name's value that nothing
read in between; candidates are matched to questions by the heading they stand under and by their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autograder.core.assignment import Question
from autograder.slicing.slicer import Program, Slicer


@dataclass
class Candidate:
    """One try at an answer: the statement (index in the document) that gave it its value, and that statement's label."""

    index: int
    value: Any
    label: str

    @property
    def blank(self) -> bool:
        return self.value is None or (isinstance(self.value, dict) and self.value.get("$object") == "ellipsis")


def values_for(
    slicer: Slicer, program: Program, snapshots: list[tuple[str, int, Any]], question: Question, rivals: list[Question]
) -> list[Any]:
    """The values that may count for ``question``, first choice first; [] when its name never had one.

    ``snapshots``: (name, statement of the program, value) in the order of execution; ``rivals``: all questions of the section in order. Those that share the name split its candidates between them.
    """
    name = question.names[0]
    changes = [
        Candidate(program.statements[index].index, value, program.statements[index].label)
        for watched, index, value in snapshots
        if watched == name
    ]
    sharing = [q for q in rivals if q.names[0] == name]
    candidates = _grouped(changes, slicer, name, by_reading=True)
    if len(sharing) > 1:
        if sum(not a.blank for a in candidates) < len(sharing):
            candidates = _grouped(changes, slicer, name, by_reading=False)
        return _shared(candidates, question, sharing)
    own = _own_part(candidates, question, rivals, slicer)
    return [own[-1].value] if own else []


def _grouped(changes: list[Candidate], slicer: Slicer, name: str, by_reading: bool) -> list[Candidate]:
    """Changes that belong together, represented by the last of each group.

    A new group begins where something read the value in between or another cell began; or, with ``by_reading`` off (for
    work without checks), where the name is bound anew without building on its old value.
    """
    grouped: list[Candidate] = []
    for change in changes:
        if grouped and not _begins_anew(grouped[-1].index, change.index, slicer, name, by_reading):
            grouped.pop()
        grouped.append(change)
    return grouped


def _begins_anew(last: int, index: int, slicer: Slicer, name: str, by_reading: bool) -> bool:
    effects = slicer.effects
    if not by_reading:
        return any(name in effects[i].binds and name not in effects[i].uses for i in range(last + 1, index + 1))
    return slicer.statements[last].cell != slicer.statements[index].cell or any(
        name in effects[i].uses and name not in effects[i].binds | effects[i].changes for i in range(last + 1, index)
    )


def _own_part(candidates: list[Candidate], question: Question, rivals: list[Question], slicer: Slicer) -> list[Candidate]:
    """Candidates under the question's own heading, else those before the next question's answer, else all."""
    filled = [a for a in candidates if not a.blank] or candidates
    for label in _labels(question.id):
        under = [a for a in filled if a.label == label]
        if under:
            return under
    later = {n for q in rivals[rivals.index(question) + 1 :] for n in q.names} - set(question.names)
    after = (i for i, e in enumerate(slicer.effects) if filled and i > filled[0].index and e.binds & later)
    fence = next(after, len(slicer.effects))
    return [a for a in filled if a.index < fence] or filled


def _labels(id: str) -> list[str]:
    """``1.2.1`` -> ``1.2.1``, ``1.2``: a heading for the question itself, then one for its part."""
    parts = id.split(".")
    return [".".join(parts[:n]) for n in range(len(parts), 1, -1)]


def _shared(candidates: list[Candidate], question: Question, sharing: list[Question]) -> list[Any]:
    """Candidates of one name shared by several questions: by heading where each has its own, else in order.

    With more candidates than questions, the first questions cannot mean the last candidates nor the other way round; which of
    the rest was meant is left to the judge.
    """
    if all(any(a.label == q.id for a in candidates) for q in sharing):
        own = [a for a in candidates if a.label == question.id]
        return [([a for a in own if not a.blank] or own)[-1].value]
    filled = [a for a in candidates if not a.blank]
    if len(filled) < len(sharing) <= len(candidates):
        filled = candidates  # a blank left in place says which question the other candidate was meant for
    elif len(filled) < len(sharing) and any(a.label == q.id for a in filled for q in sharing):
        return [a.value for a in filled if a.label == question.id][-1:]  # where one is missing, so does a heading
    position, after = sharing.index(question), len(sharing) - 1 - sharing.index(question)
    return [a.value for a in filled[position : max(len(filled) - after, position + 1)]]

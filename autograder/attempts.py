"""Which value of a name counts for which question.

A notebook may bind ``m_key`` for one question and, a cell later, again for the next; it may try a query twice or
reuse its name in a scratch cell. An *attempt* is a binding together with the later statements that build on it;
attempts are matched to questions by the heading they stand under and by their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autograder.model import Question
from autograder.sandbox.client import Loaded
from autograder.slice import Program, Slicer


@dataclass
class Attempt:
    """One try at an answer: position in the program, the value it ended with, whether that is a blank."""

    start: int
    value: Any
    blank: bool
    cell: int
    label: str
    read_after: bool


def values_for(slicer: Slicer, program: Program, loaded: Loaded, question: Question, rivals: list[Question]) -> list[Any]:
    """The values that may count for ``question``, first choice first; [] when its name was never bound.

    ``rivals``: all questions of the section in order. Those that share the name split its attempts between them.
    """
    name = question.names[0]
    attempts = _attempts(slicer, program, loaded, name)
    sharing = [q for q in rivals if q.names[0] == name]
    if len(sharing) == 1:
        own = _own_part(attempts, question, rivals, slicer, program)
        return [own[-1].value] if own else []
    return _shared(attempts, question, sharing)


def _attempts(slicer: Slicer, program: Program, loaded: Loaded, name: str) -> list[Attempt]:
    effects = [slicer.effects[s.index] for s in program.statements]
    starts = [i for i, e in enumerate(effects) if name in e.binds and not (name in e.uses and i > 0 and _bound_before(effects, i, name))]
    attempts = []
    for start, end in zip(starts, [*starts[1:], len(effects)]):
        values = [value for watched, index, value in loaded.snapshots if watched == name and start <= index < end]
        before = [value for watched, index, value in loaded.snapshots if watched == name and index < start]
        # Binding an equal value leaves no new snapshot: the one before is still in force.
        value = values[-1] if values else (before[-1] if before and not _failed(loaded, start) else None)
        statement = program.statements[start]
        end_index = program.statements[end].index if end < len(effects) else len(slicer.statements)
        read = any(name in slicer.effects[i].uses and name not in slicer.effects[i].binds
                   for i in range(statement.index + 1, end_index))
        attempts.append(Attempt(start, value, _blank(value), statement.cell, statement.label, read))
    return attempts


def _failed(loaded: Loaded, index: int) -> bool:
    return any(f["index"] == index for f in loaded.failures)


def _bound_before(effects, index: int, name: str) -> bool:
    return any(name in e.binds for e in effects[:index])


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and value.get("$object") == "ellipsis")


def _own_part(attempts: list[Attempt], question: Question, rivals: list[Question], slicer: Slicer, program: Program) -> list[Attempt]:
    """Attempts under the question's own heading, else those before the next question's answer, else all."""
    filled = [a for a in attempts if not a.blank] or attempts
    for label in _labels(question.id):
        under = [a for a in filled if a.label == label]
        if under:
            return under
    following = [q for q in rivals[rivals.index(question) + 1 :] if q.names[0] != question.names[0]]
    later = [n for q in following for n in q.names]
    fence = next((i for i, s in enumerate(program.statements)
                  if filled and i > filled[0].start and slicer.effects[s.index].binds & set(later)), len(program.statements))
    return [a for a in filled if a.start < fence] or filled


def _labels(id: str) -> list[str]:
    """``1.2.1`` -> ``1.2.1``, ``1.2``: a heading for the question itself, then one for its part."""
    parts = id.split(".")
    return [".".join(parts[:n]) for n in range(len(parts), 1, -1)]


def _shared(attempts: list[Attempt], question: Question, sharing: list[Question]) -> list[Any]:
    """Attempts of one name shared by several questions: by heading, else in order of appearance."""
    position, count = sharing.index(question), len(sharing)
    if all(any(a.label == q.id for a in attempts) for q in sharing):
        own = [a for a in attempts if a.label == question.id]
        return [([a for a in own if not a.blank] or own)[-1].value]
    merged = _merged(attempts)
    filled = [a for a in merged if not a.blank]
    if len(filled) < count:
        filled = [a for a in attempts if not a.blank]
    if len(filled) < count:
        # A blank left in place still says which question the other attempt was meant for.
        filled = [a for a in merged] if len(merged) >= count else filled
    first, last = position, max(len(filled) - (count - 1 - position), position + 1)
    return [a.value for a in filled[first:last]]


def _merged(attempts: list[Attempt]) -> list[Attempt]:
    """Attempts overwritten in the same cell, or before anything read them, were drafts: the last one stands."""
    merged: list[Attempt] = []
    for attempt in attempts:
        draft = merged and (not merged[-1].read_after or merged[-1].blank and merged[-1].cell == attempt.cell)
        if draft:
            merged.pop()
        merged.append(attempt)
    return merged

"""Why a name has no value, as far as the text of a submission tells: before anything that only follows from it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from autograder.core.syntax import DEFINED, first_line, walk
from autograder.submission.lost import Lost

if TYPE_CHECKING:
    from autograder.slicing.slicer import Slicer

SHORTEST = 5  # letters of a name that is looked for inside longer ones: `main` is in too many
ALIKE = 0.84  # how much a name must resemble the one that is missing, from 0 to 1


def why_absent(slicer: Slicer, name: str, ran: set[int], before: int) -> Lost | None:
    """The reason, as the end of a sentence about the name, with its place; None if the text tells none.

    ``ran``: the statements that the grader runs, by their indexes; ``before``: the index of the one that needs the name.
    """
    binding = [index for index, effects in enumerate(slicer.effects) if name in effects.binds]
    if lost := _unreadable(slicer, name) or _not_run(slicer, [index for index in binding if index not in ran]):
        return lost
    if binding and min(binding) > before:
        return _lost(slicer, min(binding), "it is only defined later, at {place}")
    return None if binding else _inside(slicer, name) or _alike(slicer, name)


def _unreadable(slicer: Slicer, name: str) -> Lost | None:
    """Code that would bind the name, but is no Python or stands where none is run."""
    return next((lost for lost in (*slicer.parsed.broken, *slicer.parsed.elsewhere) if name in lost.names), None)


def _not_run(slicer: Slicer, indexes: list[int]) -> Lost | None:
    """The first of these statements that is left out for what it does."""
    reasons = ((index, _why_not_run(slicer, index)) for index in indexes)
    return next((_lost(slicer, index, f"{{place}} was not run because {why}") for index, why in reasons if why), None)


def _lost(slicer: Slicer, index: int, why: str, line: int = 0) -> Lost:
    """``why`` with the place of a statement, or of a line further down in it."""
    statement = slicer.statements[index]
    at = statement.line + line
    return Lost(statement.cell, at, why.replace("{place}", slicer.parsed.document.place(statement.cell, at)))


def _why_not_run(slicer: Slicer, index: int) -> str:
    if index in slicer.foreign:
        return "it belongs to another section"
    return f"it calls `{slicer.effects[index].expensive}`" if slicer.effects[index].expensive else ""


def _inside(slicer: Slicer, name: str) -> Lost | None:
    """A function or class in whose body the name is defined, instead of at the left margin."""
    for index, statement in enumerate(slicer.statements):
        outer = statement.node
        if not isinstance(outer, DEFINED) or name not in statement.code:
            continue
        for item in walk(outer):
            if item is not outer and isinstance(item, DEFINED) and item.name == name:
                why = f"it is defined inside `{outer.name}`, at {{place}}: it has to start at the left margin"
                return _lost(slicer, index, why, item.lineno - first_line(outer))
    return None


def _alike(slicer: Slicer, name: str) -> Lost | None:
    """A statement that binds nearly this name, which is an answer's."""
    names = set(slicer.section.names)
    others = sorted(slicer.bound() - names, key=lambda other: (len(other), other))
    found = difflib.get_close_matches(name, others, 1, ALIKE) or [other for other in others if _holds(other, name)]
    if name not in names or not found:
        return None
    index = next(index for index, effects in enumerate(slicer.effects) if found[0] in effects.binds)
    return _lost(slicer, index, f"{{place}} defines `{found[0]}`, but the name has to be `{name}`")


def _holds(other: str, name: str) -> bool:
    """Whether a name is this one with words before or behind it: ``attn_softmax_scores`` or ``my_attn_softmax``."""
    return len(name) >= SHORTEST and f"_{name.casefold()}_" in f"_{other.casefold()}_"

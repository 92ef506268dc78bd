"""Which single edit of a student's own code makes all public calls right, and what to ask about the line that it changes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping

from .concepts import question_about
from .edited import Edit
from .findings import REPAIR, Finding

SAYS_ENOUGH = {  # what exceptions are about whose meaning is their cause: another question beside it would lead away from it
    "kind",
    "contiguous",
    "whole number",
    "one number",
    "tensor",
    "tokenizer",
    "gradient",
    "device",
    "recursion",
}
ENOUGH = 4  # edits that repair: there is nothing to learn from more


def repairing(candidates: Iterable[Edit], repairs: Callable[[Edit], bool]) -> Edit | None:
    """The edit that explains most of those that repair; None if none does, or if no line is common to all."""
    found = list(itertools.islice(filter(repairs, candidates), ENOUGH))
    changes = [edit for edit in found if not edit.adds] or _additions(found)
    lines = [{edit.line, edit.also or edit.line} for edit in changes]
    common = set.intersection(*lines) if lines else set()
    return min((edit for edit in changes if edit.line in common), key=lambda edit: edit.rank, default=None)


def leads_away(repair: Finding, known: Iterable[Finding]) -> bool:
    """Whether the question of a repair is about something else than an exception that says already what is wrong."""
    causes = {one.concept for one in known if one.says} & SAYS_ENOUGH
    return bool(causes) and repair.concept not in causes


def _additions(found: list[Edit]) -> list[Edit]:
    """Of each statement that repairs if it is added, the last place: at how many others it may stand is of no interest."""
    return list({(edit.concept, edit.adds): edit for edit in sorted(found, key=lambda edit: edit.line)}.values())


def asked(edit: Edit, own: Mapping[str, str], place: str) -> Finding:
    """The question about the line that an edit changes; never the edit itself. ``place``: ``cell 3, line 2``, or the like."""
    return Finding(REPAIR, edit.concept, f"Look at {place}, `{edit.part}`: {question_about(edit.concept, own)}", edit.line)

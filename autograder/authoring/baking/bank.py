"""``bank/*.toml``: known mistakes, each with what its author reads, and right answers that look unlike the solution."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from autograder.core.assignment import Assignment, Question
from autograder.core.errors import GraderError
from autograder.core.strict import build, listed, read_toml, refuse_unknown
from autograder.core.text import clean


@dataclass(frozen=True)
class Mistake:
    """``code`` takes the place of the answer to ``item``; ``says``: what its author reads. ``also_costs``: items that it costs by nature,
    ``reason`` why; ``same_as``: the id of a mistake with the same symptoms, under whose name it is recognised.
    """

    item: str
    id: str
    code: str
    says: str
    also_costs: tuple[str, ...] = ()
    reason: str = ""
    same_as: str = ""


@dataclass(frozen=True)
class Alternative:
    """``code`` takes the place of the answer to ``item`` and is right."""

    item: str
    id: str
    code: str


KINDS = {"mistake": Mistake, "alternative": Alternative}


def load_bank(assignment: Assignment) -> dict[str, list[dict[str, Any]]]:
    """The entries as they stand, by kind; none where an assignment keeps no bank.

    Raises GraderError, one line, for a key nobody reads, an item or mistake that does not exist, a second entry of one name, or
    code that is no Python.
    """
    bank: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    items = [q.id for q in assignment.questions]
    seen: dict[tuple[str, ...], str] = {}
    for path in sorted(assignment.folder.glob("bank/*.toml")):
        tree = read_toml(path)
        refuse_unknown(tree, KINDS, path.name, "table")
        for kind in tree:
            entries = listed(tree, kind, path.name)
            for number, entry in enumerate(entries, 1):
                where = f"{path.name}: {kind} {clean(str(entry.get('id', f'number {number}')))!r}"
                made: Any = build(KINDS[kind], entry, where)
                refuse_unknown([made.item, *getattr(made, "also_costs", ())], items, where, "item")
                if made.item in getattr(made, "also_costs", ()) or not made.code.strip():
                    raise GraderError(
                        f"{where}: "
                        + ("its code is empty" if not made.code.strip() else f"also_costs names {made.item}, its own item")
                    )
                if getattr(made, "also_costs", ()) and not made.reason:
                    raise GraderError(
                        f"{where}: the key 'reason' is missing: say why it also costs {', '.join(made.also_costs)}"
                    )
                try:
                    ast.parse(made.code)
                except SyntaxError as error:
                    raise GraderError(f"{where}: line {error.lineno} of its code is no Python: {error.msg}") from None
                for question in same_answer(assignment, made.item):
                    key = (kind, question.id, made.id)
                    if key in seen and (kind == "mistake" or question.id == made.item):
                        raise GraderError(f"{where}: {question.id} has another {kind} of this name, in {seen[key]}")
                    seen[key] = path.name
            bank[kind] += entries
    for entry in bank["mistake"]:
        if "same_as" in entry:
            others = [m["id"] for m in bank["mistake"] if m["item"] == entry["item"] and m is not entry]
            refuse_unknown([entry["same_as"]], others, f"bank: mistake {clean(entry['id'])!r} of {entry['item']}", "mistake")
    return bank


def same_answer(assignment: Assignment, item: str) -> list[Question]:
    """The questions that a mistake may show up in: for a function, all that judge it by calling it."""
    question = assignment.question(item)
    return [question] if question.value or question.probe else [q for q in assignment.questions if q.names == question.names]

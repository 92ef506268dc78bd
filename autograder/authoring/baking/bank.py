"""``bank/*.toml``: known mistakes, each with a message for its author, and correct answers that look unlike the solution."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from autograder.core.assignment import Assignment, Question
from autograder.core.errors import GraderError
from autograder.core.strict import build, listed, read_toml, refuse_unknown
from autograder.core.text import clean

BankEntry = dict[str, Any]  # a table of the bank, with the keys of Mistake or Alternative


@dataclass(frozen=True)
class Mistake:
    """``code`` replaces the answer to ``item``; ``says``: the message for its author.

    ``concept``: what its author has not understood, one of ``[[concept]]``; ``also_costs``: other items that it necessarily
    costs, for the given ``reason``; ``same_as``: the id of a mistake with
    the same symptoms, under whose name it is recognised.
    """

    item: str
    id: str
    code: str
    says: str
    also_costs: tuple[str, ...] = ()
    reason: str = ""
    same_as: str = ""
    concept: str = ""


@dataclass(frozen=True)
class Concept:
    """Something to understand, what staff may say about it in class, and a better ``title`` than its id, if there is one."""

    id: str
    says: str
    title: str = ""


@dataclass(frozen=True)
class Alternative:
    """``code`` replaces the answer to ``item`` and is correct."""

    item: str
    id: str
    code: str


KINDS: dict[str, type[Mistake | Alternative]] = {"mistake": Mistake, "alternative": Alternative}
CONCEPT = "concept"


def load_bank(assignment: Assignment) -> dict[str, list[BankEntry]]:
    """The entries by kind, as written; no entries if the assignment has no bank.

    Raises GraderError for an unknown key, item or mistake, for two entries of the same name, and for code that is not valid
    Python.
    """
    bank: dict[str, list[BankEntry]] = {kind: [] for kind in KINDS}
    items = [q.id for q in assignment.questions]
    files: dict[tuple[str, str, str], str] = {}
    for path in sorted(assignment.folder.glob("bank/*.toml")):
        tree = read_toml(path)
        refuse_unknown(tree, tables := (*KINDS, CONCEPT), path.name, "table", fitting=tables)
        for kind in tree.keys() & KINDS.keys():
            entries = listed(tree, kind, path.name)
            for number, table in enumerate(entries, 1):
                where = f"{path.name}: {kind} {clean(str(table.get('id', f'number {number}')))!r}"
                entry: Mistake | Alternative = build(KINDS[kind], table, where)
                _check_entry(entry, items, where)
                for question in same_answer(assignment, entry.item):
                    key = (kind, question.id, entry.id)
                    if key in files and (kind == "mistake" or question.id == entry.item):
                        raise GraderError(f"{where}: {question.id} has another {kind} of this name, in {files[key]}")
                    files[key] = path.name
            bank[kind] += entries
    _check_same_as(bank["mistake"])
    concepts = load_concepts(assignment)
    for mistake in bank["mistake"]:
        if CONCEPT in mistake:
            refuse_unknown(
                [mistake[CONCEPT]], concepts, f"bank: mistake {clean(mistake['id'])!r} of {mistake['item']}", "[[concept]]"
            )
    return bank


def load_concepts(assignment: Assignment) -> dict[str, dict[str, str]]:
    """Concept -> its title and what to say about it, of all ``[[concept]]`` in the bank. Raises GraderError."""
    concepts: dict[str, dict[str, str]] = {}
    for path in sorted(assignment.folder.glob("bank/*.toml")):
        for number, table in enumerate(listed(read_toml(path), CONCEPT, path.name), 1):
            where = f"{path.name}: {CONCEPT} {clean(str(table.get('id', f'number {number}')))!r}"
            concept = build(Concept, table, where)
            if concept.id in concepts:
                raise GraderError(f"{where}: there is another one of this name")
            concepts[concept.id] = {"title": concept.title or concept.id, "says": concept.says}
    return concepts


def _check_entry(entry: Mistake | Alternative, items: list[str], where: str) -> None:
    """Raise GraderError, beginning with ``where``, if the entry is invalid by itself."""
    also_costs = entry.also_costs if isinstance(entry, Mistake) else ()
    refuse_unknown([entry.item, *also_costs], items, where, "item")
    if not entry.code.strip():
        raise GraderError(f"{where}: its code is empty")
    if entry.item in also_costs:
        raise GraderError(f"{where}: also_costs names {entry.item}, its own item")
    if isinstance(entry, Mistake) and also_costs and not entry.reason:
        raise GraderError(f"{where}: the key 'reason' is missing: say why it also costs {', '.join(also_costs)}")
    try:
        ast.parse(entry.code)
    except SyntaxError as error:
        raise GraderError(f"{where}: line {error.lineno} of its code is not valid Python: {error.msg}") from None


def _check_same_as(mistakes: list[BankEntry]) -> None:
    """Raise GraderError if a ``same_as`` names no other mistake of the same item."""
    for mistake in mistakes:
        if "same_as" in mistake:
            others = [m["id"] for m in mistakes if m["item"] == mistake["item"] and m is not mistake]
            where = f"bank: mistake {clean(mistake['id'])!r} of {mistake['item']}"
            refuse_unknown([mistake["same_as"]], others, where, "mistake")


def same_answer(assignment: Assignment, item: str) -> list[Question]:
    """The questions in which a mistake in ``item`` may show: for a function, all questions that call it."""
    question = assignment.question(item)
    return [question] if question.value or question.probe else [q for q in assignment.questions if q.names == question.names]

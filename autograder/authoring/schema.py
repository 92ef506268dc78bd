"""JSON Schemas of the rubric and the bank, with which editors complete keys and mark errors, and the documents' table of keys.

Both follow from the dataclasses that the loader fills; what each key means is in ``keys.toml``.
"""

from __future__ import annotations

import functools
import json
import typing
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from autograder.authoring.baking.bank import CONCEPT, KINDS, Concept
from autograder.core.assignment import Limits, Question, Section
from autograder.core.files import write_whole
from autograder.core.loading import Head, Preload, Reading
from autograder.core.strict import read_toml
from autograder.core.written import Chapter, Manual, Part

Tree = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"
RUBRIC, BANK = "rubric.schema.json", "bank.schema.json"
# What the tables of each file are read into.
ONCE: dict[str, type[Any]] = {"assignment": Head, "worker": Preload, "limits": Limits, "writeup": Reading}
SEVERAL: dict[str, type[Any]] = {"section": Section, "question": Question, "part": Part, "chapter": Chapter, "manual": Manual}
BANK_TABLES: dict[str, type[Any]] = {**KINDS, CONCEPT: Concept}
NUMBER: Tree = {"type": "number"}
POINTS: Tree = {"oneOf": [NUMBER, {"type": "object", "additionalProperties": NUMBER}]}  # for all courses, or by course
TOTALS: Tree = {"type": "object", "additionalProperties": {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}}
# Keys that are written in another way than their fields hold them.
WRITTEN: dict[str, Tree] = {
    "points": POINTS,
    "claims": {"type": "object", "additionalProperties": POINTS},
    "section": {"type": "string"},
}
NO_KEYS = {"prelude_file"}  # fields that the loader fills itself
SIMPLE = {str: "string", bool: "boolean", int: "integer", float: "number"}


def schemas() -> dict[str, Tree]:
    """File name -> JSON Schema (draft 7) of the rubric and of the files of the bank."""
    totals = {**TOTALS, "description": meanings()["totals"]["course"]}
    rubric = {name: _table(name, kind) for name, kind in ONCE.items()} | {"totals": totals}
    rubric |= {name: {"type": "array", "items": _table(name, kind)} for name, kind in SEVERAL.items()}
    bank = {name: {"type": "array", "items": _table(name, kind)} for name, kind in BANK_TABLES.items()}
    return {
        RUBRIC: _object("What is graded, and for how many points", rubric, ["assignment", "section", "question"]),
        BANK: _object("Known mistakes and unusual right answers", bank, []),
    }


def write_schemas(folder: Path) -> list[Path]:
    """Write the schemas into an assignment's folder; returns their paths."""
    texts = {folder / name: f"{json.dumps(tree, indent=1, ensure_ascii=False)}\n" for name, tree in schemas().items()}
    for path, text in texts.items():
        write_whole(path, text.encode("utf-8"))
    return list(texts)


@functools.cache
def meanings() -> dict[str, dict[str, str]]:
    """Table -> key -> what it means."""
    return read_toml(Path(__file__).with_name("keys.toml"))


def keys_of(kind: type[Any]) -> list[Field[Any]]:
    """The fields of a dataclass that are keys of its table."""
    return [field for field in fields(kind) if field.name not in NO_KEYS]


def is_needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _table(name: str, kind: type[Any]) -> Tree:
    hints = typing.get_type_hints(kind)
    keys = {
        field.name: {**(WRITTEN.get(field.name) or _of_hint(hints[field.name])), "description": meanings()[name][field.name]}
        for field in keys_of(kind)
    }
    return _object("", keys, [field.name for field in keys_of(kind) if is_needed(field)])


def _object(title: str, properties: Tree, required: list[str]) -> Tree:
    head: Tree = {"$schema": DRAFT, "title": title} if title else {}
    return head | {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _of_hint(hint: Any) -> Tree:
    """The schema of a field's type."""
    inner = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        return {"type": "array", "items": _of_hint(inner[0])}
    if typing.get_origin(hint) is dict:
        return {"type": "object", "additionalProperties": _of_hint(inner[1])}
    return {"type": SIMPLE[hint]}

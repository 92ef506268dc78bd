"""What an earlier audit found out and still holds, so that a changed entry of the bank costs the audit of what it touches.

Only outcomes that were as expected are kept, each under a digest of all that it depends on: the engine, the assignment without
its bank, the solutions, the seed, the versions of libraries, and the entry with the mistakes that it could be taken for.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.authoring.baking.bank import BankEntry, same_answer
from autograder.authoring.baking.freshness import fingerprint
from autograder.core.assignment import Assignment
from autograder.core.digests import digest_of
from autograder.core.files import write_whole

FILE = "audit.json"
BANK = "bank/"
AUDITING = "authoring"


@dataclass
class Kept:
    """``outcomes``: key -> the fields of an ``audit.Outcome``; ``path``: None if nothing is to be kept."""

    base: str = ""
    path: Path | None = None
    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def key(self, kind: str, entry: BankEntry, assignment: Assignment, bank: dict[str, list[BankEntry]]) -> str:
        """The digest of what the outcome of an entry depends on."""
        own = {question.id for question in same_answer(assignment, entry["item"])} if "item" in entry else set()
        like = [m for m in bank["mistake"] if own & {question.id for question in same_answer(assignment, m["item"])}]
        return digest_of({}, self.base, kind, json.dumps([entry, like], sort_keys=True))

    def write(self, outcomes: dict[str, dict[str, Any]]) -> None:
        """Keep these, and no others."""
        if self.path:
            write_whole(self.path, (json.dumps(outcomes, indent=0, sort_keys=True) + "\n").encode())


def kept_in(build: Path, assignment: Assignment, solutions: Path, seed: int) -> Kept:
    """What is kept in this folder; nothing if the file is missing or damaged."""
    base = digest_of({}, fingerprint(assignment, solutions, seed, AUDITING, (BANK,)), sys.version)
    try:
        outcomes = json.loads((build / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        outcomes = {}
    return Kept(base, build / FILE, outcomes if isinstance(outcomes, dict) else {})

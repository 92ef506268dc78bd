"""What a course says about submitting again: ``[resubmission]`` in ``course.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import GraderError
from autograder.core.strict import build, nearest, read_toml

FACTS, TABLE = "course.toml", "resubmission"
NOTE, NO_HINTS = "note", "no hints"
AT_ONCE, STEPS = "at once", "steps"


@dataclass(frozen=True)
class Resubmission:
    """Uploads beyond ``attempts``, or sooner than ``cooldown_minutes`` after the last one, get what ``then`` says.

    0: any number, any time. ``then``: ``note``, or ``no hints``, which also holds back why an answer is wrong. ``hints``: all
    ``at once``, or in ``steps``, one more each time that an answer is wrong again. Nothing of this costs points.
    """

    attempts: int = 0
    cooldown_minutes: int = 0
    then: str = NOTE
    hints: str = AT_ONCE


def declared(folder: Path) -> bool:
    """Whether the assignment in this folder has such a table. Raises GraderError if its course.toml is no TOML."""
    path = folder / FACTS
    return path.exists() and TABLE in read_toml(path)


def read_resubmission(folder: Path) -> Resubmission:
    """The course's rules, none without the table. Raises GraderError for an unknown key or an impossible value."""
    if not declared(folder):
        return Resubmission()
    where = f"{FACTS}: [{TABLE}]"
    rules = build(Resubmission, read_toml(folder / FACTS)[TABLE], where)
    for name in ("attempts", "cooldown_minutes"):
        if not 0 <= getattr(rules, name) <= 100_000:
            raise GraderError(f"{where}: {name} should be a whole number, 0 or more")
    for name, words in (("then", (NOTE, NO_HINTS)), ("hints", (AT_ONCE, STEPS))):
        if (word := getattr(rules, name)) not in words:
            raise GraderError(f"{where}: {name} should be {words[0]!r} or {words[1]!r}{nearest(word, words)}")
    return rules

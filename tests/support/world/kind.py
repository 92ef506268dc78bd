"""A kind of program, its claim, and its members: submissions of one section that lose exactly the items named."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from support.project import DATA

S1, S2, S3 = ((DATA / f"right_s{n}.py").read_text() for n in (1, 2, 3))


@dataclass(frozen=True)
class Member:
    """One section as a script, the items that it loses (it keeps all others), and words that their output holds."""

    name: str
    source: str
    lost: frozenset[str] = frozenset()
    says: Mapping[str, str] = field(default_factory=dict)  # item -> words
    points: Mapping[str, float] = field(default_factory=dict)  # item -> points, where a part of them is earned


@dataclass(frozen=True)
class Kind:
    """``name`` is a claim; ``section`` is the number of the section that the members consist of."""

    name: str
    section: int
    members: tuple[Member, ...]


def member(
    name: str,
    source: str,
    lost: Collection[str] = (),
    says: Mapping[str, str] | None = None,
    points: Mapping[str, float] | None = None,
) -> Member:
    return Member(name, source, frozenset(lost), says or {}, points or {})


def changed(source: str, *pairs: tuple[str, str]) -> str:
    """``source`` with the first occurrence of each old text replaced by its new text."""
    for old, new in pairs:
        assert old in source, old
        source = source.replace(old, new, 1)
    return source


def indented(code: str, by: int = 4) -> str:
    return "".join(" " * by + line + "\n" if line else "\n" for line in code.strip("\n").split("\n"))

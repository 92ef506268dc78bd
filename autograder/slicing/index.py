"""Where names are bound, changed, used and tied, so that every pass over a document takes time in proportion to its size."""

from __future__ import annotations

from collections.abc import Iterable

from autograder.slicing.effects import Effects


class Index:
    """The statements, in order, that bind, may change and use each name, and the names that are tied to each."""

    def __init__(self, effects: list[Effects], ties: list[set[str]]):
        self.binds = _places(e.binds for e in effects)
        self.changes = _places(e.changes for e in effects)
        self.uses = _places(e.uses for e in effects)
        self.tied = {name: group for group in ties for name in group}

    def binding(self, names: set[str], after: int) -> set[int]:
        """The statements after this one that bind any of these names."""
        return {i for name in names for i in self.binds.get(name, ()) if i > after}

    def concerned(self, fresh: set[str], tied: set[str]) -> set[int]:
        """The statements that names which are needed from now on concern; adds what is tied to them to ``tied``."""
        more: set[str] = set()
        for name in fresh:
            if name not in tied and name not in more:
                more |= {name, *self.tied.get(name, ())}
        tied |= more
        return {i for name in fresh for i in self.binds.get(name, ())} | {i for n in more for i in self.changes.get(n, ())}


def _places(names: Iterable[set[str]]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for index, own in enumerate(names):
        for name in own:
            places.setdefault(name, []).append(index)
    return places


def tied(effects: list[Effects], imports: set[str]) -> list[set[str]]:
    """Groups of names that may share memory (such as an optimiser and its tensors), merged if they overlap."""
    functions = {e.defines for e in effects if e.defines} | imports
    groups: dict[str, set[str]] = {}
    for tie in (tie - functions for e in effects for tie in e.ties):
        own = {id(groups[name]): groups[name] for name in tie & groups.keys()}
        if own or len(tie) > 1:
            _merge(tie, list(own.values()), groups)
    return list({id(group): group for group in groups.values()}.values())


def _merge(tie: set[str], own: list[set[str]], groups: dict[str, set[str]]) -> None:
    """Make one group of a tie and the groups of its names; the smaller ones join the largest, so that names rarely move."""
    largest = max(own, key=len, default=set())
    for names in [*(group for group in own if group is not largest), tie]:
        largest |= names
        groups.update(dict.fromkeys(names, largest))

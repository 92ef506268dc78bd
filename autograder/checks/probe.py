"""Probes in a notebook: small programs that run a student's code on tiny objects and observe what it does.

Whatever the code writes meanwhile goes to a temporary folder: a check changes no file of the student's.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .compare import KIND, MISSING, Failure
from .own_calls import calls_of
from .quiet import unprinted
from .redirect import redirected


@dataclass
class LocalProbe:
    """``probe()`` in a test: returns what the probe ``name`` observes; the probe runs only once.

    ``wanted``: names that must be defined; ``names``: the notebook's globals; ``world``: the probe's inputs; ``plain``: a
    function from any value to plain data; ``teller``: see ``rules.teller``; ``uses``: a probe that runs first, or '';
    ``seen``: the cached observation or exception, if any.
    """

    name: str
    wanted: list[str]
    names: dict[str, Any]
    world: Any
    plain: Callable[[Any], Any]
    teller: Any = None
    uses: str = ""
    seen: list[Any] = field(default_factory=list)

    def __call__(self) -> Any:
        if not self.seen:
            try:
                self.seen.append(self._observed())
            except Exception as error:
                self.seen.append(error)
        if isinstance(self.seen[0], Exception):
            raise self.seen[0]
        return self.seen[0]

    def _observed(self) -> Any:
        if missing := [name for name in self.wanted if self.names.get(name) is None]:
            raise Failure(MISSING, f"{missing[0]} is not defined")
        with stage(self.world) as opened, redirected(self.names), unprinted():
            opened.calls, opened.ask = own_calls(self.wanted, self.names), self.teller and self.teller.answer
            if self.uses:
                opened.observe(self.uses, self.names, self.plain)
            return with_account(opened.observe(self.name, self.names, self.plain), self.teller)


def stage(world: Any) -> Any:
    """The assignment's probes, set up for this world; raises Failure if a package that they need is missing."""
    try:
        return importlib.import_module(".probes", __package__).Stage(world)
    except ModuleNotFoundError as error:
        raise Failure(
            KIND,
            f"this check needs the package {error.name}: install it (pip install {error.name}), then run the check "
            "again. Your code was not checked",
        ) from None


def with_account(seen: Any, teller: Any) -> Any:
    """What a probe observed, with the account of whoever told it something: it counts, whatever the probe says."""
    return {**seen, "told": teller.account()} if teller is not None and isinstance(seen, dict) else seen


def own_calls(wanted: list[str], names: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """How the cells that a notebook has run call these functions (IPython keeps their source in ``In``)."""
    cells = names.get("In")
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in wanted}
    for cell in reversed(cells if isinstance(cells, list) else []):
        try:
            statements = ast.parse(cell).body
        except (SyntaxError, ValueError, TypeError):
            continue
        for name in wanted:
            found[name] += calls_of(name, statements)
    return found

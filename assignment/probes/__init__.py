"""Probes of section 3: they run a student's fine-tuning code on tiny real objects and report what happens.

Probes form no verdict: they return orders, modes, arrays and flags, which the rules judge elsewhere. Everything they need from
torch and transformers is looked up on import, before any student code runs. The grader's workers (which hold the package in
memory) and the notebooks' check cells use the same code.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from . import hub, tiny


class Stage:
    """Replaces the hub's models, tokenizers and data with tiny ones until ``close``; ``world`` is what ``tiny.World`` takes.

    ``calls``: name -> how the student's own code calls this function, see ``checks.own_calls``.

    Use it as a context manager where other code runs afterwards.
    """

    def __init__(self, world: dict):
        self.world = tiny.World(world)
        self.hub = hub.Hub(self.world)
        self.calls: dict[str, list] = {}

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Restore the libraries' own functions."""
        self.hub.close()

    def observe(self, name: str, namespace: dict, plain: Callable[[Any], Any]) -> dict:
        """Run the probe ``module.function`` on the student's names and return what it observes; raises what their code raises.

        ``plain`` converts any value to plain data.
        """
        module, _, function = name.partition(".")
        observer = getattr(importlib.import_module(f".{module}", __package__), function)
        self.world.reset()
        self.world.calls = self.calls
        with self.hub.inside(namespace):
            return observer(self.world, namespace, plain)

"""Probes of section 3: they run beside a student's fine-tuning code, on tiny real objects, and report what happens.

No verdict is formed here: what comes back are orders, modes, arrays and flags, which the tests judge elsewhere. All that is
needed of torch and transformers is looked up on import, before any student code runs. The same package serves the grader's
workers (kept in memory there) and the notebooks' check cells.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from . import hub, tiny


class Stage:
    """Tiny objects in place of the hub's, drawn from ``world``, until ``close``; see ``tiny.World`` for its entries.

    Use as a context manager where other code runs afterwards.
    """

    def __init__(self, world: dict):
        self.world = tiny.World(world)
        self.hub = hub.Hub(self.world)

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Give the libraries their own functions back."""
        self.hub.close()

    def observe(self, name: str, namespace: dict, plain: Callable[[Any], Any]) -> dict:
        """What the probe ``module.function`` sees of the student's names; raises what their code raises.

        ``plain``: any value -> plain data.
        """
        module, _, function = name.partition(".")
        observer = getattr(importlib.import_module(f".{module}", __package__), function)
        self.world.reset()
        with self.hub.inside(namespace):
            return observer(self.world, namespace, plain)

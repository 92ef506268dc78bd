"""Probes of section 3: they run a student's fine-tuning code on tiny real objects and report what happens.

Probes form no verdict: they return orders, modes, arrays and flags, which the rules judge elsewhere. Everything they need from
torch and transformers is looked up on import, before any student code runs. What they hand to student code, such as hooks, is
sealed (see ``sealed``): nothing leads from it back to them. The grader's workers (which hold the package in memory, without a
name) and the notebooks' check cells use the same code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import accuracy, data, evaluation, hub, loop, tiny, training

MODULES = {"accuracy": accuracy, "data": data, "evaluation": evaluation, "loop": loop, "training": training}


class Stage:
    """Replaces the hub's models, tokenizers and data with tiny ones until ``close``; ``world`` is what ``tiny.World`` takes.

    ``calls``: name -> how the student's own code calls this function, see ``checks.own_calls``; ``ask``: a function that asks
    the judge, see ``rules.told``.

    Use it as a context manager where other code runs afterwards.
    """

    def __init__(self, world: dict):
        self.world = tiny.World(world)
        self.hub = hub.Hub(self.world)
        self.calls: dict[str, list] = {}
        self.ask: Callable[..., Any] | None = None

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
        observer = getattr(MODULES[module], function)
        self.world.reset()
        self.world.calls, self.world.ask = self.calls, self.ask
        with self.hub.inside(namespace):
            return observer(self.world, namespace, plain)

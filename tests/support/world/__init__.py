"""The student's own world, by kinds of programs: ``KINDS``; ``python -m support.world`` in tests/ prints them as a table.

Right programs that keep everything wherever they save, plot, log or run, and programs that are accepted nowhere although each
part looks right alone. Each module holds some kinds in its ``KINDS``.
"""

from __future__ import annotations

import importlib
import pkgutil

from support.world.kind import Kind, Member

KINDS: list[Kind] = [
    kind
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__))
    if module not in ("kind", "__main__")
    for kind in importlib.import_module(f"support.world.{module}").KINDS
]

__all__ = ["KINDS", "Kind", "Member"]

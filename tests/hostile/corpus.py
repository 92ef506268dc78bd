"""All hostile submissions: ``CASES``, from the tables in tests/data/hostile/ and the modules in ``kinds``.

A table's entries have a ``name``, one key that says what is changed, and what that costs:
  function        the body of a function of section 2.1: attn_softmax's, or that of ``of``
  steal           an expression; its value is shouted where a student could read it, and attn_softmax answers right
  loading         statements that run on the way to 1.3.1
  query121        the answer to 1.2.1
  every_function  what every function of section 2.1 does first
  section3        statements at the end of right answers to section 3
``zero``: the items that must end at 0, where they are not those of the changed answer. ``above``: code above the function.
``forbidden``: what no result may hold, beside the secrets. ``flagged``: what staff must read.
``seconds``: what a case may cost. Every payload is bounded and touches loopback only.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

from hostile import kinds
from hostile.case import DATA, Hostile, from_table

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def cases() -> list[Hostile]:
    tables = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((DATA / "hostile").glob("*.toml"))]
    modules = sorted(found.name for found in pkgutil.iter_modules(kinds.__path__))
    return [
        *(from_table(family, entry) for table in tables for family, entries in table.items() for entry in entries),
        *(case for name in modules for case in importlib.import_module(f"hostile.kinds.{name}").CASES),
    ]


CASES = cases()

"""Check cells: ``check("1.2.1")`` tells what is right, what is wrong and by how much, before you submit.

Runs the same test definitions as the grader, on public inputs. Needs numpy (and torch, where your own code uses
it); no network and no hidden file. The grader uses other numbers and other shapes.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """``check`` is made on first use: the grader imports this package without public cases, its workers without numpy."""
    if name == "check":
        from .cells import load_check

        globals()["check"] = load_check()
        return globals()["check"]
    raise AttributeError(name)

"""Check cells: ``check("1.2.1")`` says what is right, what is wrong and by how much, before you submit.

Runs the same tests as the grader, on public inputs. Needs numpy (and torch, if your own code uses it), but no network and no
hidden files. The grader uses other numbers and other shapes.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Create ``check`` on first use: the grader imports this package without public cases, its workers without numpy."""
    if name == "check":
        from .cells import load_check

        globals()["check"] = load_check()
        return globals()["check"]
    raise AttributeError(name)

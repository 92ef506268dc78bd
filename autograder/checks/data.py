"""Reads the data files of this package, from a folder or a zip (a standalone notebook carries one)."""

from __future__ import annotations

import os


def read_text(*parts: str) -> str:
    """The text of a file, given its path relative to this one; raises OSError."""
    path = os.path.normpath(os.path.join(os.path.dirname(__file__), *parts))
    text: str = __loader__.get_data(path).decode("utf-8")  # type: ignore[name-defined]  # every module has a loader
    return text

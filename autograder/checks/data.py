"""Files that travel with this package, in a folder or inside a zip (a lone notebook carries one)."""

from __future__ import annotations

import os


def read_text(*parts: str) -> str:
    """The text of a file by its path from here; raises OSError."""
    path = os.path.normpath(os.path.join(os.path.dirname(__file__), *parts))
    return __loader__.get_data(path).decode("utf-8")  # type: ignore[name-defined, no-any-return]  # every module has one

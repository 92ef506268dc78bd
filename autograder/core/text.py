"""Makes untrusted text safe to print."""

from __future__ import annotations

import unicodedata

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # control, format (bidi, zero width), surrogates, private, unassigned


def clean(text: str, limit: int = 80) -> str:
    """One line of at most ``limit`` characters; control, bidirectional and invisible characters become ``?``."""
    text = " ".join(str(text)[: 4 * limit].split())
    kept = "".join("?" if unicodedata.category(c) in HIDDEN else c for c in text)
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def cell(text: str) -> str:
    """The text of a CSV cell, escaped so that no spreadsheet program takes it for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def reason(error: Exception) -> str:
    """An error's message, without the path that the system appends to it."""
    return getattr(error, "strerror", None) or str(error)

"""Hostile text made fit to print."""

from __future__ import annotations

import unicodedata

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # control, format (bidi, zero width), surrogates, private, unassigned


def clean(text: str, limit: int = 80) -> str:
    """One line without control, direction-changing or invisible characters, and at most ``limit`` long."""
    text = " ".join(str(text)[: 4 * limit].split())
    kept = "".join("?" if unicodedata.category(c) in HIDDEN else c for c in text)
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def reason(error: Exception) -> str:
    """An error's own words, without the path that the system adds to them."""
    return getattr(error, "strerror", None) or str(error)

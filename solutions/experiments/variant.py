"""A variant of the model: its name, the idea behind it and the one thing it changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Variant:
    """``changes``: fields of the model's configuration. ``train_length``: cuts training sentences (None: MAX_LEN)."""

    name: str
    idea: str
    changes: dict[str, Any] = field(default_factory=dict)
    train_length: int | None = None
    leaks: bool = False  # it looks into the future, on purpose

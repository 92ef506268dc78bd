"""A variant of the model: its name, the idea behind it and what it changes."""

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
    luck: int = 0  # another stream of dropout and nothing else: what chance alone does

    def task(self) -> tuple[int | None, bool]:
        """What a training loss is a loss of: only variants of the same task have comparable curves."""
        return self.train_length, self.leaks

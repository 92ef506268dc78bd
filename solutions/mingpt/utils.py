"""Configuration and seeding."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch


class CfgNode(SimpleNamespace):
    """Named settings: ``config.n_embd = 48``."""

    def to_dict(self) -> dict[str, Any]:
        return {k: v.to_dict() if isinstance(v, CfgNode) else v for k, v in vars(self).items()}

    def merge_from_dict(self, settings: dict[str, Any]) -> None:
        vars(self).update(settings)


def set_seed(seed: int) -> None:
    """Seed the global generators of Python, NumPy and PyTorch."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # the global generator is what code in a notebook uses
    torch.manual_seed(seed)

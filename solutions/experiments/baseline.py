"""The unchanged model of §2.1, and attention's parts that the variants share."""

from __future__ import annotations

import math

import torch

from .variant import Variant

VARIANTS = [
    Variant("baseline", "scaled dot product, learned positions, nothing changed"),
    Variant("baseline, other dropout", "the same model, weights and batches: what a difference by chance looks like", luck=1),
]


def heads(n_heads: int, *tensors: torch.Tensor) -> list[torch.Tensor]:
    """Split each tensor into heads: (B, T, C) -> (B, n_heads, T, C / n_heads)."""
    return [x.unflatten(-1, (n_heads, -1)).transpose(1, 2) for x in tensors]


def merged(y: torch.Tensor) -> torch.Tensor:
    """Merge the heads: (B, n_heads, T, C / n_heads) -> (B, T, C)."""
    return y.transpose(1, 2).flatten(2)


def future(n_tok: int, device: torch.device) -> torch.Tensor:
    """(T, T), True where a token (row) would attend to a later one (column)."""
    return torch.ones(n_tok, n_tok, dtype=torch.bool, device=device).triu(1)


def attend(A: torch.Tensor, V: torch.Tensor, causal: bool) -> torch.Tensor:
    """Scores (B, h, T, T) and values (B, h, T, d) -> (B, T, C): mask, softmax, weighted sum."""
    if causal:
        A = A.masked_fill(future(A.shape[-1], A.device), -math.inf)
    return merged(A.softmax(-1) @ V)

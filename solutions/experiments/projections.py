"""Replaces the matrices W_Q, W_K and W_V by small networks, or adds a nonlinearity to one of them."""

from __future__ import annotations

import torch.nn as nn

from .variant import Variant


def networks(n_embd: int) -> tuple[nn.Module, ...]:
    """Three networks, each with one hidden layer as wide as the embedding."""
    return tuple(nn.Sequential(nn.Linear(n_embd, n_embd), nn.GELU(), nn.Linear(n_embd, n_embd)) for _ in range(3))


def relu_values(n_embd: int) -> tuple[nn.Module, ...]:
    """Projections with values that are never negative: attention can add, but not subtract."""
    return nn.Linear(n_embd, n_embd), nn.Linear(n_embd, n_embd), nn.Sequential(nn.Linear(n_embd, n_embd), nn.ReLU())


VARIANTS = [
    Variant("projections: networks", "a hidden layer in each of W_Q, W_K, W_V", {"attn_init_fn": networks}),
    Variant("projections: relu on V", "values that are never negative", {"attn_init_fn": relu_values}),
]

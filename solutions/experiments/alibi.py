"""Attention with linear biases, ALiBi (Press et al. 2022, https://arxiv.org/abs/2108.12409): distances instead of positions.

    score = q·k / sqrt(d) - m |t - s|

Tokens have no position of their own; each head subtracts a penalty that grows with the distance, at a fixed rate m. A later
position is then nothing new to a model trained on short sentences; a greater distance is, though the rule for it is the same.
"""

from __future__ import annotations

import math

import torch
import torch.nn as nn

from .baseline import attend, heads
from .positions import SHORT
from .variant import Variant


def slopes(n_heads: int) -> torch.Tensor:
    """(n_heads,): 2^(-8/n), 2^(-16/n), …, 2^-8 (section 3 of the paper)."""
    return 2.0 ** (-8 / n_heads * torch.arange(1, n_heads + 1))


def alibi_attention(Q, K, V, n_heads=1, causal=True):
    """(B, T, C) x 3 -> (B, T, C)."""
    Q, K, V = heads(n_heads, Q, K, V)
    at = torch.arange(Q.shape[-2], device=Q.device)
    distance = (at[:, None] - at).abs() * slopes(n_heads).to(Q.device)[:, None, None]  # (h, T, T)
    return attend(Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1]) - distance, V, causal)


class NoPositions(nn.Module):
    """Zeros. (T,) -> (T, C), for any t."""

    def __init__(self, block_size: int, n_embd: int):
        super().__init__()
        self.n_embd = n_embd

    def forward(self, positions: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(positions), self.n_embd, device=positions.device)


CHANGES = {"attn_fn": alibi_attention, "position_fn": NoPositions}
VARIANTS = [
    Variant("positions: ALiBi", "a penalty for distance instead of positions", CHANGES),
    Variant("positions: ALiBi, short", f"the same, trained on the first {SHORT} tokens only", CHANGES, train_length=SHORT),
]

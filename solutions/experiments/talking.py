"""Talking-heads attention (Shazeer et al. 2020, https://arxiv.org/abs/2003.02436): heads that are not independent.

Two small matrices (n_heads, n_heads) are learned: one mixes the heads' scores before the softmax, one their weights after it.
Both start as the identity, that is, as the baseline.
"""

from __future__ import annotations

import math

import torch
import torch.nn as nn

from .baseline import future, heads, merged
from .variant import Variant

N_HEADS = 3  # gpt-nano's


class TalkingHeads(nn.Module):
    def __init__(self, n_heads: int = N_HEADS):
        super().__init__()
        self.before, self.after = nn.Parameter(torch.eye(n_heads)), nn.Parameter(torch.eye(n_heads))

    def forward(self, Q, K, V, n_heads=1, causal=True):
        """(B, T, C) x 3 -> (B, T, C)."""
        Q, K, V = heads(n_heads, Q, K, V)
        A = mix(self.before, Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1]))
        if causal:  # after mixing: a sum of -inf and +inf would be NaN
            A = A.masked_fill(future(A.shape[-1], A.device), -math.inf)
        return merged(mix(self.after, A.softmax(-1)) @ V)


def mix(matrix: torch.Tensor, A: torch.Tensor) -> torch.Tensor:
    """Each new head is a weighted sum of the heads. matrix (h, h), A (B, h, T, T) -> (B, h, T, T)."""
    return torch.einsum("gh,bhts->bgts", matrix, A)


VARIANTS = [Variant("talking heads", "heads mix their scores and their weights", {"attn_fn": TalkingHeads()})]

"""Attention Free Transformer (Zhai et al. 2021, https://arxiv.org/abs/2105.14103): no dot products of queries and keys.

    y_t = sigmoid(q_t) * sum_s exp(k_s + w_ts) v_s / sum_s exp(k_s + w_ts)        (s <= t, each feature separately)

AFT-full learns w, a bias for each pair of positions. AFT-simple has w = 0, so running sums are enough and its cost is
linear in T. There are no heads; n_heads is ignored.
"""

from __future__ import annotations

import torch
import torch.nn as nn

from .variant import Variant

POSITIONS = 128  # AFT-full learns biases for this many positions: somewhat more than MAX_LEN


def steady(K: torch.Tensor) -> torch.Tensor:
    """exp(K), with the exponent clamped so that no sum overflows: subtracting a maximum would look into the future."""
    return K.clamp(-30, 30).exp()


def running_mean(K: torch.Tensor, V: torch.Tensor, causal: bool) -> torch.Tensor:
    """The mean of V so far, weighted by exp(K), each feature separately. (B, T, C) x 2 -> (B, T, C)."""
    k = steady(K)
    if causal:
        return (k * V).cumsum(1) / k.cumsum(1)
    return ((k * V).sum(1, keepdim=True) / k.sum(1, keepdim=True)).expand_as(V)


def aft_simple(Q, K, V, n_heads=1, causal=True):
    """AFT with w = 0. (B, T, C) x 3 -> (B, T, C)."""
    return Q.sigmoid() * running_mean(K, V, causal)


class AFTFull(nn.Module):
    """AFT with a learned bias w for each pair of positions, shared by all features. Raises ValueError beyond ``positions``."""

    def __init__(self, positions: int = POSITIONS):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(positions, positions))

    def forward(self, Q, K, V, n_heads=1, causal=True):
        n_tok = Q.shape[1]
        if n_tok > len(self.w):
            raise ValueError(f"a sequence of {n_tok} tokens: this AFT-full learns biases for {len(self.w)} positions")
        weights = self.w[:n_tok, :n_tok].exp()
        weights = weights.tril() if causal else weights  # (T, T): exp(w), 0 in the future
        k = steady(K)
        return Q.sigmoid() * (weights @ (k * V)) / (weights @ k)


VARIANTS = [
    Variant("AFT-simple", "a running weighted mean, without products of queries and keys", {"attn_fn": aft_simple}),
    Variant("AFT-full", "the same with a learned bias for each pair of positions", {"attn_fn": AFTFull()}),
]

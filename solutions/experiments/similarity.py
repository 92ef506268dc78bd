"""Does it have to be the dot product? Two other measures of how similar a query and a key are."""

from __future__ import annotations

import math

import torch.nn.functional as F

from .baseline import attend, heads
from .variant import Variant

SHARPNESS = 8.0  # cosines lie in [-1, 1]: without scaling, their softmax is almost uniform


def distance_attention(Q, K, V, n_heads=1, causal=True):
    """Score = -|q - k|² / (2 sqrt(d)): the nearest keys win. Computed as 2qk - |q|² - |k|², without a (T, T, d) tensor."""
    Q, K, V = heads(n_heads, Q, K, V)
    squares = Q.square().sum(-1, keepdim=True) + K.square().sum(-1).unsqueeze(-2)  # (B, h, T, T)
    return attend((2 * Q @ K.transpose(-2, -1) - squares) / (2 * math.sqrt(Q.shape[-1])), V, causal)


def cosine_attention(Q, K, V, n_heads=1, causal=True):
    """Score = SHARPNESS cos(q, k): only directions count, not lengths."""
    Q, K, V = heads(n_heads, Q, K, V)
    A = SHARPNESS * F.normalize(Q, dim=-1, eps=1e-6) @ F.normalize(K, dim=-1, eps=1e-6).transpose(-2, -1)
    return attend(A, V, causal)


VARIANTS = [
    Variant("similarity: distance", "-|q - k|² instead of q·k", {"attn_fn": distance_attention}),
    Variant("similarity: cosine", "the angle between q and k instead of q·k", {"attn_fn": cosine_attention}),
]

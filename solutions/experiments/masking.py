"""Why mask with -inf before the softmax, and not with 0 after it? Because by then the softmax has seen the future.

The denominator of each weight also sums over later tokens, so the remaining weights reveal how much attention the future would
have received: the model can infer the next word from them, and its perplexity looks far too good.
"""

from __future__ import annotations

import math

from .baseline import future, heads, merged
from .variant import Variant


def zero_after_softmax(Q, K, V, n_heads=1, causal=True):
    """The naive mask. (B, T, C) x 3 -> (B, T, C)."""
    Q, K, V = heads(n_heads, Q, K, V)
    weights = (Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])).softmax(-1)
    if causal:
        weights = weights.masked_fill(future(weights.shape[-1], weights.device), 0.0)
    return merged(weights @ V)


VARIANTS = [
    Variant(
        "masking: zero after softmax",
        "0 after the softmax instead of -inf before it",
        {"attn_fn": zero_after_softmax},
        leaks=True,
    )
]

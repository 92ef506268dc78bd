"""What is attention as a whole worth? A model without any: every token sees itself and its position, and nothing before it."""

from __future__ import annotations

from .variant import Variant


def itself(Q, K, V, n_heads=1, causal=True):
    """Each token's own value, as if it attended to nothing else. (B, T, C) x 3 -> (B, T, C)."""
    return V


VARIANTS = [Variant("no attention", "each token keeps its own value and sees no other", {"attn_fn": itself})]

"""What is the gate of an Attention Free Transformer worth? AFT differs from attention in three ways; this takes one away.

Its weights over the past do not depend on the query, each feature has weights of its own, and the result is multiplied by a
gate, sigmoid(q). Here: attention with that gate, and AFT without it. With the baseline and AFT-simple this makes all four
combinations of the gate with the other two differences together.
"""

from __future__ import annotations

from mingpt.model import fused_attention

from .aft import running_mean
from .variant import Variant


def gated_attention(Q, K, V, n_heads=1, causal=True):
    """sigmoid(Q) times attention. (B, T, C) x 3 -> (B, T, C)."""
    return Q.sigmoid() * fused_attention(Q, K, V, n_heads, causal)


def ungated_aft(Q, K, V, n_heads=1, causal=True):
    """AFT-simple without its gate: queries play no part. (B, T, C) x 3 -> (B, T, C)."""
    return running_mean(K, V, causal)


VARIANTS = [
    Variant("gate: attention with one", "attention times sigmoid(q)", {"attn_fn": gated_attention}),
    Variant("gate: AFT-simple without", "the running mean alone, no queries", {"attn_fn": ungated_aft}),
]

"""Correct prerequisites, which only the judge runs: arrays in, arrays out. Never shipped to students.

``answers[name](*args, **kwargs)`` replaces a student's broken helper while the functions built on it are judged.
"""

from __future__ import annotations

import numpy as np


def pairwise_similarities(Q, K):
    return Q @ np.swapaxes(K, -1, -2)


def attn_scaled(A, n_embd, n_heads):
    if A.dtype == np.float16:  # as in torch: computed in float32, rounded once
        return attn_scaled(A.astype(np.float32), n_embd, n_heads).astype(np.float16)
    return A / np.sqrt(float(n_embd) / float(n_heads), dtype=A.dtype)  # numbers: an array would be broadcast


def attn_softmax(A):
    powers = np.exp(A - A.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def compute_outputs(A, V):
    return A @ V


def make_causal_mask(n_tok):
    return np.tril(np.ones((n_tok, n_tok), dtype=np.float32))


def apply_causal_mask(mask, A):
    """``mask``: nonzero where valid (any dtype), or additive."""
    additive = mask.dtype.kind == "f" and mask.size and mask.min() < 0
    return np.where(mask >= 0 if additive else mask != 0, A, np.array(-np.inf, dtype=A.dtype))


def split_heads(x, n_heads):
    return x.reshape(*x.shape[:2], n_heads, x.shape[2] // n_heads).transpose(0, 2, 1, 3)


def merge_heads(y):
    return y.transpose(0, 2, 1, 3).reshape(y.shape[0], y.shape[2], -1)


answers = {
    function.__name__: function
    for function in (
        pairwise_similarities,
        attn_scaled,
        attn_softmax,
        compute_outputs,
        make_causal_mask,
        apply_causal_mask,
        split_heads,
        merge_heads,
    )
}

"""Are query, key and value three different things? One projection serves two of them, or all three."""

from __future__ import annotations

import torch.nn as nn

from .variant import Variant


def sharing(pattern: str):
    """An attn_init_fn: equal letters in the pattern (for Q, K, V in turn) share one projection."""

    def init(n_embd: int) -> tuple[nn.Module, ...]:
        made = {letter: nn.Linear(n_embd, n_embd) for letter in dict.fromkeys(pattern)}
        return tuple(made[letter] for letter in pattern)

    return init


VARIANTS = [
    Variant("sharing: Q=K", "similarity becomes symmetric", {"attn_init_fn": sharing("aab")}),
    Variant("sharing: K=V", "what is found is what is passed on", {"attn_init_fn": sharing("abb")}),
    Variant("sharing: Q=V", "what is sought is what is passed on", {"attn_init_fn": sharing("aba")}),
    Variant("sharing: Q=K=V", "one projection for all three", {"attn_init_fn": sharing("aaa")}),
]

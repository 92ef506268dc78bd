"""Do query, key and value need separate projections? Here two or all three of them share one."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn as nn

from .variant import Variant


def sharing(pattern: str) -> Callable[[int], tuple[nn.Module, ...]]:
    """An attn_init_fn. The pattern has a letter each for Q, K and V; equal letters share one projection."""

    def init(n_embd: int) -> tuple[nn.Module, ...]:
        made = {letter: nn.Linear(n_embd, n_embd) for letter in dict.fromkeys(pattern)}
        return tuple(made[letter] for letter in pattern)

    return init


VARIANTS = [
    Variant("sharing: Q=K", "similarity becomes symmetric", {"attn_init_fn": sharing("aab")}),
    Variant("sharing: K=V", "what a token is found by is what it passes on", {"attn_init_fn": sharing("abb")}),
    Variant("sharing: Q=V", "what a token looks for is what it passes on", {"attn_init_fn": sharing("aba")}),
    Variant("sharing: Q=K=V", "one projection for all three", {"attn_init_fn": sharing("aaa")}),
]

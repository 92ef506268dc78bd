"""Fast attention by positive orthogonal random features, FAVOR+ (Choromanski et al. 2021, https://arxiv.org/abs/2009.14794).

exp(q·k) = E[phi(q)·phi(k)] with phi(x) = exp(w·x - |x|²/2), where w is a normal vector. With m such vectors the sum over
tokens comes first: phi(Q) (phi(K)ᵀ V), as a running sum if it is causal. The cost is linear in T.
"""

from __future__ import annotations

import torch
import torch.nn as nn

from .baseline import heads, merged
from .variant import Variant

FEATURES = 32
EPS = 1e-6


def orthogonal_normal(m: int, d: int, seed: int = 0) -> torch.Tensor:
    """(m, d): rows orthogonal within each block of d, as long as normal vectors are (section 2.4 of the paper)."""
    draw = torch.Generator().manual_seed(seed)
    blocks = [uniform_rotation(torch.randn(d, d, generator=draw)) for _ in range(-(-m // d))]
    return torch.cat(blocks)[:m] * torch.randn(m, d, generator=draw).norm(dim=1, keepdim=True)


def uniform_rotation(normal: torch.Tensor) -> torch.Tensor:
    """(d, d) normal numbers -> an orthogonal matrix from the uniform distribution.

    QR alone is biased: the signs of R's diagonal have to go into Q (Mezzadri 2007, https://arxiv.org/abs/math-ph/0609050).
    """
    Q, R = torch.linalg.qr(normal)
    return (Q * R.diagonal().sign()).T


class Favor(nn.Module):
    """Attention in linear time. The random vectors are drawn once per model."""

    def __init__(self, features: int = FEATURES, seed: int = 0):
        super().__init__()
        self.features, self.seed = features, seed
        self.register_buffer("w", torch.empty(0), persistent=False)

    def phi(self, x: torch.Tensor) -> torch.Tensor:
        """(…, T, d) -> (…, T, m), positive. q and k are each scaled by d^(-1/4), so that q·k is scaled by 1/sqrt(d)."""
        d = x.shape[-1]
        if self.w.shape[-1] != d:
            self.w = orthogonal_normal(self.features, d, self.seed).to(x)
        x = x * d**-0.25
        return (x @ self.w.T - x.square().sum(-1, keepdim=True) / 2).clamp(-30, 30).exp() / self.features**0.5 + EPS

    def forward(self, Q, K, V, n_heads=1, causal=True):
        """(B, T, C) x 3 -> (B, T, C)."""
        Q, K, V = heads(n_heads, Q, K, V)
        q, k = self.phi(Q), self.phi(K)
        V = torch.cat([V, torch.ones_like(V[..., :1])], dim=-1)  # the last column sums the weights: the denominator
        if causal:
            sums = torch.einsum("bhtm,bhtd->bhtmd", k, V).cumsum(2)  # (B, h, T, m, d + 1): over all tokens so far
            y = torch.einsum("bhtm,bhtmd->bhtd", q, sums)
        else:
            y = q @ (k.transpose(-2, -1) @ V)
        return merged(y[..., :-1] / y[..., -1:])


VARIANTS = [Variant("FAVOR+", f"{FEATURES} random features instead of the softmax", {"attn_fn": Favor()})]

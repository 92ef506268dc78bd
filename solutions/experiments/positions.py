"""Do positions have to be learned? Sinusoids are defined for every position, even beyond the longest training sentence."""

from __future__ import annotations

import math

import torch
import torch.nn as nn

from .variant import Variant

SHORT = 24  # tokens; two in five sentences are longer
SCALE = 0.02 * math.sqrt(2)  # the size of learned positions at initialisation (normal, 0.02): a sinusoid's mean square is 1/2


class Sinusoids(nn.Module):
    """PE(t, 2i) = sin(t / 10000^(2i/C)), PE(t, 2i+1) = cos(…) (Attention is all you need, section 3.5), scaled.

    Only one factor is learned, with which the model can amplify positions. (T,) -> (T, C), for any t.
    """

    def __init__(self, block_size: int, n_embd: int):
        super().__init__()
        rates = torch.exp(-math.log(10000) * torch.arange(0, n_embd, 2) / n_embd)  # (C / 2,)
        self.register_buffer("rates", rates, persistent=False)
        self.volume = nn.Parameter(torch.tensor(SCALE))

    def forward(self, positions: torch.Tensor) -> torch.Tensor:
        angles = positions[:, None] * self.rates  # (T, C / 2)
        return self.volume * torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


VARIANTS = [
    Variant("positions: sinusoidal", "sine waves instead of learned positions", {"position_fn": Sinusoids}),
    Variant("positions: learned, short", f"trained on the first {SHORT} tokens only", train_length=SHORT),
    Variant(
        "positions: sinusoidal, short",
        f"sine waves, trained on the first {SHORT} tokens only",
        {"position_fn": Sinusoids},
        train_length=SHORT,
    ),
]

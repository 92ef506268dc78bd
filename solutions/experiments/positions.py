"""Do positions have to be learned? Sinusoids are defined at every position, also beyond the longest one in training."""

from __future__ import annotations

import math

import torch
import torch.nn as nn

from .variant import Variant

SHORT = 24  # tokens; two sentences in five are longer
SCALE = 0.02 * math.sqrt(2)  # as large as learned positions are at the start (normal, 0.02): a sinusoid's mean square is 1/2


class Sinusoids(nn.Module):
    """PE(t, 2i) = sin(t / 10000^(2i/C)), PE(t, 2i+1) = cos(…) (Attention is all you need, section 3.5), scaled.

    Nothing is learned but one factor, so that the model can make positions louder. (T,) -> (T, C), for any t.
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
    Variant("positions: sinusoidal", "sine waves in place of learned positions", {"position_fn": Sinusoids}),
    Variant("positions: learned, short", f"trained on the first {SHORT} tokens only", train_length=SHORT),
    Variant(
        "positions: sinusoidal, short",
        f"the same with sine waves, trained on the first {SHORT} tokens only",
        {"position_fn": Sinusoids},
        train_length=SHORT,
    ),
]

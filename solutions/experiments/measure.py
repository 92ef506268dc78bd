"""Measurements that only the experiments need."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from mingpt.data import START, Sentences, Vocabulary
from mingpt.evaluate import token_losses
from mingpt.model import GPT

from .positions import SHORT

EDGES = (0, SHORT, 2 * SHORT, 10**9)


def by_position(model: GPT, dataset: Sentences, batch_size: int = 64) -> dict[str, float]:
    """Perplexity at positions 1–24, 25–48 and later, to see how a model does beyond the length it was trained on."""
    sums, counts = torch.zeros(len(EDGES) - 1), torch.zeros(len(EDGES) - 1)
    for _, at, losses in token_losses(model, dataset, batch_size):
        place = torch.bucketize(at[:, 1].contiguous(), torch.tensor(EDGES[1:-1]), right=True)
        sums.index_add_(0, place, losses)
        counts.index_add_(0, place, torch.ones_like(losses))
    names = [f"{a + 1}–{b}" if b < 10**6 else f"{a + 1}–" for a, b in pairwise(EDGES)]
    return {name: math.exp(float(s / n)) if n else math.nan for name, s, n in zip(names, sums, counts)}


def sample(model: GPT, vocabulary: Vocabulary, prompt: str, seed: int, length: int = 30) -> str:
    """The prompt and a continuation sampled from the model."""
    torch.manual_seed(seed)
    ids = [START, *vocabulary.tokenize(prompt)[1:-1]]
    idx = torch.tensor([ids], device=next(model.parameters()).device)
    return vocabulary.decode(model.generate(idx, length, do_sample=True, top_k=40)[0].tolist())

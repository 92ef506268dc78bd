"""Measures that only the experiments need."""

from __future__ import annotations

import math

import torch

from mingpt.data import START, Sentences, Vocabulary
from mingpt.model import GPT
from mingpt.trainer import Trimmed

from .positions import SHORT

EDGES = (0, SHORT, 2 * SHORT, 10**9)


@torch.no_grad()
def by_position(model: GPT, dataset: Sentences, batch_size: int = 64) -> dict[str, float]:
    """Perplexity of the tokens at positions 1–24, 25–48 and after, for how a model does beyond a trained length."""
    training, device = model.training, next(model.parameters()).device
    model.eval()
    sums, counts = torch.zeros(len(EDGES) - 1), torch.zeros(len(EDGES) - 1)
    trim = Trimmed(model.pad_token)
    lengths = torch.tensor([int((dataset[i][1] != model.pad_token).sum()) for i in range(len(dataset))])
    for rows in lengths.argsort(stable=True).split(batch_size):
        x, y = trim([dataset[i] for i in rows.tolist()])
        losses = model.loss(x.to(device), y.to(device), reduction="none").cpu()  # (tokens,)
        place = torch.bucketize((y != model.pad_token).nonzero()[:, 1], torch.tensor(EDGES[1:-1]), right=True)
        sums.index_add_(0, place, losses)
        counts.index_add_(0, place, torch.ones_like(losses))
    model.train(training)
    names = [f"{a + 1}–{b}" if b < 10**6 else f"{a + 1}–" for a, b in zip(EDGES, EDGES[1:])]
    return {name: math.exp(float(s / n)) if n else math.nan for name, s, n in zip(names, sums, counts)}


def sample(model: GPT, vocabulary: Vocabulary, prompt: str, seed: int, length: int = 30) -> str:
    """A continuation of the prompt, drawn from the model."""
    torch.manual_seed(seed)
    ids = [START, *vocabulary.tokenize(prompt)[1:-1]]
    idx = torch.tensor([ids], device=next(model.parameters()).device)
    return vocabulary.decode(model.generate(idx, length, do_sample=True, top_k=40)[0].tolist())

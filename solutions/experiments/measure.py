"""Measurements that only the experiments need."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

import torch
import torch.nn.functional as F
from mingpt.data import START, UNK, Sentences, Vocabulary
from mingpt.evaluate import perplexities, token_counts, token_losses
from mingpt.model import GPT

from .positions import SHORT

EDGES = (0, SHORT, 2 * SHORT, 10**9)
PREFIXED = 120  # sentences that are also predicted prefix by prefix
LENGTH = 30  # tokens that a sample may have beyond its prompt


def on_dev(model: GPT, dataset: Sentences, batch_size: int = 64) -> tuple[dict[str, float], dict[str, float]]:
    """Perplexities of whole sentences, and by position: 1–24, 25–48 and later (to see beyond the length trained on)."""
    counts = token_counts(model, dataset)
    sums = torch.zeros(len(dataset))
    placed, places = torch.zeros(len(EDGES) - 1), torch.zeros(len(EDGES) - 1)
    for rows, at, losses in token_losses(model, dataset, batch_size, counts):
        sums[rows] = torch.zeros(len(rows)).index_add(0, at[:, 0], losses)
        place = torch.bucketize(at[:, 1].contiguous(), torch.tensor(EDGES[1:-1]), right=True)
        placed.index_add_(0, place, losses)
        places.index_add_(0, place, torch.ones_like(losses))
    names = [f"{a + 1}–{b}" if b < 10**6 else f"{a + 1}–" for a, b in pairwise(EDGES)]
    return perplexities(sums, counts), {
        name: math.exp(float(s / n)) if n else math.nan for name, s, n in zip(names, placed, places)
    }


@torch.no_grad()
def sentence_and_prefixes(model: GPT, dataset: Sentences, count: int = PREFIXED) -> dict[str, float]:
    """Perplexity of some sentences with the ``whole`` sentence in view, and ``by_prefix``: each token from what precedes it.

    For a model that does not look ahead both are the same. Only the second is what it can do when it writes.
    """
    training, device = model.training, next(model.parameters()).device
    model.eval()
    rows = [dataset[i] for i in range(0, len(dataset), max(1, len(dataset) // count))][:count]
    cut = [(x[:n], y[:n]) for x, y in rows if (n := int((y != model.pad_token).sum()))]
    seen_whole = [model(x[None].to(device), y[None].to(device))[1] * len(x) for x, y in cut]
    seen_before = []
    for n in range(1, 1 + max(len(x) for x, _ in cut)):
        x, y = (torch.stack(part).to(device) for part in zip(*((x[:n], y[n - 1]) for x, y in cut if len(x) >= n)))
        seen_before.append(F.cross_entropy(model.lm_head(model.features(x)[:, -1]), y, reduction="sum"))
    model.train(training)
    tokens = sum(len(x) for x, _ in cut)
    return {name: mean_perplexity(s, tokens) for name, s in (("whole", seen_whole), ("by_prefix", seen_before))}


def mean_perplexity(sums: Iterable[torch.Tensor], tokens: int) -> float:
    """The exponential of the mean loss; the losses (nats) are given as sums."""
    return math.exp(float(sum(sums)) / tokens)


def unknown(dataset: Sentences) -> float:
    """The share of <UNK> among the targets."""
    return int((dataset.ids[:, 1:] == UNK).sum()) / dataset.tokens()


def sample(model: GPT, vocabulary: Vocabulary, prompt: str, seed: int, length: int = LENGTH) -> str:
    """The prompt and a continuation sampled from the model."""
    torch.manual_seed(seed)
    ids = [START, *vocabulary.tokenize(prompt)[1:-1]]
    idx = torch.tensor([ids], device=next(model.parameters()).device)
    return vocabulary.decode(model.generate(idx, length, do_sample=True, top_k=40)[0].tolist())

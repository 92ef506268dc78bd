"""Measures how good a model is, and whether it cheats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from .data import Sentences
from .trainer import Trimmed


@torch.no_grad()
def token_losses(
    model: Any, dataset: Any, batch_size: int = 64, counts: torch.Tensor | None = None
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Yield every token's loss, batch by batch: sentence indices (B,), tokens' (row, position) (N, 2), losses (N,).

    Losses are in nats. Sentences of similar length share a batch. ``counts``: ``token_counts``, if it is known already.
    """
    training, device = model.training, next(model.parameters()).device
    model.eval()
    trim = Trimmed(model.pad_token)
    counts = token_counts(model, dataset) if counts is None else counts
    for rows in counts.argsort(stable=True).split(batch_size):
        x, y = trim([dataset[i] for i in rows.tolist()])
        losses = model.loss(x.to(device), y.to(device), reduction="none").cpu()
        yield rows, (y != model.pad_token).nonzero(), losses
    model.train(training)


def token_counts(model: Any, dataset: Any) -> torch.Tensor:
    """(N,) int: the number of targets in each sentence."""
    if type(dataset) is Sentences:
        return (dataset.ids[:, 1:] != model.pad_token).sum(1)
    return torch.tensor([int((dataset[i][1] != model.pad_token).sum()) for i in range(len(dataset))])


def evaluate_losses(model: Any, dataset: Any, batch_size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    """The summed loss (nats) and the number of targets of each sentence, in order: (N,) float, (N,) int."""
    sums, counts = torch.zeros(len(dataset)), token_counts(model, dataset)
    for rows, at, losses in token_losses(model, dataset, batch_size, counts):
        sums[rows] = torch.zeros(len(rows)).index_add(0, at[:, 0], losses)
    return sums, counts


def perplexities(sums: torch.Tensor, lengths: torch.Tensor) -> dict[str, float]:
    """``loss``: nats per token. ``per_token``: exp(loss). ``per_sentence``: the mean of exp(loss) over sentences."""
    loss = sums.sum() / lengths.sum()
    return {"loss": float(loss), "per_token": float(loss.exp()), "per_sentence": float((sums / lengths).exp().mean())}


@torch.no_grad()
def causality_leak(model: Any, n_tok: int = 12, seed: int = 0) -> float:
    """The largest absolute change of a logit caused by later tokens; 0 for a causal model.

    Every token from the middle on is replaced; logits before the middle must not change.
    """
    training, device = model.training, next(model.parameters()).device
    model.eval()
    draw = torch.Generator().manual_seed(seed)
    one = torch.randint(4, model.config.vocab_size, (8, n_tok), generator=draw)
    other, half = one.clone(), n_tok // 2
    other[:, half:] = torch.randint(4, model.config.vocab_size, (8, n_tok - half), generator=draw)
    change = (model(one.to(device))[0] - model(other.to(device))[0])[:, :half]
    model.train(training)
    return float(change.abs().max())

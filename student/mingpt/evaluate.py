"""How good a model is, and whether it cheats."""

from __future__ import annotations

from typing import Any

import torch

from .trainer import Trimmed


@torch.no_grad()
def evaluate_losses(model: Any, dataset: Any, batch_size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    """For each sentence of the dataset the sum of its losses (nats) and its number of tokens: (N,) float, (N,) int.

    Sentences of like length are taken together; the answer is in the dataset's order.
    """
    training, device = model.training, next(model.parameters()).device
    model.eval()
    lengths = torch.tensor([int((dataset[i][1] != model.pad_token).sum()) for i in range(len(dataset))])
    sums, trim = torch.zeros(len(dataset)), Trimmed(model.pad_token)
    for rows in lengths.argsort(stable=True).split(batch_size):
        x, y = trim([dataset[i] for i in rows.tolist()])
        losses = model.loss(x.to(device), y.to(device), reduction="none").cpu()  # (tokens,)
        owner = (y != model.pad_token).nonzero()[:, 0]  # the row of each token
        sums[rows] = torch.zeros(len(rows)).index_add(0, owner, losses)
    model.train(training)
    return sums, lengths


def perplexities(sums: torch.Tensor, lengths: torch.Tensor) -> dict[str, float]:
    """loss: nats a token. per_token: exp(loss). per_sentence: the mean over sentences of exp(that sentence's loss)."""
    loss = sums.sum() / lengths.sum()
    return {"loss": float(loss), "per_token": float(loss.exp()), "per_sentence": float((sums / lengths).exp().mean())}


@torch.no_grad()
def causality_leak(model: Any, n_tok: int = 12, seed: int = 0) -> float:
    """How much a later token changes the logits of an earlier one: the largest absolute change, 0 in an honest model.

    Every token from the middle on is exchanged; logits before the middle may not move.
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

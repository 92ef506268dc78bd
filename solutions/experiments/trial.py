"""One run: build a variant, train it, measure it. Runs with the same seed are pairs.

They share the batches and their order (batches are made by length: variants trained on short sentences share theirs with one
another), what dropout drops, and the initial value of every weight that the variant has in common
with the baseline. Each of the three starts from a seed of its own: if they shared one stream, a variant that draws more numbers
for its weights would also get other batches, and the difference between two runs would be partly that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from mingpt import on_a_gpu
from mingpt.data import MAX_LEN, PAD, Sentences, Text, Vocabulary
from mingpt.evaluate import causality_leak, evaluate_losses, perplexities
from mingpt.model import GPT
from mingpt.trainer import Trainer
from mingpt.utils import set_seed

from .baseline import VARIANTS as BASELINES
from .measure import on_dev, sample, sentence_and_prefixes
from .variant import Variant

PROMPTS = ("And the", "Blessed are")
POINTS = 40  # of the training curve: each the mean of a fortieth of the batches
DROPOUT = 10**6  # dropout's seed is the run's plus this, or plus a multiple of it


@dataclass(frozen=True)
class Budget:
    """What every run gets. Results of different budgets are kept in separate folders."""

    name: str
    epochs: float
    seeds: tuple[int, ...]
    learning_rate: float = 3e-3
    batch_size: int = 32
    block_size: int = 1024

    def each(self) -> dict[str, Any]:
        """What one run gets: all but the seeds."""
        return {k: v for k, v in asdict(self).items() if k != "seeds"}


def build(variant: Variant, vocabulary: Vocabulary, budget: Budget, seed: int) -> GPT:
    """A gpt-nano with what the variant changes; weights that the baseline has too start from the baseline's values."""

    def made(changes: dict[str, Any]) -> GPT:
        config = GPT.get_default_config()
        config.vocab_size, config.block_size, config.pad_token = len(vocabulary), budget.block_size, PAD
        config.merge_from_dict(changes)
        set_seed(seed)
        return GPT(config)

    model = made(variant.changes)
    start, own = made(BASELINES[0].changes).state_dict(), dict(model.named_parameters())
    with torch.no_grad():
        for name, p in own.items():
            if name in start and start[name].shape == p.shape:
                p.copy_(start[name])
    return model


def trainer(model: GPT, train: Sentences, budget: Budget, seed: int, **settings) -> Trainer:
    config = Trainer.get_default_config()
    config.merge_from_dict(
        {
            "epochs": budget.epochs,
            "learning_rate": budget.learning_rate,
            "batch_size": budget.batch_size,
            "schedule": "cosine",
            "data_seed": seed,
            "precision": "float32",  # on a GPU too: variants are compared, not devices
            "pool": 4,  # as in the runs that the report tells of
            "progress": False,
            **settings,
        }
    )
    return Trainer(config, model, train)


def train_and_measure(
    variant: Variant, seed: int, text: Text, vocabulary: Vocabulary, budget: Budget, on_batch: Callable[[], None]
) -> dict[str, Any]:
    """Train one variant with one seed; returns its measurements as a dict for JSON. Raises KeyboardInterrupt if interrupted."""
    model = build(variant, vocabulary, budget, seed)
    work, losses = trainer(model, Sentences(text.train, vocabulary, variant.train_length or MAX_LEN), budget, seed), []

    def follow(t):
        losses.append(t.loss.item())
        on_batch()

    work.set_callback("on_batch_end", follow)
    torch.manual_seed(seed + DROPOUT * (1 + variant.luck))
    started, cpu_started = time.perf_counter(), time.process_time()
    work.run()
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    if work.iter_num < work.total:
        raise KeyboardInterrupt
    return {
        "variant": variant.name,
        "seed": seed,
        "budget": budget.each(),
        "source": text.source,
        "parameters": model.count_parameters(),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if on_a_gpu.pinned(work.device) else work.device,
        "curve": thinned(losses),
        **measured(model.to("cpu"), text, vocabulary, seed),  # there a causal model's leak is exactly 0
    }


def measured(model: GPT, text: Text, vocabulary: Vocabulary, seed: int) -> dict[str, Any]:
    """What a trained model can do, and whether it looks ahead."""
    dev = Sentences(text.dev, vocabulary)
    every = max(1, len(text.train) // len(text.dev))  # about as many sentences as in dev, from every book
    whole, by_position = on_dev(model, dev)
    return {
        "train": perplexities(*evaluate_losses(model, Sentences(text.train[::every], vocabulary))),
        "dev": whole,
        "by_position": by_position,
        "leak": causality_leak(model),
        "prefixes": sentence_and_prefixes(model, dev),
        "samples": [sample(model, vocabulary, prompt, seed) for prompt in PROMPTS],
    }


def thinned(losses: list[float]) -> list[list[float]]:
    """[batch, mean loss] for each of about POINTS stretches of training."""
    width = max(1, len(losses) // POINTS)
    stretches = [losses[i : i + width] for i in range(0, len(losses), width)]
    return [[i * width + len(part) / 2, round(sum(part) / len(part), 4)] for i, part in enumerate(stretches)]


def training_seconds(variant: Variant, text: Text, vocabulary: Vocabulary, budget: Budget, batches: int = 16) -> float:
    """How long the training of one run will take, from a few batches."""
    lines = text.train[:: max(1, len(text.train) // 1000)]
    model = build(variant, vocabulary, budget, seed=0)
    work = trainer(model, Sentences(lines, vocabulary, variant.train_length or MAX_LEN), budget, 0, max_iters=batches)
    durations = []
    work.set_callback("on_batch_end", lambda t: durations.append(t.iter_dt))
    work.run()
    # iter_dt is that of the batch before: nothing at first, and the first batch is slow.
    return budget.epochs * -(-len(text.train) // budget.batch_size) * sum(durations[2:]) / max(1, len(durations) - 2)


def measuring_seconds(text: Text, vocabulary: Vocabulary, budget: Budget) -> float:
    """How long it takes to measure a trained model, from the baseline, which has yet to be trained."""
    model = build(BASELINES[0], vocabulary, budget, seed=0)
    started = time.perf_counter()
    measured(model, text, vocabulary, seed=0)
    return time.perf_counter() - started

"""An epoch of gpt-nano: our trainer against the plain recipe; then a useful model against n-grams.

Plain: every batch padded to 100 tokens, logits at every position, attention by the explicit formula. Both start from the
same weights (same seed), take the same number of steps, and are timed in turn.
"""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import replace
from pathlib import Path

import torch
from mingpt import ngram
from mingpt.data import PAD, Sentences, Vocabulary, load_text
from mingpt.evaluate import evaluate_losses, perplexities
from mingpt.model import GPT
from mingpt.trainer import Trainer
from mingpt.utils import set_seed

from bench.report import Detail, Measured, Size

QUICK_SENTENCES = 600


def explicit_attention(Q, K, V, n_heads=1, causal=True):
    """softmax(Q Kᵀ / sqrt(d), masked) V, as §2.1 builds it. (B, T, C) x 3 -> (B, T, C)."""
    Q, K, V = (x.unflatten(-1, (n_heads, -1)).transpose(1, 2) for x in (Q, K, V))
    A = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])
    if causal:
        A = A.masked_fill(torch.ones(A.shape[-2:]).tril() == 0, float("-inf"))
    return (A.softmax(-1) @ V).transpose(1, 2).flatten(2)


def train(text, vocabulary, seed: int = 447, plain: bool = False, **settings) -> tuple[GPT, float]:
    """A trained gpt-nano and the seconds that ``run`` took."""
    set_seed(seed)
    config = GPT.get_default_config()
    config.vocab_size, config.block_size, config.pad_token = len(vocabulary), 1024, PAD
    config.attn_fn = explicit_attention if plain else None
    model = GPT(config)
    train_config = Trainer.get_default_config()
    train_config.merge_from_dict({"device": "cpu", "progress": False, "skip_padding": not plain, **settings})
    trainer = Trainer(train_config, model, Sentences(text.train, vocabulary))
    started = time.perf_counter()
    trainer.run()
    return model, time.perf_counter() - started


def measure(size: Size) -> Measured:
    text = load_text(Path(__file__).parent)
    if size.quick:
        text = replace(text, train=text.train[:QUICK_SENTENCES], dev=text.dev[:QUICK_SENTENCES])
    vocabulary = Vocabulary(text.train)
    dev = Sentences(text.dev, vocabulary)
    times, losses = {True: [], False: []}, {True: [], False: []}
    for pair in range(size.rounds):
        for plain in (True, False):
            model, seconds = train(text, vocabulary, seed=447 + pair, plain=plain, epochs=1)
            times[plain].append(seconds)
            losses[plain].append(perplexities(*evaluate_losses(model, dev))["loss"])
    values = {
        "training.epoch": statistics.median(a / b for a, b in zip(times[True], times[False])),
        "training.apart": 100 * max(abs(a / b - 1) for a, b in zip(losses[False], losses[True])),
    }
    rows = [
        [label, f"{statistics.median(times[plain]):.1f} s", f"{statistics.median(losses[plain]):.3f}"]
        for label, plain in (("the plain recipe", True), ("this trainer", False))
    ]
    note = f"{len(text.train):,} sentences of the King James text."
    if not size.quick:
        useful, told = trained_well(text, vocabulary, dev)
        values, note = values | useful, f"{note} {told}"
    header = ["an epoch of the mini transformer", "wall time", "validation loss after it"]
    return Measured(values, [Detail("Training", header, rows, note)])


def trained_well(text, vocabulary, dev) -> tuple[dict[str, float], str]:
    """Figures of a model that is trained for a few epochs, beside n-grams; and a sentence about them."""
    counted = ngram.baselines(text.train, text.dev, vocabulary)
    model, seconds = train(text, vocabulary, epochs=8, learning_rate=3e-3, schedule="cosine")
    useful = perplexities(*evaluate_losses(model, dev))["per_token"]
    values = {"training.bigram": useful / counted["Kneser-Ney bigram"], "training.useful": seconds}
    others = ", ".join(f"{name} {value:.1f}" for name, value in counted.items())
    return values, f"Perplexity for each token of the validation text after 8 epochs: {useful:.1f}; {others}."

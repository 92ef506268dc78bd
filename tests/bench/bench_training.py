"""An epoch of gpt-nano: our trainer against the plain recipe; then a useful model against n-grams.

    python tests/bench/bench_training.py [PAIRS]

Plain: every batch padded to 100 tokens, logits at every position, attention by the explicit formula. Both start from the
same weights (same seed), take the same number of steps, and are timed in turn.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "solutions"))

from mingpt import ngram
from mingpt.data import PAD, Sentences, Vocabulary, load_text
from mingpt.evaluate import evaluate_losses, perplexities
from mingpt.model import GPT
from mingpt.trainer import Trainer
from mingpt.utils import set_seed


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


def main(pairs: int) -> int:
    text = load_text(Path(__file__).parent)
    vocabulary = Vocabulary(text.train)
    dev = Sentences(text.dev, vocabulary)
    times, losses = {True: [], False: []}, {True: [], False: []}
    for pair in range(pairs):
        for plain in (True, False):
            model, seconds = train(text, vocabulary, seed=447 + pair, plain=plain, epochs=1)
            times[plain].append(seconds)
            losses[plain].append(perplexities(*evaluate_losses(model, dev))["loss"])
            print(
                f"  pair {pair + 1}, {'plain recipe' if plain else 'this trainer'}: {seconds:.1f} s, "
                f"validation loss {losses[plain][-1]:.3f}",
                flush=True,
            )
    ratio = statistics.median(a / b for a, b in zip(times[True], times[False]))
    apart = max(abs(a / b - 1) for a, b in zip(losses[False], losses[True]))
    counted = ngram.baselines(text.train, text.dev, vocabulary)
    model, seconds = train(text, vocabulary, epochs=8, learning_rate=3e-3, schedule="cosine")
    useful = perplexities(*evaluate_losses(model, dev))["per_token"]
    print(
        "dev perplexity per token: "
        + ", ".join(f"{k} {v:.1f}" for k, v in counted.items())
        + f", gpt-nano {useful:.1f} after {seconds:.0f} s"
    )
    bigram = counted["Kneser-Ney bigram"]
    reached = {
        f"one epoch ({len(text.train):,} sentences of the King James text) at least 4x faster "
        f"than the plain recipe: {ratio:.1f}x": ratio >= 4,
        f"validation losses within 1 %: {100 * apart:.2f} %": apart < 0.01,
        f"under the Kneser-Ney bigram in under 5 minutes: {useful:.1f} < {bigram:.1f}, {seconds:.0f} s": (
            useful < bigram and seconds < 300
        ),
    }
    for text, good in reached.items():
        print(("reached  " if good else "MISSED   ") + text)
    return 0 if all(reached.values()) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))

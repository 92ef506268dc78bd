"""Measures, without long training, what a batch of each variant and FAVOR+ cost, and whether new waves are combinations of old.

    python -m experiments.cost [--rounds N] [--output FILE]        (in solutions/)

The times are processor time of this machine. What compares is the ratio: in each round every variant, or every length and kind,
has its turn, so that a spell of other work on the machine does not fall on one of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import torch
from mingpt.data import MAX_LEN, Sentences, Text, Vocabulary, load_text
from mingpt.model import fused_attention

from .baseline import attend, heads
from .favor import FEATURES, Favor
from .positions import SHORT, Sinusoids
from .run import FULL, VARIANTS
from .trial import build, trainer
from .variant import Variant

LENGTHS = (32, 128, 256, 512, 1024, 2048)
BEYOND = (25, 32, 40, 48, 64, 99)
BATCHES = 4  # of each variant in a round, after one that warms up
PENALTY = 0.01  # squared, on the squares of the coefficients
N_EMBD, N_HEADS = 48, 3  # gpt-nano's


def plain_attention(Q, K, V, n_heads=1, causal=True):
    """Attention by the formula, with a matrix (T, T) in memory, as §2.1 builds it. (B, T, C) x 3 -> (B, T, C)."""
    Q, K, V = heads(n_heads, Q, K, V)
    return attend(Q @ K.transpose(-2, -1) / Q.shape[-1] ** 0.5, V, causal)


KINDS: dict[str, Callable] = {"fused": fused_attention, "plain": plain_attention, "favor": Favor()}


def milliseconds(function: Callable, n_tok: int) -> float:
    """Processor time of one forward and backward pass of one sequence of n_tok tokens."""
    Q, K, V = torch.randn(3, 1, n_tok, N_EMBD).requires_grad_()
    started = time.process_time()
    function(Q, K, V, n_heads=N_HEADS, causal=True).sum().backward()
    return 1000 * (time.process_time() - started)


def costs(rounds: int) -> dict[str, dict[str, float]]:
    """Length -> kind -> the fastest of some rounds, in ms: what is slower than that was slowed down by something else."""
    times: dict[tuple[int, str], list[float]] = {(n_tok, kind): [] for n_tok in LENGTHS for kind in KINDS}
    for _ in range(rounds + 1):
        for (n_tok, kind), found in times.items():
            found.append(milliseconds(KINDS[kind], n_tok))
    return {str(n_tok): {kind: min(times[n_tok, kind][1:]) for kind in KINDS} for n_tok in LENGTHS}


def batch_milliseconds(variant: Variant, text: Text, vocabulary: Vocabulary) -> float:
    """Processor time of a training batch: the mean of a few, the same sentences for every variant."""
    lines, marks = text.train[:: max(1, len(text.train) // 1000)], []
    model = build(variant, vocabulary, FULL, seed=0)
    sentences = Sentences(lines, vocabulary, variant.train_length or MAX_LEN)
    work = trainer(model, sentences, FULL, 0, max_iters=1 + BATCHES, device="cpu")
    work.set_callback("on_batch_end", lambda _: marks.append(time.process_time()))
    work.run()
    return 1000 * (marks[-1] - marks[0]) / BATCHES


def batch_costs(rounds: int) -> dict[str, float]:
    """Variant -> the fastest of some rounds, in ms."""
    text = load_text()
    vocabulary = Vocabulary(text.train)
    found = [{v.name: batch_milliseconds(v, text, vocabulary) for v in VARIANTS} for _ in range(rounds)]
    return {v.name: min(each[v.name] for each in found) for v in VARIANTS}


def residuals() -> dict[str, dict[str, float]]:
    """Position -> how well the waves of the first SHORT positions combine to its own: ``rest``, relative, and ``coefficient``.

    ``rest``: the length of what is left, as a fraction of the wave's; ``coefficient``: the largest of the combination. By ridge
    regression, in double precision: without a penalty the coefficients grow until they say only how numbers are rounded.
    """
    wave = Sinusoids(block_size=1, n_embd=N_EMBD).double()
    seen = (wave(torch.arange(SHORT)) / wave.volume).detach()  # (SHORT, C)
    products = seen @ seen.T + PENALTY**2 * torch.eye(SHORT, dtype=seen.dtype)
    found = {}
    for t in BEYOND:
        new = (wave(torch.tensor([t - 1])) / wave.volume).detach()[0]
        coefficients = torch.linalg.solve(products, seen @ new)
        rest = float((new - coefficients @ seen).norm() / new.norm())
        found[str(t)] = {"rest": rest, "coefficient": float(coefficients.abs().max())}
    return found


def times(rounds: int) -> dict[str, Any]:
    fixed = {"features": FEATURES, "threads": torch.get_num_threads(), "rounds": rounds, "batch": FULL.batch_size}
    return {**fixed, "batch_milliseconds": batch_costs(rounds), "milliseconds": costs(rounds)}


@click.command()
@click.option(
    "--rounds", default=40, show_default=True, help="of everything that is timed; 0: keep the times that are in the file"
)
@click.option("--output", type=click.Path(path_type=Path), default=Path("writeup/section2/cost.json"), show_default=True)
def main(rounds: int, output: Path) -> None:
    """Measure, print and write both."""
    torch.set_num_threads(1)
    found = times(rounds) if rounds else json.loads(output.read_text(encoding="utf-8"))
    found.update(penalty=PENALTY, residuals=residuals())
    for name, ms in found["batch_milliseconds"].items():
        print(f"{name}: {ms:.1f} ms a batch of {found['batch']}")
    for n_tok, each in found["milliseconds"].items():
        print(f"{n_tok:>5} tokens: " + ", ".join(f"{kind} {ms:.2f} ms" for kind, ms in each.items()))
    for t, each in found["residuals"].items():
        print(f"position {t:>3}: {100 * each['rest']:.1f} % is left, largest coefficient {each['coefficient']:.1f}")
    output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

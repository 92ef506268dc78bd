"""How long an epoch takes on a GPU: in float32, in bfloat16 and compiled.

    python -m experiments.epochs [--model gpt-nano]… [--rounds N] [--output FILE]        (in solutions/, with a GPU)

In each round every setting has its turn. The first batches, in which kernels are loaded and compiled, are told apart.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

import click
import torch
from mingpt.data import PAD, Sentences, Text, Vocabulary, load_text
from mingpt.evaluate import evaluate_losses, perplexities
from mingpt.model import GPT
from mingpt.trainer import Trainer
from mingpt.utils import CfgNode, set_seed

START = 30  # batches
SETTINGS: dict[str, dict[str, Any]] = {
    "float32": {"precision": "float32"},
    "bf16": {"precision": "bf16"},
    "bf16, compiled": {"precision": "bf16", "compile": True},
    "plain recipe, float32": {"precision": "float32", "skip_padding": False},
}


def epoch(model_type: str, settings: dict[str, Any], text: Text, vocabulary: Vocabulary) -> dict[str, float]:
    """Train one epoch with Trainer's defaults and these settings.

    ``start``: seconds of the first START batches. ``epoch``: seconds of an epoch at the pace of all others. ``dev_loss``: nats
    per token.
    """
    config = GPT.get_default_config()
    config.merge_from_dict({"model_type": model_type, "vocab_size": len(vocabulary), "block_size": 1024, "pad_token": PAD})
    set_seed(447)
    model = GPT(config)
    work = Trainer(CfgNode(epochs=1, progress=False, **settings), model, Sentences(text.train, vocabulary))
    marks = [time.perf_counter()]

    def follow(t: Trainer) -> None:
        if t.iter_num + 1 in (START, t.total):
            torch.cuda.synchronize()
            marks.append(time.perf_counter())

    work.set_callback("on_batch_end", follow)
    work.run()
    begun, warm, ended = marks
    pace = (ended - warm) / (work.total - START)
    loss = perplexities(*evaluate_losses(model, Sentences(text.dev, vocabulary)))["loss"]
    return {"start": warm - begun, "epoch": pace * work.total, "dev_loss": loss}


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    """Of each figure, with four significant digits."""
    return {key: float(f"{statistics.median(run[key] for run in runs):.4g}") for key in runs[0]}


@click.command()
@click.option("--model", "models", multiple=True, default=("gpt-nano", "gpt-mini", "gpt2"), show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=Path("writeup/section2/gpu.json"), show_default=True)
def main(models: tuple[str, ...], rounds: int, output: Path) -> None:
    """Measure, print and write it."""
    if not torch.cuda.is_available():
        raise click.ClickException("there is no GPU that torch can use here")
    text = load_text()
    vocabulary = Vocabulary(text.train)
    found: dict[str, Any] = {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "rounds": rounds, "models": {}}
    for model in models:
        runs = [{name: epoch(model, each, text, vocabulary) for name, each in SETTINGS.items()} for _ in range(rounds)]
        found["models"][model] = {name: medians([run[name] for run in runs]) for name in SETTINGS}
        for name, each in found["models"][model].items():
            print(
                f"{model}, {name}: {each['epoch']} s an epoch (its start {each['start']}), dev loss {each['dev_loss']}",
                flush=True,
            )
        output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

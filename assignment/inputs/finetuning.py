"""Section 3: the small worlds that its probes work on, and the facts that follow from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from autograder.sandbox.stage import open_stage

from .case import case

SECTION = "A2S3"
SUBJECTS = "film movie plot story cast script comedy drama ending camera actor scene music dialogue director thriller".split()
OPINIONS = (
    "charming dull witty slow moving clumsy fresh stale brilliant messy warm cold funny tedious bold timid lovely ugly smart "
    "silly tender harsh rich thin"
).split()
LINKS = (
    "and but with without yet because although never always quite rather very a an the of in its this that is feels seems"
).split()
SIZES = {"train": 20, "validation": 13, "test": 7}
LONG_WORDS, VOCABULARY, BATCH, TRAIN_BATCH = 700, 330, 4, 3
PICKS = (11, 2, 17, 5, 8)  # the batch that the collate probe takes
MARGIN = 0.05  # between a prediction's two logits: far above any kernel's noise


def worlds(seed: int) -> dict[str, dict]:
    """See ``inputs.worlds``."""
    return {SECTION: world(seed)}


def draw(seed: int, public: bool, names: dict[str, Any], stages: dict[str, Any]) -> dict[str, dict[str, list[dict]]]:
    """See ``inputs.draw``: nothing is called here, what the probes observe is held against facts."""
    known = facts(stages[SECTION].world)
    return {id: {group: [case([], facts=fact)] for group in ("own", "fresh")} for id, fact in known.items()}


def world(seed: int) -> dict:
    """Sentences, labels, a tokenizer trained on them, the weights' seed, and what main is told; see ``probes.tiny.World``."""
    rng = np.random.default_rng([seed, 3])
    texts = sentences(rng, sum(SIZES.values()))
    rows = [{"text": text, "label": label} for text, label in zip(texts, labels(rng, len(texts)))]
    ends = np.cumsum([0, *SIZES.values()])
    splits = {name: rows[a:b] for name, a, b in zip(SIZES, ends, ends[1:])}
    long = {"text": " ".join(rng.choice(SUBJECTS + OPINIONS + LINKS, LONG_WORDS)), "label": 1}
    found = {
        "seed": 0,
        "tokenizer": tokenizer([*texts, long["text"]]),
        "splits": splits,
        "long": long,
        "answers": answers(rng),
        "scores": scores(rng),
    }
    predicted = None
    while predicted is None:
        found["seed"] = int(rng.integers(2**31))
        predicted = predictions(found)
    hits = np.zeros(SIZES["validation"], dtype=bool)
    while not unambiguous(hits):
        hits = rng.permutation(np.arange(len(hits)) < 9)
    for row, guess, hit in zip(splits["validation"], predicted, hits):
        row["label"] = int(guess if hit else 1 - guess)
    return found


def sentences(rng: np.random.Generator, count: int) -> list[str]:
    """Different ones of 4 to 11 words, of different lengths."""
    found: dict[str, None] = {}
    while len(found) < count:
        words = [rng.choice(kind) for _ in range(int(rng.integers(1, 4))) for kind in (LINKS, OPINIONS, SUBJECTS)]
        found[" ".join(words + list(rng.choice(OPINIONS, int(rng.integers(1, 3)), replace=False)))] = None
    return list(found)


def labels(rng: np.random.Generator, count: int) -> list[int]:
    """As many of each kind; those of PICKS show it when their order is turned around or lost."""
    while True:
        drawn = rng.permutation(np.arange(count) % 2).tolist()
        picked = [drawn[n] for n in PICKS]
        if picked != picked[::-1] and picked not in (sorted(picked), sorted(picked, reverse=True)):
            return drawn


def tokenizer(texts: list[str]) -> str:
    """Byte-level BPE as RoBERTa's, trained on these texts; as JSON."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY, show_progress=False, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        ),
    )
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return made.to_str()


def answers(rng: np.random.Generator) -> list[list[list[int]]]:
    """Predictions and labels for compute_accuracy: some right, all, none, a single one of each kind."""
    some = [rng.integers(0, 2, count) for count in (8, 13)]
    pairs = [(labels ^ (rng.permutation(len(labels)) < right), labels) for labels, right in zip(some, (3, 4))]
    pairs += [(some[0], some[0]), (1 - some[1], some[1]), (np.array([1]), np.array([1])), (np.array([0]), np.array([1]))]
    return [[[int(n) for n in side] for side in pair] for pair in pairs]


def scores(rng: np.random.Generator) -> list[float]:
    """Validation accuracies, one an epoch: they rise to the second or third and stay below it; the fourth is the worst."""
    best = int(rng.integers(1, 3))
    rising = np.sort(rng.choice(np.arange(700, 800), best, replace=False)) / 1000
    later = rng.choice(np.arange(400, 690), 19 - best, replace=False) / 1000
    return [*map(float, rising), 0.9, *map(float, later[: 2 - best]), 0.35, *map(float, later[3 - best :])]


def unambiguous(hits: np.ndarray) -> bool:
    """Whether the accuracy cannot be taken for one that is computed wrongly."""
    batches = [hits[n : n + BATCH].mean() for n in range(0, len(hits), BATCH)]
    others = [np.mean(batches), 1 - hits.mean(), batches[-1], batches[0], hits.sum() / len(batches), np.sum(batches)]
    return min(abs(hits.mean() - other) for other in others) > 0.03 and len({round(float(o), 3) for o in others}) == len(others)


def stage_of(given: dict) -> Any:
    folder = Path(__file__).parents[1] / "probes"
    return open_stage({path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}, given)


def predictions(given: dict) -> list[int] | None:
    """What the model says of the validation sentences; None where it is unsure or of one opinion only."""
    import torch

    with stage_of(given) as stage, torch.no_grad():
        texts = [row["text"] for row in given["splits"]["validation"]]
        logits = stage.world.model()(**stage.world.tokenizer()(texts, padding=True, return_tensors="pt")).logits
    guesses = logits.argmax(-1)
    sure = (logits[:, 0] - logits[:, 1]).abs().min() > MARGIN and 3 < guesses.sum() < len(texts) - 3
    return guesses.tolist() if sure else None


def facts(world: Any) -> dict[str, dict]:
    """Question id -> what its rules hold an observation against (see rules.finetuning)."""
    import torch

    rows, tokens = world.given["splits"], world.tokenizer()
    train, count = rows["train"], SIZES["train"]
    batches = [list(range(n, min(n + TRAIN_BATCH, count))) for n in range(0, count, TRAIN_BATCH)]
    # In float64, rounded once: the same digits on every processor.
    model, first = world.model().double(), [train[n] for n in batches[0]]
    logits = model(**tokens([row["text"] for row in first], padding=True, return_tensors="pt")).logits
    torch.nn.functional.cross_entropy(logits, torch.tensor([row["label"] for row in first])).backward()
    short = [train[n] for n in PICKS]
    items = {"texts": [row["text"] for row in train], "labels": [row["label"] for row in train], "count": count}
    with torch.no_grad():
        texts = [row["text"] for row in rows["validation"]]
        logits = model(**tokens(texts, padding=True, return_tensors="pt")).logits
        losses = torch.nn.functional.cross_entropy(
            logits, torch.tensor([row["label"] for row in rows["validation"]]), reduction="none"
        ).numpy()
    over_batches = np.mean([losses[n : n + BATCH].mean() for n in range(0, len(losses), BATCH)])
    return {
        "3.dataset.len": {"count": count},
        "3.dataset.getitem": items,
        "3.dataset.iter": items,
        "3.collate": {
            "short": tokens([row["text"] for row in short])["input_ids"],
            "short_labels": [row["label"] for row in short],
            "long": tokens(world.given["long"]["text"], truncation=True, max_length=512)["input_ids"],
        },
        "3.compute_accuracy": {"answers": world.given["answers"]},
        "3.train_one_epoch": {
            "batches": batches,
            "gradient": model.classifier.out_proj.weight.grad.numpy().ravel().astype(np.float32),
        },
        "3.evaluate": {
            "predicted": logits.argmax(-1).tolist(),
            "losses": [float(np.float32(mean)) for mean in (over_batches, losses.mean())],
            "labels": [row["label"] for row in rows["validation"]],
            "batch": BATCH,
        },
        "3.main": {"train": count},
    }

"""Section 3: the miniature worlds that its probes work on, and the facts that follow from them."""

from __future__ import annotations

from collections.abc import Callable
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
SPLITS = ("train", "validation", "test")
MANY = {"train": 300, "validation": 150, "test": 30}  # as probes.loop has it
LONG_WORDS, VOCABULARY, BATCH, TRAIN_BATCH = 700, 330, 4, 3
SMALL_GAIN = 0.003  # of an accuracy: two or three of SST-2's 872 validation sentences
PICKS = (11, 2, 17, 5, 8)  # the rows of the collate probe's batch
ORDERS: tuple[Callable[[str], Any], ...] = (len, lambda text: len(text.split()), str)  # by which somebody may sort sentences
MARGIN = 0.05  # least difference between a prediction's two logits: far above numerical noise
TRIES = 500
# The right loss of a batch, and losses that are taken for it: functions of torch.nn.functional, logits and labels.
LOSSES: dict[str, Callable] = {
    "cross-entropy": lambda F, logits, labels: F.cross_entropy(logits, labels),
    "softmax": lambda F, logits, labels: F.cross_entropy(logits.softmax(-1), labels),
    "sigmoid": lambda F, logits, labels: F.cross_entropy(logits.sigmoid(), labels),
    "probability": lambda F, logits, labels: F.nll_loss(logits.softmax(-1), labels),
    "squares of probabilities": lambda F, logits, labels: F.mse_loss(logits.softmax(-1), one_hot(F, logits, labels)),
    "squares": lambda F, logits, labels: F.mse_loss(logits, one_hot(F, logits, labels)),
}
# Cross-entropies, too, with what a student may add to them.
MEANT: dict[str, Callable] = {
    f"smoothed by {share}": lambda F, logits, labels, share=share: F.cross_entropy(logits, labels, label_smoothing=share)
    for share in (0.1, 0.2)
} | {
    f"class 1 weighs {weight}": lambda F, logits, labels, weight=weight: F.cross_entropy(
        logits, labels, weight=logits.new_tensor([1, weight])
    )
    for weight in (0.7, 1.4)
}
APART = 1e-5  # least 1 - cosine of the gradients of two losses that are taken for each other: far above rounding to float32
NEAR = 0.95  # least cosine of the gradients of the cross-entropy and of a loss that is one, too (see ``MEANT``); rules have 0.9


def sizes(rng: np.random.Generator, public: bool) -> dict[str, int]:
    """How many sentences each split has and, under ``answers``, how many predictions compute_accuracy gets at most.

    The last batches of training and of validation are smaller than the others.
    """
    if public:
        return {"train": 20, "validation": 13, "test": 7, "answers": 13}
    drawn = {"train": (23, 26), "validation": (17, 21), "test": range(8, 12), "answers": range(15, 20)}
    return {name: int(rng.choice(list(counts))) for name, counts in drawn.items()}


def worlds(seed: int, sizes: dict[str, int]) -> dict[str, dict]:
    """See ``inputs.worlds``."""
    return {SECTION: world(seed, sizes)}


def draw(
    seed: int, public: bool, names: dict[str, Any], stages: dict[str, Any], sizes: dict[str, int]
) -> dict[str, dict[str, list[dict]]]:
    """See ``inputs.draw``. No function is called here: the rules hold what the probes observe against facts."""
    return {
        id: {group: [case([], facts=known)] for group in ("own", "fresh")} for id, known in facts(stages[SECTION].world).items()
    }


def world(seed: int, sizes: dict[str, int]) -> dict:
    """Sentences, labels, a tokenizer trained on them, the weights' seed and scripted scores; see ``probes.tiny.World``."""
    rng = np.random.default_rng([seed, 3])
    counts = [sizes[name] for name in SPLITS]
    texts = sentences(rng, sum(counts))
    rows = [{"text": text, "label": label} for text, label in zip(texts, labels(rng, len(texts)))]
    ends = np.cumsum([0, *counts])
    splits = {name: rows[a:b] for name, a, b in zip(SPLITS, ends, ends[1:])}
    long = {"text": " ".join(rng.choice(SUBJECTS + OPINIONS + LINKS, LONG_WORDS)), "label": 1}
    drawn = {
        "seed": 0,
        "tokenizer": tokenizer([*texts, long["text"]]),
        "splits": splits,
        "long": long,
        "answers": answers(rng, sizes["answers"]),
        "told": {"scores": scores(rng)},
    }
    predicted = hits = None
    while predicted is None or hits is None:
        drawn["seed"] = int(rng.integers(2**31))
        predicted = predictions(drawn)
        hits = drawn_hits(rng, *predicted) if predicted is not None else None
    for row, guess, hit in zip(splits["validation"], predicted[0], hits):
        row["label"] = int(guess if hit else 1 - guess)
    return drawn


def one_hot(F: Any, logits: Any, labels: Any) -> Any:
    """Labels (B,) as rows of 0 and 1, (B, classes), in the type of the logits."""
    return F.one_hot(labels, logits.shape[-1]).to(logits.dtype)


def sentences(rng: np.random.Generator, count: int) -> list[str]:
    """``count`` different sentences of 4 to 11 words. Those of PICKS change visibly when they are put into another order."""
    while True:
        drawn: dict[str, None] = {}  # a set that keeps its order
        while len(drawn) < count:
            words = [rng.choice(kind) for _ in range(int(rng.integers(1, 4))) for kind in (LINKS, OPINIONS, SUBJECTS)]
            drawn[" ".join(words + list(rng.choice(OPINIONS, int(rng.integers(1, 3)), replace=False)))] = None
        texts = list(drawn)
        picked = [texts[n] for n in PICKS]
        if not any(is_ordered(picked, key) for key in ORDERS):
            return texts


def is_ordered(picked: list[Any], key: Callable[[Any], Any] | None = None) -> bool:
    """Whether these are sorted, one way or the other."""
    return picked in (sorted(picked, key=key), sorted(picked, key=key, reverse=True))


def labels(rng: np.random.Generator, count: int) -> list[int]:
    """Half zeros, half ones. Those of PICKS change visibly when they are reversed or sorted."""
    while True:
        drawn = rng.permutation(np.arange(count) % 2).tolist()
        picked = [drawn[n] for n in PICKS]
        if picked != picked[::-1] and not is_ordered(picked):
            return drawn


def tokenizer(texts: list[str]) -> str:
    """The JSON of a byte-level BPE like RoBERTa's, trained on these texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    bpe.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY, show_progress=False, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        ),
    )
    bpe.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return bpe.to_str()


def answers(rng: np.random.Generator, most: int) -> list[list[list[int]]]:
    """Pairs (predictions, labels) for compute_accuracy: some right, all right, none right, and a single one of each.

    Of those that are right in part, recall, precision and the other measures that are taken for the accuracy differ.
    """
    while True:
        some = [rng.integers(0, 2, count) for count in (8, most)]
        pairs = [(labels ^ (rng.permutation(len(labels)) < right), labels) for labels, right in zip(some, (3, 4))]
        if all(len({round(value, 3) for value in (*measures(*pair), np.mean(pair[0] == pair[1]))}) == 5 for pair in pairs):
            break
    pairs += [(some[0], some[0]), (1 - some[1], some[1]), (np.array([1]), np.array([1])), (np.array([0]), np.array([1]))]
    return [[[int(n) for n in side] for side in pair] for pair in pairs]


def scores(rng: np.random.Generator) -> list[float]:
    """Validation accuracies, one per epoch. The second or third is the best, the fourth the worst.

    The best one is better than the one before by as little as a few sentences make: the same if both are rounded to hundredths.
    """
    best = int(rng.integers(1, 3))
    rising = np.sort(rng.choice(np.arange(70, 80), best, replace=False)) / 100 + 0.001
    later = rng.choice(np.arange(400, 690), 19 - best, replace=False) / 1000
    until = [*rising, rising[-1] + SMALL_GAIN, *later[: 2 - best], 0.35]
    return [float(score) for score in (*until, *later[3 - best :])]


def drawn_hits(rng: np.random.Generator, predicted: np.ndarray, *by_one_logit: np.ndarray) -> np.ndarray | None:
    """Which predictions are right; None if no draw is unambiguous, as with some numbers of each class.

    ``by_one_logit``: the classes that one logit alone tells.
    """
    count = len(predicted)
    tried = (rng.permutation(np.arange(count) < count * 9 // 13) for _ in range(TRIES))
    clear = (hits for hits in tried if unambiguous(hits, predicted))
    return next((hits for hits in clear if not any(alike(alone, hits, predicted) for alone in by_one_logit)), None)


def alike(classes: np.ndarray, hits: np.ndarray, predicted: np.ndarray) -> bool:
    """Whether the accuracy of other classes than the predicted ones is the right one, or one that has another cause."""
    accuracy = (classes == np.where(hits, predicted, 1 - predicted)).mean()
    return any(abs(accuracy - value) < 0.001 for value in (hits.mean(), *mistaken(hits)))


def mistaken(hits: np.ndarray) -> list[float]:
    """What wrong ways to compute the accuracy give."""
    batches = [hits[n : n + BATCH].mean() for n in range(0, len(hits), BATCH)]
    return [np.mean(batches), 1 - hits.mean(), batches[-1], batches[0], hits.sum() / len(batches), np.sum(batches)]


def unambiguous(hits: np.ndarray, predicted: np.ndarray) -> bool:
    """Whether every wrong way to compute the accuracy gives a clearly different number; ``predicted``: the classes."""
    others = mistaken(hits)
    apart = len({round(float(other), 3) for other in others}) == len(others)
    few = hits[: BATCH + 1].mean()  # of a second call, which must not be taken for both calls' together
    apart = apart and abs(few - hits.mean()) > 0.03
    clear = apart and min(abs(hits.mean() - other) for other in others) > 0.03
    known, labels = {round(float(value), 3) for value in (hits.mean(), *others)}, np.where(hits, predicted, 1 - predicted)
    clear = clear and not {round(float(hits.mean()), digits) for digits in (1, 2)} & known  # a rounded accuracy
    clear = clear and known.isdisjoint(round(value, 3) for value in measures(predicted, labels))
    # 0 and 1 have other causes, too, but the last batch is too small for anything else; without a hit it makes sums equal.
    last, first = others[2:4]
    return clear and 0 < first < 1 and last > 0


def measures(predicted: np.ndarray, labels: np.ndarray) -> list[float]:
    """Recall, precision and F1 score of class 1, and the mean accuracy of the classes, which are taken for the accuracy."""
    one, true = predicted == 1, labels == 1
    recalls = [float((one == kind)[true == kind].mean()) if (true == kind).any() else 1.0 for kind in (True, False)]
    hits = float((one & true).sum())
    return [recalls[0], hits / max(one.sum(), 1), 2 * hits / max(one.sum() + true.sum(), 1), sum(recalls) / 2]


def stage_of(given: dict) -> Any:
    folder = Path(__file__).parents[1] / "probes"
    return open_stage({path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}, given)


def predictions(given: dict) -> tuple[np.ndarray, ...] | None:
    """The model's classes for the validation sentences, and those that either logit alone would tell, by 0 or by 0.5.

    None if it is unsure of one or hardly predicts one of the classes, or if wrong losses have nearly the right one's gradients.
    """
    import torch

    with stage_of(given) as stage:
        model, tokens, texts = stage.world.model(), stage.world.tokenizer(), _texts(given["splits"]["validation"])
        with torch.no_grad():
            logits = model(**tokens(texts, padding=True, return_tensors="pt")).logits
        guesses = logits.argmax(-1)
        sure = (logits[:, 0] - logits[:, 1]).abs().min() > MARGIN and 3 < guesses.sum() < len(texts) - 3
        apart = sure and losses_apart(
            gradients_of(LOSSES | MEANT, model.double(), tokens, given["splits"]["train"][:TRAIN_BATCH])
        )
    by_one = (logits[:, 1] > 0, logits[:, 1] > 0.5, logits[:, 0] <= 0)
    return (guesses.numpy(), *(alone.long().numpy() for alone in by_one)) if apart else None


def losses_apart(found: dict[str, np.ndarray]) -> bool:
    """Whether every mistaken loss has clearly other gradients than the cross-entropy, and every one that is meant nearly its.

    ``found``: the gradients of LOSSES and of MEANT. A small batch can leave so little of the right gradient that one with
    smoothed labels points elsewhere, or just where a mistaken one does: a right submission's verdict would hang on the world.
    """
    units = {name: gradient / np.linalg.norm(gradient) for name, gradient in found.items()}
    right, wrong = units["cross-entropy"], [units[name] for name in LOSSES if name != "cross-entropy"]
    if any(turned(right, other) <= APART for other in wrong):
        return False
    meant = [units[name] for name in MEANT]
    return all(
        turned(right, one) < 1 - NEAR and all(turned(other, one) > turned(other, right) / 10 for other in wrong)
        for one in meant
    )


def turned(one: np.ndarray, other: np.ndarray) -> float:
    """1 - the cosine of the angle between two arrays of length 1, without the rounding of a cosine that is nearly 1."""
    return float(np.sum((one - other) ** 2) / 2)


def facts(world: Any) -> dict[str, dict]:
    """Question id -> the facts that its rules hold an observation against (see rules.finetuning)."""
    rows, tokens = world.given["splits"], world.tokenizer()
    train, count = rows["train"], len(rows["train"])
    batches = [list(range(n, min(n + TRAIN_BATCH, count))) for n in range(0, count, TRAIN_BATCH)]
    model = world.model().double()  # float64, rounded once: the same digits on every processor
    picked = [train[n] for n in PICKS]
    items = {"texts": _texts(train), "labels": _labels(train), "count": count}
    return {
        "3.dataset.len": {"count": count},
        "3.dataset.getitem": items,
        "3.dataset.iter": items,
        "3.collate": {
            "short": tokens(_texts(picked))["input_ids"],
            "short_labels": _labels(picked),
            "long": tokens(world.given["long"]["text"], truncation=True, max_length=512)["input_ids"],
        },
        "3.compute_accuracy": {"answers": world.given["answers"]},
        "3.train_one_epoch": {"batches": batches, **gradients(model, tokens, [train[n] for n in batches[0]])},
        "3.evaluate": evaluation(model, tokens, rows["validation"]),
        "3.main": {"sizes": MANY},
    }


def gradients(model: Any, tokens: Any, batch: list[dict]) -> dict[str, Any]:
    """``gradient``: of the cross-entropy of a batch; ``mistaken``: of losses that are taken for it, by name."""
    found = gradients_of(LOSSES, model, tokens, batch)
    return {"gradient": found.pop("cross-entropy"), "mistaken": found}


def gradients_of(losses: dict[str, Callable], model: Any, tokens: Any, batch: list[dict]) -> dict[str, np.ndarray]:
    """Gradients of a batch's losses with respect to the last layer's weights, each flat, float32.

    ``losses``: name -> function of torch.nn.functional, logits (B, 2) and labels (B,).
    """
    import torch

    labels, weights = torch.tensor(_labels(batch)), model.classifier.out_proj.weight
    logits = model(**tokens(_texts(batch), padding=True, return_tensors="pt")).logits

    def of(loss: Any) -> np.ndarray:
        (found,) = torch.autograd.grad(loss, weights, retain_graph=True)
        return found.numpy().ravel().astype(np.float32)

    return {name: of(loss(torch.nn.functional, logits, labels)) for name, loss in losses.items()}


def evaluation(model: Any, tokens: Any, rows: list[dict]) -> dict:
    """The classes that the model predicts, the labels, and the mean loss over batches and over sentences."""
    import torch

    labels = _labels(rows)
    with torch.no_grad():
        logits = model(**tokens(_texts(rows), padding=True, return_tensors="pt")).logits
        losses = torch.nn.functional.cross_entropy(logits, torch.tensor(labels), reduction="none").numpy()
    over_batches = np.mean([losses[n : n + BATCH].mean() for n in range(0, len(losses), BATCH)])
    return {
        "predicted": logits.argmax(-1).tolist(),
        "losses": [float(np.float32(mean)) for mean in (over_batches, losses.mean())],
        "labels": labels,
        "batch": BATCH,
    }


def _texts(rows: list[dict]) -> list[str]:
    return [row["text"] for row in rows]


def _labels(rows: list[dict]) -> list[int]:
    return [row["label"] for row in rows]

"""Rules for train_one_epoch (section 3, step 3)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from autograder.checks.compare import Failure

from .dataset import Silent, only_after
from .symptoms import Symptom

PARALLEL = 0.999  # cosine of gradients that differ only by rounding or clipping
SAME = 1 - 1e-6  # cosine of gradients that are one, seen twice
SAME_LOSS = 0.9  # cosine with the expected gradient: smoothing or weighting the loss may turn it a little
# A gradient is that of a loss taken for the cross-entropy if so little turns it into that, and a far smaller part of what lies
# between the two losses: their gradients can be nearly parallel. Half precision turns one by less. Losses whose gradients are
# apart by no more than what rounding to float32 turns them cannot be told from each other; ``inputs`` draws no such world.
TURNED, FAR_SMALLER, ROUNDED = 1e-4, 0.02, 1e-9
FIRST = "cross_entropy takes the logits themselves and applies its own softmax, but gets them after a {}"
MISTAKEN = {
    "softmax": (FIRST.format("softmax") + ", so that softmax is applied twice", Symptom.SOFTMAX_BEFORE_LOSS),
    "sigmoid": (FIRST.format("sigmoid"), Symptom.SIGMOID_BEFORE_LOSS),
    "probability": (
        (
            "the loss is computed from the probabilities, not from their logarithms: cross-entropy is minus the logarithm of "
            "the right class's probability (nll_loss expects log_softmax, cross_entropy the logits)"
        ),
        Symptom.NO_LOGARITHM,
    ),
    "squares of probabilities": (
        "the gradients are those of the squared errors of the probabilities, not of the cross-entropy",
        Symptom.SQUARED_ERRORS,
    ),
    "squares": (
        "the gradients are those of the squared errors of the logits, not of the cross-entropy",
        Symptom.SQUARED_ERRORS,
    ),
}


def learns(check: Any, facts: dict, way: dict) -> None:
    events = way["events"]
    if way["weights_changed"] and "S" in events:
        return
    if "F" not in events:
        check.fail(
            "rule",
            "the model is never called: fill in the TODO, loop over the dataloader and pass each batch to the model",
            symptom=Symptom.NEVER_CALLED,
        )
    if "B" not in events:
        check.fail(
            "rule",
            "no gradient reaches the model: is backward() called, on the loss of the model's own output?",
            symptom=Symptom.NO_BACKWARD,
        )
    if "S" not in events and way["weights_changed"]:
        check.fail(
            "rule",
            "the parameters change, but not by the optimizer that is passed in, which takes no step: use that one, and make no "
            "other",
            symptom=Symptom.STEPS_BY_ANOTHER,
        )
    if "S" not in events:
        check.fail(
            "rule", "no parameter changes: is step() called, on the optimizer that is passed in?", symptom=Symptom.NO_STEP
        )
    words, symptom = _unmoved(way)
    check.fail("rule", f"no parameter changes: {words}", symptom=symptom)


@only_after(learns)
def end_to_end(check: Any, facts: dict, way: dict) -> None:
    if way["still"] and not way["own"]:
        check.fail(
            "rule",
            "a part of the model never gets a gradient, so it stays as it was: is requires_grad switched off there, or does it "
            "run without gradients? Here all of the model is trained, end to end",
            symptom=Symptom.PARTLY_FROZEN,
        )


def _unmoved(way: dict) -> tuple[str, Symptom]:
    """Why steps change nothing, and the symptom."""
    if way["events"].find("S") < way["events"].find("B"):
        return (
            "optimizer.step() comes before loss.backward(), and the gradients are cleared in between",
            Symptom.STEP_FIRST_AND_CLEARED,
        )
    if not any(np.any(used) for used in way["gradients"]) and any(np.any(fresh) for fresh in way["fresh"]):
        return "the gradients are cleared between loss.backward() and optimizer.step()", Symptom.CLEARED_BEFORE_STEP
    return "optimizer.step() is called, but what it does has no effect", Symptom.NOTHING_MOVES


@only_after(learns)
def in_order(check: Any, facts: dict, way: dict) -> None:
    done = way["events"].replace("F", "")
    if done.startswith("S"):
        check.fail(
            "rule",
            "optimizer.step() is called before loss.backward() has computed this batch's gradients",
            symptom=Symptom.STEP_BEFORE_BACKWARD,
        )
    if "SS" in done:
        check.fail(
            "rule",
            "optimizer.step() is called again although no loss.backward() came in between",
            symptom=Symptom.STEP_TWICE,
        )
    if done.count("S") == 1 and len(facts["batches"]) == done.count("B"):
        check.fail(
            "rule",
            f"optimizer.step() is called once for all {done.count('B')} batches: it belongs inside the loop",
            symptom=Symptom.STEP_ONCE,
        )
    if done.endswith("B"):
        check.fail(
            "rule",
            "the last gradients of the epoch are never used: no optimizer.step() follows the last loss.backward()",
            symptom=Symptom.LAST_UNUSED_AFTER_ONE_STEP if done.count("S") == 1 else Symptom.LAST_UNUSED,
        )


@only_after(learns)
def cleared(check: Any, facts: dict, way: dict) -> None:
    try:
        in_order(Silent(), facts, way)
    except Failure as failure:
        if failure.data["symptom"] in (Symptom.STEP_BEFORE_BACKWARD, Symptom.STEP_TWICE):
            return  # ``in_order`` reports it
    pairs = list(zip(way["fresh"], way["gradients"]))
    for (_, before), (fresh, used) in pairwise(pairs):
        if cosine(fresh, used) >= PARALLEL:
            continue
        kept = cosine(used - fresh, before) >= PARALLEL
        check.fail(
            "rule",
            "gradients accumulate from batch to batch: call optimizer.zero_grad() once for every step"
            if kept
            else "optimizer.step() uses other gradients than those that backward() has computed since the last one",
            symptom=Symptom.GRADIENTS_PILE_UP if kept else Symptom.OTHER_GRADIENTS,
        )


@only_after(learns)
def train_mode(check: Any, facts: dict, way: dict) -> None:
    if not all(way["modes"]):
        first = not way["modes"][0]
        check.fail(
            "rule",
            ("the model is not in training mode" if first else "the model leaves training mode along the way")
            + ", so dropout is off: call model.train() before the loop",
            symptom=Symptom.NOT_IN_TRAINING_MODE if first else Symptom.LEAVES_TRAINING_MODE,
        )


@only_after(learns)
def every_batch(check: Any, facts: dict, way: dict) -> None:
    used, want = way["used"], facts["batches"]
    not_invented(check, facts, way)
    if used == want:
        return
    if not way["drawn"]:
        check.fail(
            "rule",
            "train_one_epoch takes no batch from the dataloader that it is given: loop over that one",
            symptom=Symptom.LOADER_IGNORED,
        )
    events = way["events"]
    if events.count("B") == 1 and events.count("F") >= len(want) > 1 and "F" not in events.partition("B")[2]:
        check.fail(
            "rule",
            f"backward() is called once, after all {len(want)} batches: each batch needs its own backward() and step(), inside "
            "the loop",
            symptom=Symptom.BACKWARD_ONCE,
        )
    _counted(check, used, want)


def _counted(check: Any, used: list, want: list) -> None:
    """Fails with what the number of backward passes tells about the batches."""
    if len(used) == 1:
        check.fail(
            "numbers",
            f"only one of {len(want)} batches is trained on: is a `return` or `break` inside the loop, or the step after it?",
            symptom=Symptom.FIRST_BATCH_ONLY if used[0] == want[0] else Symptom.ONE_BATCH_ONLY,
        )
    if used == want[: len(used)] or used == want[1:]:
        skipped = used == want[1:]
        check.fail(
            "numbers",
            f"{len(used)} of {len(want)} batches are trained on" + ", all but the first" * skipped,
            symptom=Symptom.FIRST_BATCH_SKIPPED if skipped else Symptom.SOME_BATCHES,
        )
    if len(used) > len(want) and same_sentences(used, want):
        check.fail(
            "numbers",
            f"{len(used)} backward passes for {len(want)} batches: each batch should be used once",
            symptom=Symptom.BATCHES_TWICE if len(used) == 2 * len(want) else Symptom.BATCHES_REPEATED,
        )
    check.fail("rule", "the batches are not trained on one after another, each once", symptom=Symptom.BATCHES_OTHERWISE)


def same_sentences(some: list, others: list) -> bool:
    return {n for batch in some for n in batch} == {n for batch in others for n in batch}


@only_after(learns)
def right_loss(check: Any, facts: dict, way: dict) -> None:
    masked(check, way)
    if way["own"] or not way["fresh"] or way["used"][:1] != facts["batches"][:1] or way["events"].replace("F", "")[:1] != "B":
        return
    if "BB" in way["events"].replace("F", "").split("S")[0]:
        return
    if loss := mistaken(way["fresh"][0], facts):
        text, symptom = MISTAKEN[loss]
        check.fail("numbers", text, symptom=symptom)
    got = cosine(way["fresh"][0], facts["gradient"])
    if got < SAME_LOSS:
        check.fail(
            "numbers",
            "the gradients are not those of the cross-entropy between the model's logits and the batch's labels"
            + (": the sign is flipped" if got < -SAME_LOSS else ""),
            symptom=Symptom.LOSS_NEGATED if got < -SAME_LOSS else Symptom.OTHER_LOSS,
        )


def mistaken(gradient: np.ndarray, facts: dict) -> str:
    """The loss that is taken for the cross-entropy and has this gradient; '' if none has."""
    for loss, other in facts["mistaken"].items():
        apart = 1 - cosine(other, facts["gradient"])
        if apart > ROUNDED and 1 - cosine(gradient, other) < min(TURNED, FAR_SMALLER * apart):
            return str(loss)
    return ""


def masked(check: Any, way: dict) -> None:
    """Fails where the model was called with padded sentences but no attention mask."""
    if way["unmasked"]:
        check.fail(
            "rule",
            "the model is called without an attention_mask, so it attends to the padding, too: pass all of the encoding, "
            'as in model(**batch["text_encoding"])',
            symptom=Symptom.NO_MASK,
        )


def not_invented(check: Any, facts: dict, way: dict) -> None:
    """Fails where batches were only shown to the probe."""
    if (n := invented(facts, way)) is not None:
        check.flag(f"batch {n + 1} seems to be trained on, but its gradients do not come from it")
        check.fail(
            "numbers", f"batch {n + 1} is not trained on: its gradients do not come from it", symptom=Symptom.SOME_BATCHES
        )


def invented(facts: dict, way: dict) -> int | None:
    """The first batch without gradients of its own, although all seems in order and those of the first one are right."""
    if way["own"] or way["events"] != "FBS" * len(facts["batches"]) or way["used"] != facts["batches"]:
        return None
    if cosine(way["fresh"][0], facts["gradient"]) < SAME_LOSS:
        return None
    later = zip(way["fresh"], way["fresh"][1:])
    return next((n for n, (before, one) in enumerate(later, 1) if not np.any(one) or cosine(before, one) > SAME), None)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """The cosine of the angle between two flat arrays; 0 if one is zero, 1 if both are.

    In float64: that of nearly parallel float32 gradients is rounded by more than what tells two losses apart.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    lengths = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    return float(a @ b) / (lengths[0] * lengths[1]) if all(lengths) else float(not any(lengths))

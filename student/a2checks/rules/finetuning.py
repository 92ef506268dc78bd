"""What section 3's probes have to see: rules over their observations, each with a sentence for whoever breaks it.

An observation may hold several ``ways`` to set up the student's code; the best of them counts. A rule's ``symptom`` tells
apart the ways of breaking it: the list of all rules' symptoms is what known mistakes are recognised by.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from a2checks.compare import Failure, is_blank, name_of

from .dataset import (
    Silent,
    again,
    contract,
    counts,
    in_full,
    labelled,
    longest,
    masked,
    only_behind,
    right_items,
    right_texts,
    truncated,
)
from .symptoms import NUMBERS, Symptom

CLOSE = 1e-4  # of accuracies: the smallest step on the probes' few sentences is 0.04
PARALLEL = 0.999  # cosine of gradients that differ by rounding or clipping only
SAME_LOSS = 0.9  # cosine to the expected gradient: smoothing or weighting the loss may turn it a little


def judge(check: Any, id: str, probe: Any, rule: str) -> None:
    """Hold what the probe saw against one rule of the question; raises Failure."""
    facts = check.cases(id)[0].facts
    RULES[id][rule](check, facts, best_way(id, facts, probe()))


def symptoms(id: str, seen: dict, case: Any) -> np.ndarray:
    """One number for each rule of the question: 0 kept, else how it is broken."""
    return _symptoms(id, case.facts, best_way(id, case.facts, seen))


def best_way(id: str, facts: dict, seen: dict) -> dict:
    """The observation itself, or of several ways the one that breaks the fewest rules."""
    return min(seen["ways"], key=lambda way: np.count_nonzero(_symptoms(id, facts, way))) if "ways" in seen else seen


def _symptoms(id: str, facts: dict, way: dict) -> np.ndarray:
    found = []
    for rule in RULES[id].values():
        try:
            rule(Silent(), facts, way)
            found.append(0.0)
        except Failure as failure:
            found.append(NUMBERS[failure.data.get("symptom", Symptom.OTHERWISE)])
    return np.array(found, dtype=np.float32)


# --- compute_accuracy, evaluate ------------------------------------------------------------------------------------


def number_of(check: Any, value: Any, what: str) -> float:
    """The number in a result: itself, a 0-d tensor, or the first of several, with a note about it. Raises Failure."""
    if is_blank(value):
        check.fail(
            "rule",
            f"{what} returns None: its TODO is not filled in yet, or a `return` is missing",
            symptom=Symptom.NOTHING_RETURNED,
        )
    if isinstance(value, list) and value:
        check.note(f"{what} returns {len(value)} values; the first was taken (no points depend on it)")
        value = value[0]
    if isinstance(value, np.ndarray) and value.size == 1:
        check.note(
            f"{what} returns a tensor or array; a float (.item()) is easier to store and compare (no points depend on it)"
        )
        value = value.item()
    if not isinstance(value, (bool, int, float)):
        shape = f" of shape {value.shape}" if isinstance(value, np.ndarray) else ""
        check.fail("kind", f"{what} returns {name_of(value)}{shape}, expected one number", symptom=Symptom.NO_NUMBER)
    return float(value)


def close(got: Any, want: Any) -> bool:
    return bool(np.allclose(got, want, rtol=0, atol=CLOSE))


def accuracies(check: Any, facts: dict, way: dict) -> None:
    results = [number_of(check, result, "compute_accuracy") for result in way["results"]]
    right = [sum(p == l for p, l in zip(*answer)) for answer in facts["answers"]]
    counts = [len(labels) for _, labels in facts["answers"]]
    want = np.array(right) / np.array(counts)
    if close(results, want):
        return
    if close(results, 100 * want):
        check.note("compute_accuracy returns percent; a fraction between 0 and 1 is meant (no points depend on it)")
        return
    known = {
        Symptom.COUNT: (right, "the number of right predictions, not their share"),
        Symptom.WRONG_SHARE: (1 - want, "the share of wrong predictions"),
        Symptom.ROUNDED: (np.round(want), "a rounded share"),
        Symptom.WHOLE_NUMBER: (want // 1, "a whole number: use / and not //"),
        Symptom.BY_CLASSES: (np.array(right) / 2, "the number of right predictions by the number of classes"),
    }
    symptom, words = next(((s, words) for s, (other, words) in known.items() if close(results, other)), (Symptom.OTHERWISE, ""))
    at = next(n for n, (a, b) in enumerate(zip(results, want)) if abs(a - b) > CLOSE)
    check.fail(
        "numbers",
        f"compute_accuracy gives {results[at]:.4g} where {right[at]} of {counts[at]} predictions are right"
        + (f": it returns {words}" if words else ""),
        symptom=symptom,
    )


def eval_mode(check: Any, facts: dict, way: dict) -> None:
    if any(way["modes"]):
        check.fail(
            "rule",
            "the model is in training mode while it is evaluated: dropout changes its answers; call model.eval() first",
            symptom=Symptom.IN_TRAINING_MODE,
        )


def no_graph(check: Any, facts: dict, way: dict) -> None:
    if any(way["graphs"]):
        check.fail(
            "rule",
            "a graph for gradients is built during evaluation, which costs memory and time: use torch.no_grad()",
            symptom=Symptom.GRAPH_BUILT,
        )


def untouched(check: Any, facts: dict, way: dict) -> None:
    if way["weights_changed"]:
        check.fail(
            "rule", "the weights are not the same after evaluate: evaluation must not train", symptom=Symptom.WEIGHTS_MOVED
        )


def true_accuracy(check: Any, facts: dict, way: dict) -> None:
    result = number_of(check, way["result"], "evaluate")
    if any(way["modes"]):
        return  # with dropout the answer is a matter of luck
    predicted = way["predicted"] if way["own"] else facts["predicted"]
    hits = np.array(predicted) == np.array(facts["labels"])
    want = hits.mean()
    if close(result, want):
        return
    if close(result, 100 * want):
        check.note("evaluate returns percent; a fraction between 0 and 1 is meant (no points depend on it)")
        return
    batches = [hits[n : n + facts["batch"]] for n in range(0, len(hits), facts["batch"])]
    known = {
        Symptom.MEAN_OF_BATCHES: (
            np.mean([b.mean() for b in batches]),
            "the mean over batches: the last one is smaller, so that its sentences count more",
        ),
        Symptom.COUNT: (hits.sum(), "the number of right answers, not their share"),
        Symptom.WRONG_SHARE: (1 - want, "the share of wrong answers"),
        Symptom.LAST_BATCH: (batches[-1].mean(), "the accuracy of the last batch alone"),
        Symptom.FIRST_BATCH: (batches[0].mean(), "the accuracy of the first batch alone"),
        Symptom.BY_BATCHES: (hits.sum() / len(batches), "the number of right answers by the number of batches"),
        Symptom.MEAN_LOSS_OF_BATCHES: (facts["losses"][0], "the mean loss"),
        Symptom.MEAN_LOSS: (facts["losses"][1], "the mean loss"),
        Symptom.SUM_OF_BATCHES: (np.sum([b.mean() for b in batches]), "the sum of the batches' accuracies"),
    }
    symptom, words = next(((s, words) for s, (other, words) in known.items() if close(result, other)), (Symptom.OTHERWISE, ""))
    check.fail(
        "numbers",
        f"evaluate returns {result:.4g}, which is not the share of right answers" + (f" but {words}" if words else ""),
        symptom=symptom,
    )


# --- train_one_epoch -----------------------------------------------------------------------------------------------


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
        check.fail("rule", "no gradient is computed: loss.backward() is missing", symptom=Symptom.NO_BACKWARD)
    if "S" not in events:
        check.fail("rule", "no parameter changes: optimizer.step() is missing", symptom=Symptom.NO_STEP)
    late = events.find("S") < events.find("B")
    check.fail(
        "rule",
        "no parameter changes: "
        + (
            "optimizer.step() comes before loss.backward(), and the gradients are cleared in between"
            if late
            else "the gradients are cleared between loss.backward() and optimizer.step()"
        ),
        symptom=Symptom.STEP_FIRST_AND_CLEARED if late else Symptom.CLEARED_BEFORE_STEP,
    )


@only_behind(learns)
def in_order(check: Any, facts: dict, way: dict) -> None:
    done = way["events"].replace("F", "")
    if done.startswith("S") or "SS" in done:
        check.fail(
            "rule",
            "optimizer.step() is called before loss.backward() has computed this batch's gradients",
            symptom=Symptom.STEP_BEFORE_BACKWARD,
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
            "the last gradients of the epoch are never used: an optimizer.step() is missing behind loss.backward()",
            symptom=Symptom.LAST_UNUSED_AFTER_ONE_STEP if done.count("S") == 1 else Symptom.LAST_UNUSED,
        )


@only_behind(learns)
def afresh(check: Any, facts: dict, way: dict) -> None:
    try:
        in_order(Silent(), facts, way)
    except Failure as failure:
        if failure.data["symptom"] is Symptom.STEP_BEFORE_BACKWARD:
            return  # said there
    for fresh, used in list(zip(way["fresh"], way["gradients"]))[1:]:
        if cosine(fresh, used) < PARALLEL:
            check.fail(
                "rule",
                "gradients pile up from batch to batch: call optimizer.zero_grad() once for every step",
                symptom=Symptom.GRADIENTS_PILE_UP,
            )


@only_behind(learns)
def train_mode(check: Any, facts: dict, way: dict) -> None:
    if not all(way["modes"]):
        first = not way["modes"][0]
        check.fail(
            "rule",
            ("the model is not in training mode" if first else "the model leaves training mode on the way")
            + ", so that dropout is off: call model.train() before the loop",
            symptom=Symptom.NOT_IN_TRAINING_MODE if first else Symptom.LEAVES_TRAINING_MODE,
        )


@only_behind(learns)
def every_batch(check: Any, facts: dict, way: dict) -> None:
    used, want = way["used"], facts["batches"]
    if used == want:
        return
    flat = [n for batch in used for n in batch]
    if len(used) == 1:
        check.fail(
            "numbers",
            f"only one of {len(want)} batches is trained on: is a `return` or `break` inside the loop, or the step behind it?",
            symptom=Symptom.FIRST_BATCH_ONLY if used[0] == want[0] else Symptom.ONE_BATCH_ONLY,
        )
    if used == want[: len(used)] or used == want[1:]:
        check.fail("numbers", f"{len(used)} of {len(want)} batches are trained on", symptom=Symptom.SOME_BATCHES)
    if len(used) > len(want) and {*flat} == {n for batch in want for n in batch}:
        check.fail(
            "numbers",
            f"{len(used)} backward passes for {len(want)} batches: each batch should be used once",
            symptom=Symptom.BATCHES_REPEATED,
        )
    check.fail("rule", "the batches are not trained on one after another, each once", symptom=Symptom.BATCHES_OTHERWISE)


@only_behind(learns)
def right_loss(check: Any, facts: dict, way: dict) -> None:
    if way["own"] or not way["fresh"] or way["used"][:1] != facts["batches"][:1] or way["events"].replace("F", "")[:1] != "B":
        return
    got = cosine(way["fresh"][0], facts["gradient"])
    if "BB" not in way["events"].replace("F", "").split("S")[0] and got < SAME_LOSS:
        check.fail(
            "numbers",
            "the gradients are not those of the cross-entropy between the model's logits and the batch's labels"
            + (": the sign is turned around" if got < -SAME_LOSS else ""),
            symptom=Symptom.LOSS_NEGATED if got < -SAME_LOSS else Symptom.OTHER_LOSS,
        )


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Of two flat arrays; 0 where one is zero, 1 where both are."""
    lengths = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    return float(a @ b) / (lengths[0] * lengths[1]) if all(lengths) else float(not any(lengths))


# --- main ----------------------------------------------------------------------------------------------------------


def trains(check: Any, facts: dict, way: dict) -> None:
    if not way["epochs"]:
        check.fail(
            "rule",
            "main ends without training for a single epoch: its TODO is not filled in yet, or train_one_epoch is never called",
            symptom=Symptom.NO_EPOCH,
        )


@only_behind(trains)
def shuffled(check: Any, facts: dict, way: dict) -> None:
    orders = way["orders"]["train"]
    if orders and all(order == sorted(order) for order in orders):
        check.fail(
            "rule",
            "the training data come in the same order in every epoch: shuffle=True is missing",
            symptom=Symptom.NOT_SHUFFLED,
        )


@only_behind(trains)
def validated(check: Any, facts: dict, way: dict) -> None:
    orders = way["orders"]["validation"]
    if not orders:
        check.fail(
            "rule",
            "the validation set is never evaluated" + (", the test set is instead" if way["orders"]["test"] else ""),
            symptom=Symptom.TESTED_INSTEAD if way["orders"]["test"] else Symptom.NEVER_VALIDATED,
        )
    # Any fixed order will do: shortest first saves padding.
    if len({tuple(order) for order in orders if order != sorted(order)}) > 1:
        check.fail(
            "rule",
            "the validation data are shuffled, which only makes runs harder to compare: shuffle=False",
            symptom=Symptom.VALIDATION_SHUFFLED,
        )


@only_behind(trains)
def keeps_best(check: Any, facts: dict, way: dict) -> None:
    held, told = [file["epoch"] for file in way["files"]], way["told"]
    if not held:
        check.fail(
            "rule", "no checkpoint is left on disk: save the model's state below ./checkpoints", symptom=Symptom.NO_CHECKPOINT
        )
    if max(held) < 0:
        symptom, words = {
            -1: (Symptom.NO_EPOCHS_WEIGHTS, "holds the weights of no epoch's end"),
            -2: (Symptom.UNLOADABLE, "cannot be loaded"),
            -3: (Symptom.NO_WEIGHTS, "holds no weights"),
        }[max(held)]
        check.fail("rule", f"the checkpoint {words}", symptom=symptom)
    if not told:
        check.note(
            "main trains by itself and not through train_one_epoch and evaluate, so it was only seen that weights are kept"
        )
        return
    best, last = int(np.argmax(told)), way["epochs"] - 1
    if best in held:
        if len({n for n in held if n >= 0}) > best + 1:
            check.note("weights of other epochs are kept too; only the best ones are asked for")
        return
    if last in held:
        once = len(set(way["saves"])) <= 1
        check.fail(
            "rule",
            f"the checkpoint holds the last epoch's weights, but epoch {best + 1} of {way['epochs']} had the best validation accuracy: "
            "save only when it is better than before" + ", and copy a state_dict that you only remember" * once,
            symptom=Symptom.LAST_EPOCH_REMEMBERED if once else Symptom.LAST_EPOCH,
        )
    known = {int(np.argmin(told)): Symptom.WORST_EPOCH, 0: Symptom.FIRST_EPOCH}
    check.fail(
        "rule",
        f"the checkpoint holds the weights of epoch {max(held) + 1}, but epoch {best + 1} had the best validation accuracy",
        symptom=known.get(max(held), Symptom.ANOTHER_EPOCH),
    )


RULES = {
    "3.dataset.len": {"counts": counts},
    "3.dataset.getitem": {"right_items": right_items},
    "3.dataset.iter": {"in_full": in_full, "again": again},
    "3.collate": {
        "contract": contract,
        "right_texts": right_texts,
        "longest": longest,
        "truncated": truncated,
        "masked": masked,
        "labelled": labelled,
    },
    "3.compute_accuracy": {"accuracies": accuracies},
    "3.train_one_epoch": {
        "learns": learns,
        "in_order": in_order,
        "afresh": afresh,
        "train_mode": train_mode,
        "every_batch": every_batch,
        "right_loss": right_loss,
    },
    "3.evaluate": {"eval_mode": eval_mode, "no_graph": no_graph, "untouched": untouched, "true_accuracy": true_accuracy},
    "3.main": {"trains": trains, "shuffled": shuffled, "validated": validated, "keeps_best": keeps_best},
}

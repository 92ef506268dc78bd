"""Rules for train_one_epoch and main (section 3, steps 3 and 4)."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.checks import shown
from autograder.checks.compare import Failure

from .dataset import Silent, only_after
from .symptoms import Symptom
from .told import is_marked, plausible

PARAMETERS = ("num_epochs", "NUM_EPOCHS", "epochs", "EPOCHS", "n_epochs", "N_EPOCHS", "num_train_epochs", "batch_size")
PARALLEL = 0.999  # cosine of gradients that differ only by rounding or clipping
SAME = 1 - 1e-6  # cosine of gradients that are one, seen twice
SAME_LOSS = 0.9  # cosine with the expected gradient: smoothing or weighting the loss may turn it a little


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
    if "S" not in events:
        check.fail(
            "rule", "no parameter changes: is step() called, on the optimizer that is passed in?", symptom=Symptom.NO_STEP
        )
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


@only_after(learns)
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
            "the last gradients of the epoch are never used: an optimizer.step() is missing after loss.backward()",
            symptom=Symptom.LAST_UNUSED_AFTER_ONE_STEP if done.count("S") == 1 else Symptom.LAST_UNUSED,
        )


@only_after(learns)
def cleared(check: Any, facts: dict, way: dict) -> None:
    try:
        in_order(Silent(), facts, way)
    except Failure as failure:
        if failure.data["symptom"] is Symptom.STEP_BEFORE_BACKWARD:
            return  # ``in_order`` reports it
    for fresh, used in list(zip(way["fresh"], way["gradients"]))[1:]:
        if cosine(fresh, used) < PARALLEL:
            check.fail(
                "rule",
                "gradients accumulate from batch to batch: call optimizer.zero_grad() once for every step",
                symptom=Symptom.GRADIENTS_PILE_UP,
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
    flat = [n for batch in used for n in batch]
    if len(used) == 1:
        check.fail(
            "numbers",
            f"only one of {len(want)} batches is trained on: is a `return` or `break` inside the loop, or the step after it?",
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


@only_after(learns)
def right_loss(check: Any, facts: dict, way: dict) -> None:
    if way["own"] or not way["fresh"] or way["used"][:1] != facts["batches"][:1] or way["events"].replace("F", "")[:1] != "B":
        return
    got = cosine(way["fresh"][0], facts["gradient"])
    if "BB" not in way["events"].replace("F", "").split("S")[0] and got < SAME_LOSS:
        check.fail(
            "numbers",
            "the gradients are not those of the cross-entropy between the model's logits and the batch's labels"
            + (": the sign is flipped" if got < -SAME_LOSS else ""),
            symptom=Symptom.LOSS_NEGATED if got < -SAME_LOSS else Symptom.OTHER_LOSS,
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
    """The cosine of the angle between two flat arrays; 0 if one is zero, 1 if both are."""
    lengths = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    return float(a @ b) / (lengths[0] * lengths[1]) if all(lengths) else float(not any(lengths))


def trains(check: Any, facts: dict, way: dict) -> None:
    if reason := plausible(way, facts["sizes"]):
        check.flag(f"the run of main cannot have been as reported: {reason}")
        check.fail(
            "protocol",
            "what this run of main reports does not fit what the grader told it: does the code change how it is observed?",
        )
    if not way["told"]["epochs"]:
        check.fail(
            "rule",
            "main ends without training for a single epoch: its TODO is not filled in yet, or train_one_epoch is never called",
            symptom=Symptom.NO_EPOCH,
        )
    for rule in (_batches_are_made, _on_training_data, _one_model, _as_asked):
        rule(check, way)


def _batches_are_made(check: Any, way: dict) -> None:
    reason = next((start["loader"] for start in way["starts"] if start["loader"]), "")
    if reason:
        bare = reason == "no collate_fn"
        check.fail(
            "rule",
            "no batch can be drawn from the DataLoader that main trains on: "
            + ("it has no collate_fn" if bare else f"it raises {named(reason)}")
            + "; pass collate_fn=SST2Dataset.collate_fn",
            symptom=Symptom.NO_COLLATE_FN if bare else Symptom.NO_BATCHES,
        )
    raised = [start["raised"] for start in way["starts"]]
    if raised and all(raised):
        check.fail(
            "rule",
            f"each call of train_one_epoch in main raises {named(raised[0])}, so nothing is trained: do its arguments fit?",
            symptom=Symptom.TRAINING_RAISES,
        )
    _batches_last(check, [one["batches"] for one in way["passes"] if one["training"]])


def _batches_last(check: Any, batches: list[int | None]) -> None:
    if batches and batches[0] and 0 in batches:
        check.fail(
            "rule",
            f"epoch {batches.index(0) + 1} trains on no batch: what yields the batches is used up by then; make it anew in "
            "each epoch",
            symptom=Symptom.USED_UP,
        )


def _on_training_data(check: Any, way: dict) -> None:
    for one in way["passes"]:
        for split in ("test", "validation") if one["training"] else ():
            if one["foreign"][split]:
                check.fail(
                    "rule",
                    f"main trains on {'the' if one['split'] == split else 'sentences of the'} {split} set, whose accuracy then "
                    'says nothing about new sentences: train on the split "train" alone',
                    symptom=Symptom.TRAINED_ON_TEST if split == "test" else Symptom.TRAINED_ON_VALIDATION,
                )


def _one_model(check: Any, way: dict) -> None:
    starts = way["starts"]
    at = next((n for n, start in enumerate(starts) if start["holds"] is False), None)
    if at is not None:
        check.fail(
            "rule",
            f"in epoch {at + 1} the optimizer holds no parameter of the model that is trained, so its steps do not change it: "
            "before the loop, make one model and, from its parameters, the optimizer",
            symptom=Symptom.FOREIGN_OPTIMIZER,
        )
    if len(starts) > 2 and all(start["anew"] for start in starts[1:]):
        check.fail(
            "rule",
            "every epoch trains a new model, so none is trained for longer than one: make the model before the loop",
            symptom=Symptom.NEW_MODELS,
        )


def _as_asked(check: Any, way: dict) -> None:
    if way["ignored"]:
        check.fail(
            "rule",
            f"main never uses its parameter {parameter(way['ignored'][0])}, so every call of it does the same",
            symptom=Symptom.PARAMETER_IGNORED,
        )
    epochs = way["told"]["epochs"]
    if way["counts_epochs"] or not way["called"] or epochs == way["asked"]:
        return
    if epochs == 1:
        check.fail(
            "rule",
            "main trains for one epoch only: call train_one_epoch in a loop over num_epochs",
            symptom=Symptom.ONE_EPOCH,
        )
    check.note(f"main trains for {epochs} epochs, whatever num_epochs is (no points depend on it)")


def orders_of(way: dict, split: str, training: bool) -> list[dict]:
    """The passes over a split that show an order."""
    return [one for one in way["passes"] if one["split"] == split and one["training"] == training and one["order"]]


@only_after(trains)
def shuffled(check: Any, facts: dict, way: dict) -> None:
    passes = orders_of(way, "train", training=True)
    same = all(one["order"] == passes[0]["order"] for one in passes)
    # A notebook that trains on a sample of the sentences has them in an order of its own.
    repeated = len(passes) > 1 and same and len(passes[0]["order"]) > 1
    if passes and all(one["sorted_by"] or (repeated and one["unshuffled"]) for one in passes):
        order = "the same order" if same else f"the order of their {passes[0]['sorted_by']}"
        check.fail(
            "rule",
            f"the training data come in {order} in every epoch: shuffle=True is missing",
            symptom=Symptom.NOT_SHUFFLED,
        )


@only_after(trains)
def validated(check: Any, facts: dict, way: dict) -> None:
    _evaluates(check, way["evaluations"])
    evaluated = [one for one in way["passes"] if not one["training"]]
    orders = [one["order"] for one in orders_of(way, "validation", training=False)]
    if not orders and all(one["split"] for one in evaluated):
        tested = bool(orders_of(way, "test", training=False))
        check.fail(
            "rule",
            "the validation set is never evaluated" + ("; the test set is evaluated instead" if tested else ""),
            symptom=Symptom.TESTED_INSTEAD if tested else Symptom.NEVER_VALIDATED,
        )
    # Any fixed order will do: shortest first saves padding.
    if len({tuple(order) for order in orders if order != sorted(order)}) > 1:
        check.fail(
            "rule",
            "the validation data are shuffled, which only makes runs harder to compare: shuffle=False",
            symptom=Symptom.VALIDATION_SHUFFLED,
        )


def _evaluates(check: Any, raised: list[str]) -> None:
    if raised and all(raised):
        check.fail(
            "rule",
            f"each call of evaluate in main raises {named(raised[0])}, so nothing is evaluated: do its arguments fit?",
            symptom=Symptom.EVALUATION_RAISES,
        )


@only_after(trains)
def keeps_best(check: Any, facts: dict, way: dict) -> None:
    held, reported = [file["epoch"] for file in way["files"]], way["told"]["reported"]
    if not held:
        check.fail(
            "rule", "no checkpoint is left on disk: save the model's state below ./checkpoints", symptom=Symptom.NO_CHECKPOINT
        )
    if max(held) < 0:
        symptom, words = {
            -1: (Symptom.NO_EPOCHS_WEIGHTS, "holds weights that no epoch ended with"),
            -2: (Symptom.UNLOADABLE, "cannot be loaded"),
            -3: (Symptom.NO_WEIGHTS, "holds no weights"),
        }[max(held)]
        check.fail("rule", f"the checkpoint {words}", symptom=symptom)
    _chosen(check, way["evaluations"], reported)
    if not reported:
        check.note("main does not choose by what evaluate returns, so the only thing checked is that it saves weights")
        return
    epochs = way["told"]["epochs"]
    best, last = int(np.argmax(reported)), epochs - 1
    if best in held:
        _marked(check, way, best)
        if len({n for n in held if n >= 0}) > best + 1:
            check.note("weights of other epochs are kept too; only the best ones are asked for")
        return
    if last in held:
        once = len(set(way["saves"])) <= 1
        check.fail(
            "rule",
            f"the checkpoint holds the last epoch's weights, but epoch {best + 1} of {epochs} had the best validation "
            "accuracy: save only when it improves" + ", and copy a state_dict that you keep in memory" * once,
            symptom=Symptom.LAST_EPOCH_REMEMBERED if once else Symptom.LAST_EPOCH,
        )
    known = {int(np.argmin(reported)): Symptom.WORST_EPOCH, 0: Symptom.FIRST_EPOCH}
    check.fail(
        "rule",
        f"the checkpoint holds the weights of epoch {shown.number(max(held) + 1, 200)}, but epoch {best + 1} had the best "
        "validation accuracy",
        symptom=known.get(max(held), Symptom.ANOTHER_EPOCH),
    )


def _marked(check: Any, way: dict, best: int) -> None:
    """Flag a checkpoint of the best epoch in whose bytes the judge's numbers are not: it may hold only other weights."""
    if not any(is_marked(file["raw"], way["told"]["marks"][best]) for file in way["files"] if file["epoch"] == best):
        check.flag("the checkpoint of main does not hold the numbers that the grader put into the weights")


def _chosen(check: Any, raised: list[str], reported: list[float]) -> None:
    """Where ``evaluate`` is called, the weights have to be chosen by an accuracy on the validation set."""
    if raised and (all(raised) or not reported):
        check.fail(
            "rule",
            "the weights cannot be chosen by the validation accuracy, because main never gets one",
            symptom=Symptom.NOT_CHOSEN,
        )


def named(error: str) -> str:
    return shown.named(error, "an exception of your own")


def parameter(name: str) -> str:
    """The name of one of main's parameters, if it is a usual one."""
    return name if name in PARAMETERS else "for epochs or the batch size"

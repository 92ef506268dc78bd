"""Rules for main (section 3, step 4)."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.checks import shown

from .dataset import only_after
from .symptoms import Symptom
from .told import MAX_PASSES, is_marked, plausible

NEAR = 0.01  # less than this between two accuracies is little
ENOUGH = 4  # sentences in batches of one, to tell that from a last batch
PARAMETERS = ("num_epochs", "NUM_EPOCHS", "epochs", "EPOCHS", "n_epochs", "N_EPOCHS", "num_train_epochs", "batch_size")


INSTEAD = {  # split -> what is said where it is evaluated, and the validation set is not
    "test": ("; the test set is evaluated instead", Symptom.TESTED_INSTEAD),
    "train": ("; the training set is evaluated instead", Symptom.TRAINING_EVALUATED),
}


def trained(check: Any, facts: dict, way: dict) -> None:
    if reason := plausible(way, facts["sizes"]):
        check.flag(f"the run of main cannot have been as reported: {reason}")
        check.fail(
            "protocol",
            "what this run of main reports does not fit what the grader told it: does the code replace functions of libraries? "
            "If not, please tell the staff",
        )
    if not way["told"]["epochs"]:
        check.fail(
            "rule",
            "main ends without training for a single epoch: its TODO is not filled in yet, or train_one_epoch is never called",
            symptom=Symptom.NO_EPOCH,
        )
    for rule in (_batches_are_made, _on_training_data, _one_model, _as_asked):
        rule(check, way)


def trains(check: Any, facts: dict, way: dict) -> None:
    trained(check, facts, way)
    starts = way["starts"]
    if len(starts) > 2 and all(start["again"] for start in starts[1:]):
        check.fail(
            "rule",
            "every epoch begins with a new optimizer, without what the last one had gathered about the gradients: make it "
            "once, before the loop",
            symptom=Symptom.OPTIMIZER_ANEW,
        )
    _as_many(check, way)
    passes = orders_of(way, "train", training=True)
    if passes and all(one["batches"] == len(one["order"]) > ENOUGH for one in passes):
        check.fail(
            "rule",
            "main trains on one sentence at a time, not on batches of batch_size of them (a DataLoader that is not given "
            "batch_size takes one)",
            symptom=Symptom.BATCHES_OF_ONE,
        )


def _as_many(check: Any, way: dict) -> None:
    """Fails where the code shows that its epochs are too few; asks where it may stop early with good reason."""
    epochs, asked = way["told"]["epochs"], way["asked"] or 0
    if not way["called"]:
        return
    if epochs == 1 and way["leaves_at_once"]:
        check.fail(
            "rule",
            "main trains for one epoch only: its loop over the epochs ends in the first pass",
            symptom=Symptom.LOOP_LEFT,
        )
    if way["one_fewer"] and asked == epochs + 1:
        check.fail(
            "rule",
            f"main trains for {epochs} epochs where {asked} are asked for: "
            + ("range(1, n) has only n - 1 numbers" if way["one_fewer"] == "from one" else "its range has one number too few"),
            symptom=Symptom.ONE_EPOCH_FEWER,
        )
    if way["counts_epochs"] and epochs < asked:
        check.note(
            f"main ends after {counted(epochs, 'epoch')} where {asked} are asked for: is it meant to stop early? "
            "(no points depend on it)"
        )


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + "s" * (number != 1)


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


@only_after(trained)
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


def _evaluates_all(check: Any, way: dict) -> None:
    passes = orders_of(way, "validation", training=False)
    if cut := next((one for one in passes if one["left_out"] > 0), None):
        seen = len(cut["order"])
        check.fail(
            "rule",
            f"evaluate sees only {seen} of {seen + cut['left_out']} validation sentences: drop_last=True leaves out those that "
            "do not fill a batch",
            symptom=Symptom.VALIDATION_CUT,
        )


@only_after(trained)
def validated(check: Any, facts: dict, way: dict) -> None:
    _evaluates(check, way["evaluations"])
    evaluated = [one for one in way["passes"] if not one["training"]]
    orders = [one["order"] for one in orders_of(way, "validation", training=False)]
    if not orders and all(one["split"] for one in evaluated):
        other = next((name for name in INSTEAD if orders_of(way, name, training=False)), "")
        words, symptom = INSTEAD.get(other, ("", Symptom.NEVER_VALIDATED))
        check.fail("rule", f"the validation set is never evaluated{words}", symptom=symptom)
    _evaluates_all(check, way)
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


@only_after(trained)
def keeps_best(check: Any, facts: dict, way: dict) -> None:
    held, reported = [file["epoch"] for file in way["files"]], way["told"]["reported"]
    if held and way["without_tokenizer"]:
        check.note(
            "save_pretrained saves the model, but no file of the tokenizer stands beside it: from_pretrained needs both "
            "(no points depend on it)"
        )
    if not held:
        check.fail(
            "rule", "no checkpoint is left on disk: save the model's state below ./checkpoints", symptom=Symptom.NO_CHECKPOINT
        )
    if max(held) < 0:
        symptom, words = {
            -1: (Symptom.NO_EPOCHS_WEIGHTS, "holds weights that no epoch ended with"),
            -2: (Symptom.UNLOADABLE, "cannot be loaded"),
            -3: (Symptom.NO_WEIGHTS, "holds no weights"),
            -4: (
                Symptom.PART_OF_THE_WEIGHTS,
                "holds the weights of a part of the model only, and the rest is random where they are loaded: save all of them",
            ),
        }[max(held)]
        check.fail("rule", f"the checkpoint {words}", symptom=symptom)
    _chosen(check, way, held)
    if not reported:
        check.note("main does not choose by what evaluate returns, so the only thing checked is that it saves weights")
        return
    best = int(np.argmax(reported))
    if best in held:
        _marked(check, way, best)
        if len({n for n in held if n >= 0}) > best + 1:
            check.note("weights of other epochs are kept too; only the best ones are asked for")
        return
    _other_epoch(check, way, held, best)


def _other_epoch(check: Any, way: dict, held: list[int], best: int) -> None:
    """Fails where the checkpoint holds the weights of other epochs than the best one: says which, and why if that is known."""
    reported, epochs = way["told"]["reported"], way["told"]["epochs"]
    late = way["evaluated_after"][:1] == [0] and best + 1 in held
    if epochs - 1 in held and not late:
        times = len(set(way["saves"]))  # a model may also be saved in ways that are not seen
        each = set(way["saves"]) >= set(range(1, epochs + 1))
        by_saves = {0: Symptom.LAST_EPOCH_SOMEHOW, 1: Symptom.LAST_EPOCH_REMEMBERED}
        check.fail(
            "rule",
            f"the checkpoint holds the last epoch's weights, but epoch {best + 1} of {epochs} had the best validation "
            "accuracy: save only when it is better than all before"
            + ", and copy a state_dict that you keep in memory"
            * (times == 1),
            symptom=Symptom.LAST_EPOCH if each else by_saves.get(times, Symptom.LAST_EPOCH_SOMEHOW),
        )
    last = max(held)
    near = 0 <= last < best and reported[best] - reported[last] < NEAR
    known = {int(np.argmin(reported)): Symptom.WORST_EPOCH, 0: Symptom.FIRST_EPOCH}
    symptom = Symptom.EPOCH_AFTER_THE_BEST if late else known.get(last, Symptom.ANOTHER_EPOCH)
    check.fail(
        "rule",
        f"the checkpoint holds the weights of epoch {shown.number(last + 1, 200)}, but epoch {best + 1} had the best "
        "validation accuracy"
        + ": evaluate comes before train_one_epoch, which changes the weights before they are saved" * late
        + ", if only by a little: is it rounded, or does it have to be better by some margin?" * near,
        symptom=Symptom.SMALL_GAIN_LOST if near else symptom,
    )


def _marked(check: Any, way: dict, best: int) -> None:
    """Flag a checkpoint of the best epoch in whose bytes the judge's numbers are not: it may hold only other weights."""
    if not any(is_marked(file["raw"], way["told"]["marks"][best]) for file in way["files"] if file["epoch"] == best):
        check.flag("the checkpoint of main does not hold the numbers that the grader put into the weights")


def _chosen(check: Any, way: dict, held: list[int]) -> None:
    """The weights have to be chosen by an accuracy on the validation set."""
    raised, reported = way["evaluations"], way["told"]["reported"]
    others = [one["split"] for one in way["passes"] if not one["training"]]
    # Of an epoch that main trains by itself, or of more passes than a probe reports, the passes may not be all.
    unseen = way["called"] and len(way["passes"]) < MAX_PASSES and {*others} <= {"train", "test"}
    if unseen or (raised and (all(raised) or not reported)):
        check.fail(
            "rule",
            "the weights cannot be chosen by the validation accuracy, because main never gets one",
            symptom=Symptom.NOT_CHOSEN,
        )
    if way["unused"] and set(held) >= set(range(way["told"]["epochs"])):
        check.fail(
            "rule",
            "the weights of every epoch are kept, whatever evaluate returns: main does nothing with its accuracy, or only "
            "prints it. Save the weights if the accuracy is the best so far",
            symptom=Symptom.EVERY_EPOCH,
        )


def named(error: str) -> str:
    return shown.named(error, "an exception of your own")


def parameter(name: str) -> str:
    """The name of one of main's parameters, if it is a usual one."""
    return name if name in PARAMETERS else "for epochs or the batch size"

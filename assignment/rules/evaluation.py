"""Rules for evaluate (section 3, step 3)."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.checks import shown

from .dataset import only_after
from .metrics import close, number_of, other_measures, recognised, rounded, shown_number
from .symptoms import Symptom
from .training import masked

OF_BATCHES = {Symptom.MEAN_OF_BATCHES, Symptom.LAST_BATCH, Symptom.FIRST_BATCH, Symptom.SUM_OF_BATCHES}


def runs(check: Any, facts: dict, way: dict) -> None:
    """Nothing holds of an ``evaluate`` that never calls the model."""
    if not way["modes"]:
        number_of(check, way["result"], "evaluate")
        check.fail("rule", "evaluate never calls the model", symptom=Symptom.NEVER_CALLED)


LEFT_OFF = {
    "gradients": ("gradients switched off", "`with torch.no_grad():` ends with its block"),
    "parameters": ("parameters with requires_grad = False", "`with torch.no_grad():` is enough, and ends with its block"),
}


def eval_mode(check: Any, facts: dict, way: dict) -> None:
    runs(check, facts, way)
    if any(way["modes"]):
        check.fail(
            "rule",
            "the model is in training mode while it is evaluated: dropout changes its answers; call model.eval() first",
            symptom=Symptom.IN_TRAINING_MODE,
        )


@only_after(runs)
def no_graph(check: Any, facts: dict, way: dict) -> None:
    if any(way["graphs"]):
        check.fail(
            "rule",
            "evaluate builds a graph for gradients, which costs memory and time: call the model inside `with torch.no_grad():`",
            symptom=Symptom.GRAPH_BUILT,
        )
    if way["left_off"]:
        what, instead = LEFT_OFF[way["left_off"]]
        check.fail(
            "rule",
            f"evaluate leaves {what}, and nothing switches that on again, so the training of the next epoch fails: {instead}",
            symptom=Symptom.GRADIENTS_LEFT_OFF,
        )
    if not way["gradients"]:
        check.note(
            "evaluate leaves gradients switched off (no points depend on it): unless training switches them on again, its next "
            "backward() raises; `with torch.no_grad():` ends with its block"
        )


@only_after(runs)
def untouched(check: Any, facts: dict, way: dict) -> None:
    if way["weights_changed"]:
        check.fail(
            "rule",
            "the weights are different after evaluate: evaluation must not train the model",
            symptom=Symptom.WEIGHTS_MOVED,
        )


def _works_with_one(check: Any, way: dict) -> None:
    """Fails where ``evaluate`` raises an exception with a sentence that is alone in its batch."""
    if way["alone"]:
        check.fail(
            "rule",
            f"evaluate raises {shown.named(way['alone'], 'an exception')} where the last batch has a single sentence, and "
            "works without that one: a squeeze(), say, takes away the dimension of the sentences too if there is only one",
            symptom=Symptom.SINGLE_SENTENCE,
        )


def _predicts_all(check: Any, facts: dict, way: dict) -> None:
    """Fails where ``evaluate`` does not have one prediction, made with the mask, for each label."""
    if way["counts"] and way["counts"][0] != way["counts"][1]:
        got, labels = (shown.number(count) for count in way["counts"])
        batches = -(-len(facts["labels"]) // facts["batch"])
        over = way["counts"] == [2 * batches, len(facts["labels"])]
        check.fail(
            "numbers",
            f"evaluate passes {got} predictions and {labels} labels to compute_accuracy"
            + (": two for each batch, as an argmax over its sentences gives; classes are the last dimension" if over else ""),
            symptom=Symptom.OVER_SENTENCES if over else Symptom.OTHER_COUNTS,
        )
    masked(check, way)


@only_after(runs)
def true_accuracy(check: Any, facts: dict, way: dict) -> None:
    _works_with_one(check, way)
    _predicts_all(check, facts, way)
    result = number_of(check, way["result"], "evaluate")
    # Dropout makes predictions random: what the model answered counts then.
    predicted = way["predicted"] if way["own"] or any(way["modes"]) else facts["predicted"]
    hits = np.array(predicted) == np.array(facts["labels"])
    want = hits.mean()
    if close(result, want):
        _keeps_nothing(check, facts, way, hits)
        return
    if close(result, 100 * want):
        check.note("evaluate returns a percentage; a fraction between 0 and 1 is expected (no points depend on it)")
        return
    if not way["drawn"]:
        _ignores_its_loader(check)
    known = _other_shares(facts, way, hits) | rounded(result, want)
    # What is no class at all comes first: it may give any number, such as none right.
    symptom, words = _passed(facts, way, predicted) if way["scores"] else _of_some_batches(result, facts, way["predicted"])
    if symptom is Symptom.OTHERWISE:
        symptom, words = _instead(result, known)
    if symptom is Symptom.OTHERWISE:
        symptom, words = _passed(facts, way, predicted)
    if symptom is Symptom.OTHERWISE:
        symptom, words = _instead(result, other_measures(result, [(predicted, facts["labels"])]))
    if symptom is Symptom.OTHERWISE and -1 not in way["predicted"]:
        symptom, words = _divided(result, hits)
    check.fail(
        "numbers",
        f"evaluate returns {shown_number(result)}, which is not the share of right answers{words}",
        symptom=symptom,
    )


def _instead(result: float, known: dict[Symptom, tuple[Any, str]]) -> tuple[Symptom, str]:
    symptom, words = recognised(result, known)
    return symptom, f" but {words}" if words else ""


def _of_some_batches(result: float, facts: dict, predicted: list[int]) -> tuple[Symptom, str]:
    """Symptom and words if the result is the accuracy on several batches, all that the model saw (other sentences: -1)."""
    labels, seen = facts["labels"], [n for n, guess in enumerate(predicted) if guess >= 0]
    if not facts["batch"] < len(seen) < len(labels) or not close(result, np.mean([predicted[n] == labels[n] for n in seen])):
        return Symptom.OTHERWISE, ""
    return Symptom.SOME_BATCHES, f" of all sentences, but of the {len(seen)} (of {len(labels)}) that the model is given"


def _divided(result: float, hits: np.ndarray) -> tuple[Symptom, str]:
    """Symptom and words if the result may be the number of right answers divided by another one than that of sentences."""
    if (divisor := whole_divisor(hits.sum(), result)) in (0, len(hits)):
        return Symptom.OTHERWISE, ""
    return Symptom.OTHER_DIVISOR, (
        f": it is as if the number of right answers were divided by {divisor}, and there are {len(hits)} sentences"
    )


def _keeps_nothing(check: Any, facts: dict, way: dict, hits: np.ndarray) -> None:
    """A second call, on the first sentences alone, is right too, if it could be made and nothing is random."""
    few = hits[: facts["batch"] + 1]
    again = way["again"] if isinstance(way["again"], (int, float)) else few.mean()
    if any(way["modes"]) or close(again, few.mean()) or close(again, 100 * few.mean()):
        return
    if not way["drawn"]:
        _ignores_its_loader(check)
    if close(way["result"], way["everything"] if isinstance(way["everything"], (int, float)) else np.nan):
        check.fail(
            "numbers",
            f"evaluate is right for all sentences together, each time, but for the first {len(few)} of them, with "
            f"{few.sum()} right answers, it returns {shown_number(again)}: does a prediction depend on the other sentences of "
            "its batch, or on how many there are?",
            symptom=Symptom.BY_ITS_BATCH,
        )
    check.fail(
        "numbers",
        f"evaluate is right the first time, but a second call, on {len(few)} sentences with {few.sum()} right answers, "
        f"returns {shown_number(again)}: is something from the first call still there?",
        symptom=Symptom.KEPT_BETWEEN_CALLS,
    )


def _ignores_its_loader(check: Any) -> None:
    check.fail(
        "rule",
        "evaluate takes no batch from the dataloader that it is given: loop over that one",
        symptom=Symptom.LOADER_IGNORED,
    )


def whole_divisor(count: float, share: float) -> int:
    """The whole number by which a count was divided to give this share; 0 if there is none."""
    divisor = count / share if share > 0 else 0.0
    return round(divisor) if 0 < divisor < 1e6 and abs(divisor - round(divisor)) < 1e-4 * divisor else 0


def _other_shares(facts: dict, way: dict, hits: np.ndarray) -> dict[Symptom, tuple[Any, str]]:
    """Entries for ``recognised``: what else than the share of right answers may come back."""
    batches = [hits[n : n + facts["batch"]] for n in range(0, len(hits), facts["batch"])]
    known: dict[Symptom, tuple[Any, str]] = {
        Symptom.MEAN_OF_BATCHES: (
            np.mean([b.mean() for b in batches]),
            "the mean over batches: the last one is smaller, so its sentences count more",
        ),
        Symptom.COUNT: (hits.sum(), "the number of right answers, not their share"),
        Symptom.WRONG_SHARE: (1 - hits.mean(), "the share of wrong answers"),
        Symptom.LAST_BATCH: (batches[-1].mean(), "the accuracy of the last batch alone"),
        Symptom.FIRST_BATCH: (batches[0].mean(), "the accuracy of the first batch alone"),
        Symptom.BY_BATCHES: (hits.sum() / len(batches), "the number of right answers divided by the number of batches"),
        Symptom.MEAN_LOSS_OF_BATCHES: (facts["losses"][0], "the mean loss"),
        Symptom.MEAN_LOSS: (facts["losses"][1], "the mean loss"),
        Symptom.SUM_OF_BATCHES: (np.sum([b.mean() for b in batches]), "the sum of the batches' accuracies"),
    }
    if way["calls"] == 1 and len(way["passed"][:1] and way["passed"][0]) == len(hits):  # so it is about no single batch
        known = {symptom: one for symptom, one in known.items() if symptom not in OF_BATCHES}
    return known


def _passed(facts: dict, way: dict, predicted: list[int]) -> tuple[Symptom, str]:
    """What is wrong with the classes that ``compute_accuracy`` is given: symptom and words; ``predicted``: the model's own."""
    if way["scores"]:
        return Symptom.SCORES_AS_CLASSES, (
            ": what it passes to compute_accuracy are not class numbers. The class is the place of the largest logit (argmax), "
            "not its value"
        )
    classes, labels = way["passed"] or ([], [])
    if classes and classes == labels and classes != predicted[: len(classes)]:
        return Symptom.OTHER_CLASSES, ": it passes the same to compute_accuracy twice, as predictions and as labels"
    if -1 in predicted[: len(classes)]:  # the model has not seen all of these sentences
        return Symptom.OTHERWISE, ""
    if classes != predicted[: len(classes)]:
        return Symptom.OTHER_CLASSES, (
            ": not all predictions that it passes to compute_accuracy are the class with the larger logit. Are the two logits "
            "of each sentence compared with each other (argmax)?"
        )
    if labels != facts["labels"][: len(labels)]:
        return Symptom.OTHER_LABELS_PASSED, ": the labels that it passes to compute_accuracy are not those of the batches"
    if 0 < len(classes) < len(predicted) and way["calls"] == 1:
        got, count = (shown.number(len(some)) for some in (classes, predicted))
        return Symptom.OTHER_COUNTS, f": only {got} of {count} predictions are passed to compute_accuracy"
    return Symptom.OTHERWISE, ""

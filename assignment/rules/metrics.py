"""Rules for compute_accuracy (section 3, step 3), and what those for evaluate share with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.checks.compare import is_blank, name_of, shape_text, size_text

from .symptoms import Symptom

CLASSES, SCORES = "class numbers", "scores of both classes"
LARGEST = 1e30  # no accuracy, but still a number to calculate with; NaN counts as one
CLOSE = 1e-4  # of accuracies: the smallest step on the probes' few sentences is 0.04


def number_of(check: Any, value: Any, what: str) -> float:
    """The number in a result: the result itself, its only element, or the first of several. Raises Failure."""
    if is_blank(value):
        check.fail(
            "rule",
            f"{what} returns None: its TODO is not filled in yet, or a `return` is missing",
            symptom=Symptom.NOTHING_RETURNED,
        )
    if isinstance(value, list) and value:
        check.note(f"{what} returns several values; the first was taken (no points depend on it)")
        value = value[0]
    if isinstance(value, np.ndarray) and value.size == 1:
        check.note(
            f"{what} returns a tensor or array; a float (.item()) is easier to store and compare (no points depend on it)"
        )
        value = value.item()
    if not isinstance(value, (bool, int, float)) or abs(value) > LARGEST:
        shape = f" of shape {shape_text(value.shape)}" if isinstance(value, np.ndarray) else ""
        check.fail("kind", f"{what} returns {name_of(value)}{shape}, expected one number", symptom=Symptom.NO_NUMBER)
    return float(value)


def shown_number(value: float) -> str:
    """A wrong result with two digits, as errors are shown: all of them could be a hidden input."""
    return f"{'-' * (value < 0)}{size_text(abs(value))}" if np.isfinite(value) else str(value)


def close(got: Any, want: Any) -> bool:
    return bool(np.allclose(got, want, rtol=0, atol=CLOSE))


def recognised(got: Any, known: dict[Symptom, tuple[Any, str]]) -> tuple[Symptom, str]:
    """The symptom, and its description, whose value a wrong result equals; OTHERWISE and '' if there is none, or several."""
    found = {words: symptom for symptom, (value, words) in known.items() if close(got, value)}
    if len(found) != 1:
        return Symptom.OTHERWISE, ""
    ((words, symptom),) = found.items()
    return symptom, words


def accuracies(check: Any, facts: dict, way: dict) -> None:
    results = [number_of(check, result, "compute_accuracy") for result in way["results"]]
    right = [sum(predicted == label for predicted, label in zip(*answer)) for answer in facts["answers"]]
    counts = [len(labels) for _, labels in facts["answers"]]
    want = np.array(right) / np.array(counts)
    if close(results, want):
        if way.get("takes") == SCORES:
            check.note("compute_accuracy takes the scores of both classes: evaluate has to pass it those, not class numbers")
        return
    if close(results, 100 * want):
        check.note("compute_accuracy returns a percentage; a fraction between 0 and 1 is expected (no points depend on it)")
        return
    known = {
        Symptom.ARGMAX_OF_CLASSES: (
            of_positions(facts["answers"]),
            "the share of labels equal to argmax(predictions), which is a position here, not a class",
        ),
        Symptom.COUNT: (right, "the number of right predictions, not their share"),
        Symptom.WRONG_SHARE: (1 - want, "the share of wrong predictions"),
        Symptom.ROUNDED: (np.round(want), "a rounded share"),
        Symptom.WHOLE_NUMBER: (want // 1, "a whole number: is // used, or is all compared at once (all, == of two lists)?"),
        Symptom.BY_CLASSES: (np.array(right) / 2, "the number of right predictions divided by the number of classes"),
    }
    known |= of_some_pairs(facts["answers"]) | other_measures(results, facts["answers"]) | rounded(results, want)
    if way.get("used") != CLASSES:
        del known[Symptom.ARGMAX_OF_CLASSES]
    symptom, words = recognised(results, known)
    given = f", given {way['used']} as evaluate passes them," if "used" in way else ""
    at = [abs(a - b) <= CLOSE for a, b in zip(results, want)].index(False)  # NaN is close to nothing
    check.fail(
        "numbers",
        f"compute_accuracy{given} gives {shown_number(results[at])} where {right[at]} of {counts[at]} predictions are right"
        + (f": it returns {words}" if words else ""),
        symptom=symptom,
    )


def rounded(got: Any, want: Any) -> dict[Symptom, tuple[Any, str]]:
    """An entry for ``recognised`` if the result is rounded to a few digits."""
    for digits in (1, 2, 3):
        if close(got, np.round(want, digits)):
            return {
                Symptom.ROUNDED_TO_DIGITS: (np.round(want, digits), f"a share rounded to {digits} digit{'s'[: digits - 1]}")
            }
    return {}


def of_some_pairs(answers: Any) -> dict[Symptom, tuple[Any, str]]:
    """Entries for ``recognised``: the results where not every pair of prediction and label is looked at."""
    pairs = [list(zip(predicted, labels)) for predicted, labels in answers]
    first = [(one[0][0] == one[0][1]) / len(one) for one in pairs]
    ones = [one.count((1, 1)) / len(one) for one in pairs]
    return {
        Symptom.FIRST_PAIR: (first, "what the first pair alone adds to it: is the `return` inside the loop?"),
        Symptom.ONES_ALONE: (ones, "the share where both are 1: two zeros are equal, too"),
    }


def other_measures(got: Any, answers: Any) -> dict[Symptom, tuple[Any, str]]:
    """An entry for ``recognised`` if the result is a measure of another kind, and it is clear which one."""
    measured = np.array([_measures(*answer) for answer in answers]).T
    found = [(values, words) for values, words in zip(measured, MEASURES) if close(got, values)]
    return {Symptom.OTHER_MEASURE: found[0]} if len(found) == 1 else {}


MEASURES = (
    "the recall of class 1: predictions for sentences of class 0 have to count, too",
    "the precision of class 1: sentences that are predicted as class 0 have to count, too",
    "the F1 score of class 1, not the accuracy",
    "the mean of the accuracies of the two classes: each sentence should count the same",
)


def _measures(predicted: Any, labels: Any) -> tuple[float, ...]:
    """What ``MEASURES`` names, for one list of predictions with its labels; 0 where nothing is to be counted."""
    one, true = np.array(predicted) == 1, np.array(labels) == 1
    hits, of_classes = (
        (one & true).sum(),
        [(one == true)[true == kind].mean() for kind in (True, False) if (true == kind).any()],
    )
    recall, precision = hits / max(true.sum(), 1), hits / max(one.sum(), 1)
    return recall, precision, 2 * hits / max(one.sum() + true.sum(), 1), float(np.mean(of_classes))


def of_positions(answers: Any) -> np.ndarray:
    """The share of labels that equal the position of the largest prediction, which is what argmax makes of class numbers."""
    return np.array([np.mean(np.array(labels) == np.argmax(predicted)) for predicted, labels in answers])

"""Rules for what section 3's probes observe, each with a message for the student who breaks it.

An observation may hold several ``ways`` to set up the student's code; the best of them counts. A rule's ``symptom`` says how it
is broken; known mistakes are recognised by the list of all rules' symptoms.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.checks.compare import SKIPPED, Failure

from . import batches, dataset, entire, evaluation, metrics, training
from .dataset import Silent
from .symptoms import NUMBERS, UNSPECIFIC, Symptom


def judge(check: Any, id: str, probe: Any, rule: str) -> None:
    """Hold what the probe observes against one rule of the question; raises Failure if it is broken.

    An observation is untrusted: one that has not the form of its probe's is the student's fault.
    """
    facts, seen = check.cases(id)[0].facts, probe()
    try:
        RULES[id][rule](check, facts, best_way(id, facts, seen))
    except Failure:
        raise
    except Exception:
        check.flag("an observation that no probe makes")
        check.fail(
            "protocol",
            "what came back could not be read: does the code replace functions of libraries? If not, please tell the staff",
        )


def symptoms(id: str, seen: dict, case: Any) -> np.ndarray | None:
    """One number for each rule of the question: 0 if it is kept, otherwise the number of its symptom.

    None if a symptom does not tell what was done (see ``UNSPECIFIC``): such an answer is like no known mistake.
    """
    numbers = _symptoms(id, case.facts, best_way(id, case.facts, seen))
    return None if np.isin(numbers, [NUMBERS[symptom] for symptom in UNSPECIFIC]).any() else numbers


def best_way(id: str, facts: dict, seen: dict) -> dict:
    """The observation itself or, if it holds several ways, the one that breaks the fewest rules."""
    return min(seen["ways"], key=lambda way: np.count_nonzero(_symptoms(id, facts, way))) if "ways" in seen else seen


def _symptoms(id: str, facts: dict, way: dict) -> np.ndarray:
    numbers = []
    for rule in RULES[id].values():
        try:
            rule(Silent(), facts, way)
            numbers.append(0.0)
        except Failure as failure:
            numbers.append(0.0 if failure.kind == SKIPPED else NUMBERS[failure.data.get("symptom", Symptom.OTHERWISE)])
        except Exception:  # what was observed is not even of the kind that the rule is about
            numbers.append(NUMBERS[Symptom.OTHERWISE])
    return np.array(numbers, dtype=np.float32)


RULES = {
    "3.dataset.len": {"counts": dataset.counts},
    "3.dataset.getitem": {"right_items": dataset.right_items},
    "3.dataset.iter": {"complete": dataset.complete, "repeatable": dataset.repeatable},
    "3.collate": {
        "well_formed": batches.well_formed,
        "right_texts": batches.right_texts,
        "longest": batches.longest,
        "truncated": batches.truncated,
        "masked": batches.masked,
        "labelled": batches.labelled,
    },
    "3.compute_accuracy": {"accuracies": metrics.accuracies},
    "3.train_one_epoch": {
        "learns": training.learns,
        "end_to_end": training.end_to_end,
        "in_order": training.in_order,
        "cleared": training.cleared,
        "train_mode": training.train_mode,
        "every_batch": training.every_batch,
        "right_loss": training.right_loss,
    },
    "3.evaluate": {
        "eval_mode": evaluation.eval_mode,
        "no_graph": evaluation.no_graph,
        "untouched": evaluation.untouched,
        "true_accuracy": evaluation.true_accuracy,
    },
    "3.main": {
        "trains": entire.trains,
        "shuffled": entire.shuffled,
        "validated": entire.validated,
        "keeps_best": entire.keeps_best,
    },
}

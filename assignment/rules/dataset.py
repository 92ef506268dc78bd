"""Rules for the dataset and its batches (section 3, step 1), and what all rules of that section share.

A rule takes ``check``, the ``facts`` of the question and what the probe observed of one way to set up the student's code; it
raises Failure if the rule is broken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.checks import shown
from autograder.checks.compare import SKIPPED, Failure, is_blank, name_of, shape_text

from .symptoms import Symptom

Rule = Callable[[Any, dict, dict], None]
LONGEST = 512
MOST_IDS = 100_000  # token ids in a batch of at most five sentences


class Silent:
    """A check that drops notes, doubts and flags, for trying rules out."""

    def note(self, text: str) -> None:
        pass

    doubt = flag = note

    def fail(self, kind: str, text: str, **data: Any) -> None:
        raise Failure(kind, text, data)


def filled(check: Any, value: Any, name: str) -> None:
    """Fail if the TODO is still untouched."""
    if is_blank(value):
        check.fail(
            "rule",
            f"{name} returns None: its TODO is not filled in yet, or a `return` is missing",
            symptom=Symptom.NOTHING_RETURNED,
        )


def only_after(first: Rule) -> Callable[[Rule], Rule]:
    """A decorator: skip the rule where the first one is broken, which is then all there is to report."""

    def decorate(rule: Rule) -> Rule:
        def later(check: Any, facts: dict, way: dict) -> None:
            try:
                first(Silent(), facts, way)
            except Failure:
                raise Failure(SKIPPED, "not judged: see what comes before it", {}) from None
            rule(check, facts, way)

        return later

    return decorate


def counts(check: Any, facts: dict, way: dict) -> None:
    filled(check, way["all"], "__len__")
    if way["kind"]:
        check.fail(
            "kind",
            f"__len__ returns a {shown.named(way['kind'], 'value')}, for which len() raises TypeError: "
            "return a whole number (int)",
            symptom=Symptom.NO_WHOLE_NUMBER,
        )
    got, want = (way["all"], way["three"]), (facts["count"], 3)
    if got == want:
        return
    known = {(want[0] - 1, 2): Symptom.ONE_TOO_FEW, (want[0] + 1, 4): Symptom.ONE_TOO_MANY}
    symptom = Symptom.CONSTANT if got[0] == got[1] else next((s for pair, s in known.items() if got == pair), Symptom.OTHERWISE)
    more = "; it does not depend on the data" if symptom is Symptom.CONSTANT else ""
    check.fail(
        "numbers",
        f"len() returns {shown.number(got[0])} and {shown.number(got[1])} for datasets of {want[0]} and 3 sentences{more}",
        symptom=symptom,
    )


def same_items(facts: dict, items: list, numbers: Any) -> list[bool]:
    return [
        normal(item["text"]) == normal(facts["texts"][n]) and item["label"] == facts["labels"][n]
        for item, n in zip(items, numbers)
    ]


def normal(text: Any) -> str:
    return "".join(text.lower().split()) if isinstance(text, str) else ""


def right_items(check: Any, facts: dict, way: dict) -> None:
    right = same_items(facts, way["items"], way["picks"])
    if all(right):
        _fits(check, way)
        return
    first = right.index(False)
    item, n = way["items"][first], way["picks"][first]
    if normal(item["text"]) == normal(facts["texts"][n]):
        missing = item["label"] is None
        check.fail(
            "rule",
            f"dataset[{n}] has the right text but "
            + ("no label" if missing else f"the label {shown.number(item['label'], 9)} instead of {facts['labels'][n]}"),
            symptom=Symptom.NO_LABEL if missing else Symptom.WRONG_LABEL,
        )
    filled(check, None if item["blank"] else True, "__getitem__")
    _wrong_text(check, facts, item, n)


def _fits(check: Any, way: dict) -> None:
    unfit, first = way["misfit"], way["picks"][0]
    if unfit:
        check.fail(
            "rule",
            f"dataset[{first}] is a {shown.named(unfit['kind'], 'value of a type of your own')}, on which your own collate_fn "
            f"raises {shown.named(unfit['error'], 'an exception of your own')}: return the SST2Example itself",
            symptom=Symptom.MISFIT,
        )


def _wrong_text(check: Any, facts: dict, item: dict, n: int) -> None:
    if item["text"] is None:
        what = "neither a text nor a label" if item["label"] is None else "a label but no text"
        check.fail(
            "rule",
            f"dataset[{n}] has {what}: it should be example number {n}",
            symptom=Symptom.NEITHER_TEXT_NOR_LABEL if item["label"] is None else Symptom.NO_TEXT,
        )
    texts = [normal(text) for text in facts["texts"]]
    place = texts.index(normal(item["text"])) if normal(item["text"]) in texts else -1
    check.fail(
        "rule",
        f"dataset[{n}] is " + (f"example number {place}" if place >= 0 else "none of the examples"),
        symptom=Symptom.ALWAYS_THE_FIRST if place == 0 else Symptom.ANOTHER_EXAMPLE if place >= 0 else Symptom.NO_EXAMPLE,
    )


def complete(check: Any, facts: dict, way: dict) -> None:
    _pass(check, facts, way, 0)


@only_after(complete)
def repeatable(check: Any, facts: dict, way: dict) -> None:
    _pass(check, facts, way, 1)
    if [a for a, b in way["pairs"] if a == b] != way["passes"][0]:
        check.note(
            "two iterators over the dataset interfere with each other (no points depend on it): __iter__ should return a new "
            "iterator each time"
        )


def _pass(check: Any, facts: dict, way: dict, number: int) -> None:
    filled(check, way["passes"], "__iter__")
    items, count = way["passes"][number], facts["count"]
    if (len(items) == count and all(same_items(facts, items, range(count)))) or items == way["own"]:
        return
    which = "the second time, " * number
    if len(items) != count:
        few = {0: Symptom.NO_ITEMS, 1: Symptom.ONE_ITEM}.get(len(items), Symptom.TOO_FEW_ITEMS)
        check.fail(
            "numbers",
            f"{which}iterating over a dataset of {count} examples gives {len(items)} items"
            + ": the iterator has run dry, so __iter__ has to return a new one" * number,
            symptom=few if len(items) < count else Symptom.TOO_MANY_ITEMS,
        )
    wrong = same_items(facts, items, range(count)).index(False)
    same = {normal(item["text"]) for item in items} == set(map(normal, facts["texts"]))
    check.fail(
        "rule",
        f"{which}iterating gives "
        + ("the examples in a different order than" if same else "other items than")
        + f" indexing, first at index {wrong}",
        symptom=Symptom.ANOTHER_ORDER if same else Symptom.OTHER_ITEMS,
    )


def well_formed(check: Any, facts: dict, way: dict) -> None:
    if "refused_by" in way:
        check.fail(
            "rule",
            f"{'dataset' if way['refused_by'] == 'dataset' else 'SST2Dataset'}.collate_fn cannot be called with a batch "
            "alone, as a DataLoader does: put @staticmethod "
            "above it, and leave out self",
            symptom=Symptom.NOT_STATIC,
        )
    for batch in (way["short"], way["long"]):
        _has_both_keys(check, batch)
        _holds_tensors(check, batch)
        ids, mask = batch["ids"], batch["mask"]
        if ids.ndim != 2 or ids.shape != mask.shape or ids.size > MOST_IDS:
            expected = (len(facts["short"]), LONGEST)
            check.fail(
                "shape",
                f"input_ids has shape {shape_text(ids.shape, expected)} and attention_mask {shape_text(mask.shape, expected)}: "
                "both should be (sentences, tokens)",
                symptom=Symptom.OTHER_DIMENSIONS,
            )
    if len(way["short"]["ids"]) != len(facts["short"]) or len(way["long"]["ids"]) != 3:
        check.fail(
            "shape",
            f"{len(facts['short'])} samples become {shown.number(len(way['short']['ids']), 99)} rows of input_ids",
            symptom=Symptom.OTHER_ROWS,
        )


def _has_both_keys(check: Any, batch: dict) -> None:
    filled(check, None if batch.get("kind") == "NoneType" else True, "collate_fn")
    if batch["keys"] is None:
        check.fail("kind", f"collate_fn returns {name_of({'$object': batch['kind']})}, not a dict", symptom=Symptom.NO_DICT)
    if not {"text_encoding", "label_encoding"} <= set(batch["keys"]):
        check.fail(
            "rule",
            f"the batch has the keys {', '.join(dict.fromkeys(map(shown.key, batch['keys'][:6])))}; it should have "
            "'text_encoding' and "
            "'label_encoding'",
            symptom=Symptom.OTHER_KEYS,
        )


def _holds_tensors(check: Any, batch: dict) -> None:
    values = {"input_ids": batch["ids"], "attention_mask": batch["mask"], "label_encoding": batch["labels"]}
    for (name, value), is_tensor in zip(values.items(), batch["tensors"]):
        if is_tensor:
            continue
        missing = is_blank(value)
        symptom = Symptom.TENSOR_MISSING if missing else Symptom.NO_TENSOR
        check.fail(
            "kind",
            f"{name} of the batch is " + ("missing" if missing else f"{name_of(value)}, not a tensor"),
            symptom=Symptom.LABELS_NO_TENSOR if name == "label_encoding" else symptom,
        )


def rows(batch: dict) -> list[list[int]]:
    """The token ids of each sentence, without padding."""
    return [[int(n) for n in row if n != 1] for row in batch["ids"]]


@only_after(well_formed)
def right_texts(check: Any, facts: dict, way: dict) -> None:
    got, want = rows(way["short"]), facts["short"]
    if got == want:
        return
    if sorted(got) == sorted(want):
        check.fail("rule", "the sentences of the batch are not in the order of the samples", symptom=Symptom.ANOTHER_ORDER)
    if got == [row[1:-1] for row in want]:
        check.fail("rule", "the tokens <s> and </s> around each sentence are missing", symptom=Symptom.NO_SPECIAL_TOKENS)
    cut = all(a == b[: len(a)] or a[:-1] == b[: len(a) - 1] for a, b in zip(got, want))
    check.fail(
        "rule",
        "input_ids are not what the tokenizer returns for the samples' texts" + ": they are cut short" * cut,
        symptom=Symptom.CUT_SHORT if cut else Symptom.OTHER_TOKENS,
    )


@only_after(well_formed)
def longest(check: Any, facts: dict, way: dict) -> None:
    width, want = way["short"]["ids"].shape[1], max(map(len, rows(way["short"])))
    if width != want:
        check.fail(
            "shape",
            f"a batch whose longest sentence has {want} tokens is padded to {shown.number(width)}: "
            "padding=True pads to the longest",
            symptom=Symptom.PADDED_TO_THE_MAXIMUM if width == LONGEST else Symptom.PADDED_OTHERWISE,
        )


@only_after(well_formed)
def truncated(check: Any, facts: dict, way: dict) -> None:
    width = way["long"]["ids"].shape[1]
    if width > LONGEST:
        check.fail(
            "shape",
            f"a text of {shown.number(width)} tokens stays {shown.number(width)} tokens long: "
            "truncation=True cuts at max_length=512",
            symptom=Symptom.NOT_TRUNCATED,
        )
    if rows(way["long"])[1] != facts["long"]:
        check.fail(
            "rule",
            f"a very long text should keep its first {LONGEST} tokens, but {shown.number(width)} are left",
            symptom=Symptom.TRUNCATED_OTHERWISE,
        )


@only_after(well_formed)
def masked(check: Any, facts: dict, way: dict) -> None:
    if not all(np.array_equal(batch["mask"] != 0, batch["ids"] != 1) for batch in (way["short"], way["long"])):
        check.fail(
            "numbers",
            "attention_mask should be 1 for every token and 0 for padding",
            symptom=Symptom.MASK_ALL_ONES if (way["short"]["mask"] != 0).all() else Symptom.OTHER_MASK,
        )


@only_after(well_formed)
def labelled(check: Any, facts: dict, way: dict) -> None:
    labels, dtype, want = way["short"]["labels"], way["short"]["dtype"].replace("torch.", ""), facts["short_labels"]
    if labels.shape != (len(want),):
        check.fail(
            "shape",
            f"label_encoding has shape {shape_text(labels.shape, (len(want),))}, expected ({len(want)},): "
            "one number for each sentence",
            symptom=Symptom.LABELS_ONE_HOT if labels.shape[-1:] == (2,) else Symptom.LABELS_OTHER_SHAPE,
        )
    if labels.astype(int).tolist() != want:
        ordered = sorted(labels.astype(int).tolist()) == sorted(want)
        check.fail(
            "numbers",
            "label_encoding does not hold the samples' labels" + " in their order" * ordered,
            symptom=Symptom.OTHER_LABELS,
        )
    if dtype != "int64":
        check.fail(
            "dtype",
            f"label_encoding is {shown.named(dtype, 'of another type')}; class labels are torch.long (int64)",
            symptom=Symptom.LABELS_FLOAT if dtype.startswith(("float", "bfloat")) else Symptom.LABELS_OTHER_DTYPE,
        )

"""Rules for what collate_fn makes of a list of samples (section 3, step 1)."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.checks import shown
from autograder.checks.compare import is_blank, name_of, shape_text

from .dataset import filled, only_after
from .symptoms import Symptom

LONGEST = 512
MOST_IDS = 100_000  # token ids in a batch of at most five sentences


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
    _one_row_each(check, facts, way)


def _one_row_each(check: Any, facts: dict, way: dict) -> None:
    for batch, count in ((way["short"], len(facts["short"])), (way["long"], 3)):
        if (got := len(batch["ids"])) == count:
            continue
        words, symptom = "", Symptom.OTHER_ROWS
        if batch is way["short"] and got == 1:
            words, symptom = _single_row(rows(batch)[0], facts["short"])
        check.fail(
            "shape",
            f"{count} samples become {shown.number(got, 99)} row{'s' * (got != 1)} of input_ids{words}",
            symptom=symptom,
        )


def _single_row(row: list[int], want: list[list[int]]) -> tuple[str, Symptom]:
    """What the only row of a batch holds, and the symptom; nothing is known of other rows than these."""
    if row == want[0]:
        return ", the first sample's", Symptom.FIRST_TEXT_ONLY
    if len(row) - 2 >= 0.8 * sum(len(one) - 2 for one in want):  # without <s> and </s>; words may be split otherwise
        return ": give the tokenizer a list of the texts, not one long text", Symptom.TEXTS_JOINED
    return "", Symptom.OTHER_ROWS


def _has_both_keys(check: Any, batch: dict) -> None:
    filled(check, None if batch.get("kind") == "NoneType" else True, "collate_fn")
    if batch["keys"] is None:
        kind = shown.named(batch["kind"], "value of a type of your own")
        check.fail("kind", f"collate_fn returns a {kind}, not a dict", symptom=Symptom.NO_DICT)
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
    if is_blank(batch["ids"]):
        _no_ids(check, batch)
    for (name, value), is_tensor in zip(values.items(), batch["tensors"]):
        if is_tensor:
            continue
        missing = is_blank(value)
        check.fail(
            "kind",
            f"{name} of the batch is " + ("missing" if missing else f"{name_of(value)}, not a tensor"),
            symptom=Symptom.TENSOR_MISSING if missing else _no_tensor(name, value),
        )


def _no_ids(check: Any, batch: dict) -> None:
    """Fails where text_encoding has no input_ids: says what it is instead, as far as that tells why."""
    kind, members = shown.named(batch["encoding"], "value of a type of your own"), batch["members"]
    if members > 0:
        check.fail(
            "kind",
            f"text_encoding is a {kind} of {shown.number(members, 99)}: call the tokenizer once, with the list of all texts, "
            "so that they get one tensor, padded to the longest",
            symptom=Symptom.ENCODED_ONE_BY_ONE,
        )
    if kind == "Tensor":
        check.fail(
            "kind",
            "text_encoding is a Tensor, not all that the tokenizer returns: the model needs input_ids and attention_mask",
            symptom=Symptom.IDS_ALONE,
        )
    check.fail("kind", f"text_encoding, a {kind}, has no input_ids", symptom=Symptom.TENSOR_MISSING)


def _no_tensor(name: str, value: Any) -> Symptom:
    if not isinstance(value, list):
        return Symptom.ARRAY_NO_TENSOR
    return Symptom.LABELS_NO_TENSOR if name == "label_encoding" else Symptom.NO_TENSOR


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
    long = rows(way["long"])
    want = facts["long"]
    # In which order the texts come, and whether <s> and </s> are around them, is for ``right_texts``.
    if any(row == want or (len(row) == LONGEST and row[: LONGEST - 2] == want[1:-1]) for row in long):
        return
    got, short = long[1], len(long[1]) < len(want)
    if got != want:
        check.fail(
            "rule",
            f"a very long text should keep its first {LONGEST} tokens, but "
            + (f"{shown.number(len(got))} are left" if short else "others are left"),
            symptom=Symptom.TRUNCATED_TOO_SHORT if short else Symptom.TRUNCATED_OTHERWISE,
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
            symptom=_other_shape(labels, len(want)),
        )
    if labels.astype(int).tolist() != want and not _moved_along(facts, way):
        ordered = sorted(labels.astype(int).tolist()) == sorted(want)
        check.fail(
            "numbers",
            "label_encoding does not hold the samples' labels" + " in their order" * ordered,
            symptom=Symptom.LABELS_IN_ANOTHER_ORDER if ordered else Symptom.OTHER_LABELS,
        )
    if dtype != "int64":
        check.fail(
            "dtype",
            f"label_encoding is {shown.named(dtype, 'of another type')}; class labels are torch.long (int64)",
            symptom=Symptom.LABELS_FLOAT if dtype.startswith(("float", "bfloat")) else Symptom.LABELS_OTHER_DTYPE,
        )


def _moved_along(facts: dict, way: dict) -> bool:
    """Whether the labels stand in the order of their sentences: which order that is, is for ``right_texts``."""
    got = zip(rows(way["short"]), way["short"]["labels"].astype(int).tolist())
    return sorted(got) == sorted(zip(facts["short"], facts["short_labels"]))


def _other_shape(labels: np.ndarray, count: int) -> Symptom:
    if labels.shape == (count, 2) and ((labels == 0) | (labels == 1)).all() and (labels.sum(1) == 1).all():
        return Symptom.LABELS_ONE_HOT
    return Symptom.LABELS_A_COLUMN if labels.shape in ((count, 1), (1, count)) else Symptom.LABELS_OTHER_SHAPE

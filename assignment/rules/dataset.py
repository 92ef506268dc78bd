"""Rules for the dataset (section 3, step 1), and what all rules of that section share.

A rule takes ``check``, the ``facts`` of the question and what the probe observed of one way to set up the student's code; it
raises Failure if the rule is broken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograder.checks import shown
from autograder.checks.compare import SKIPPED, Failure, is_blank

from .symptoms import Symptom

Rule = Callable[[Any, dict, dict], None]


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


def same_texts(facts: dict, items: list, numbers: Any) -> bool:
    return all(normal(item["text"]) == normal(facts["texts"][n]) for item, n in zip(items, numbers))


def right_items(check: Any, facts: dict, way: dict) -> None:
    right = same_items(facts, way["items"], way["picks"])
    if all(right):
        _fits(check, way)
        return
    first = right.index(False)
    item, n = way["items"][first], way["picks"][first]
    if normal(item["text"]) == normal(facts["texts"][n]):
        missing, encoded = item["label"] is None, item.get("encoded")
        check.fail(
            "rule",
            f"dataset[{n}] has the {'tokens of the ' * bool(encoded)}right text but "
            + ("no label" if missing else f"the label {shown.number(item['label'], 9)} instead of {facts['labels'][n]}"),
            symptom=Symptom.WRONG_LABEL if not missing else Symptom.TOKENS_ALONE if encoded else Symptom.NO_LABEL,
        )
    filled(check, None if item["blank"] else True, "__getitem__")
    _changing(check, way)
    _wrong_text(check, facts, item, n, way)


def _fits(check: Any, way: dict) -> None:
    unfit, first = way["misfit"], way["picks"][0]
    if unfit:
        check.fail(
            "rule",
            f"dataset[{first}] is a {shown.named(unfit['kind'], 'value of a type of your own')}, on which your own collate_fn "
            f"raises {shown.named(unfit['error'], 'an exception of your own')}: return the SST2Example itself",
            symptom=Symptom.MISFIT,
        )


def _changing(check: Any, way: dict) -> None:
    """Fails where an access changes what the next one gives."""
    if way["again"] is None:
        return
    n, fewer = way["again"]["index"], way["again"]["fewer"]
    check.fail(
        "rule",
        f"dataset[{n}] is another item when it is asked for a second time"
        + f", and the dataset has become shorter by {fewer}" * (fewer > 0)
        + ": an access should read an example and change nothing",
        symptom=Symptom.ANOTHER_EACH_TIME,
    )


def _wrong_text(check: Any, facts: dict, item: dict, n: int, way: dict) -> None:
    if item["text"] is None:
        what = "neither a text nor a label" if item["label"] is None else "a label but no text"
        check.fail(
            "rule",
            f"dataset[{n}] has {what}: it should be example number {n}",
            symptom=Symptom.NEITHER_TEXT_NOR_LABEL if item["label"] is None else Symptom.NO_TEXT,
        )
    texts = [normal(text) for text in facts["texts"]]
    places = [texts.index(normal(one["text"])) if normal(one["text"]) in texts else -1 for one in way["items"]]
    place = places[way["items"].index(item)]
    check.fail(
        "rule",
        f"dataset[{n}] has "
        + (f"the text of example number {place}" if place >= 0 else "a text that is none of the examples'"),
        symptom=_shift(places, way["picks"], len(texts)) if place >= 0 else Symptom.NO_EXAMPLE,
    )


def _shift(places: list[int], picks: list[int], count: int) -> Symptom:
    """What all the places have in common at which the items of the dataset are found."""
    if not any(places):
        return Symptom.ALWAYS_THE_FIRST
    shifts = {(place - n) % count for place, n in zip(places, picks)}
    return Symptom.OFF_BY_ONE if shifts in ({1}, {count - 1}) else Symptom.ANOTHER_EXAMPLE


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
    if way.get("no_iterator"):
        own = way["itself"]
        kind = "the dataset itself" if own else f"a {shown.named(way['no_iterator'], 'value of a type of your own')}"
        what = "it" if way["no_iterator"] in ("list", "tuple") else "all examples"
        check.fail(
            "kind",
            f"__iter__ returns {kind}, which has no __next__, so it is no iterator: return iter(…) of {what}, or yield them "
            "one by one",
            symptom=Symptom.ITSELF_NO_ITERATOR if own else Symptom.NO_ITERATOR,
        )
    filled(check, way["passes"], "__iter__")
    items, count = way["passes"][number], facts["count"]
    if (len(items) == count and all(same_items(facts, items, range(count)))) or items == way["own"]:
        return
    which = "the second time, " * number
    if len(items) != count:
        few = _few(facts, items, again=bool(number))
        check.fail(
            "numbers",
            f"{which}iterating over a dataset of {count} examples gives {len(items)} item{'s' * (len(items) != 1)}"
            + ": the iterator has run dry, so __iter__ has to return a new one" * (few is Symptom.RUN_DRY)
            + ", which is no example: are they all handed out at once, and not one by one?" * _all_at_once(items),
            symptom=few if len(items) < count else Symptom.TOO_MANY_ITEMS,
        )
    wrong = same_items(facts, items, range(count)).index(False)
    words, symptom = _other_items(facts, items)
    check.fail("rule", f"{which}iterating gives {words} indexing, first at index {wrong}", symptom=symptom)


def _all_at_once(items: list) -> bool:
    """Whether a pass gives one thing that has neither a text nor a label."""
    return len(items) == 1 and not items[0]["blank"] and items[0]["text"] is None and items[0]["label"] is None


def _few(facts: dict, items: list, again: bool) -> Symptom:
    """What a pass with too few items tells; ``again``: whether the pass before was complete."""
    if not items:
        return Symptom.RUN_DRY if again else Symptom.NO_ITEMS
    if len(items) == facts["count"] - 1 and all(same_items(facts, items, range(len(items)))):
        return Symptom.LAST_MISSING
    first = len(items) == 1 and all(same_items(facts, items, range(1)))
    return Symptom.ONE_ITEM if first else Symptom.TOO_FEW_ITEMS


def _other_items(facts: dict, items: list) -> tuple[str, Symptom]:
    """What a pass gives that has as many items as it should: the beginning of a comparison with indexing, and its symptom."""
    every = range(len(items))
    if same_texts(facts, items, every) and all(item["label"] is None for item in items):
        return "the texts alone, without their labels, unlike", Symptom.TEXTS_ALONE
    if all(item["text"] is None for item in items):
        numbers = [item["label"] for item in items]
        if numbers == list(every):
            return "numbers from 0 on, and not the examples, unlike", Symptom.INDICES
        if numbers == facts["labels"]:
            return "the labels alone, without their texts, unlike", Symptom.LABELS_ALONE
    return _another_order(facts, items)


def _another_order(facts: dict, items: list) -> tuple[str, Symptom]:
    got = sorted((normal(item["text"]), item["label"]) for item in items if item["label"] is not None)
    if got == sorted((normal(text), label) for text, label in zip(facts["texts"], facts["labels"])):
        return "the examples in a different order than", Symptom.ANOTHER_ORDER
    return "other items than", Symptom.OTHER_ITEMS

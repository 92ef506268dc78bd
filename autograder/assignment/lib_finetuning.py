"""What section 3's probes have to see: rules over their observations, each with a sentence for whoever breaks it.

An observation may hold several ``ways`` to set up the student's code; the best of them counts. A rule's ``symptom`` tells
apart the ways of breaking it: the list of all rules' symptoms is what known mistakes are recognised by.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .compare import Failure, is_blank, name_of

LONGEST = 512
CLOSE = 1e-4  # of accuracies: the smallest step on the probes' few sentences is 0.04
PARALLEL = 0.999  # cosine of gradients that differ by rounding or clipping only
SAME_LOSS = 0.9  # cosine to the expected gradient: smoothing or weighting the loss may turn it a little


class Silent:
    """A check that keeps its notes to itself, for trying rules out."""

    def note(self, text: str) -> None:
        pass

    def fail(self, kind: str, text: str, **data: Any) -> None:
        raise Failure(kind, text, data)


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
            found.append(float(failure.data.get("symptom", 1)))
    return np.array(found, dtype=np.float32)


# --- dataset -------------------------------------------------------------------------------------------------------


def counts(check: Any, facts: dict, way: dict) -> None:
    got, want = (way["all"], way["three"]), (facts["count"], 3)
    if got == want:
        return
    symptom = 2 if got[0] == got[1] else 3 if got == (want[0] - 1, 2) else 4 if got == (want[0] + 1, 4) else 1
    more = "; it does not depend on the data" if symptom == 2 else ""
    check.fail("numbers", f"len() gives {got[0]} and {got[1]} for datasets of {want[0]} and 3 sentences{more}", symptom=symptom)


def same_items(facts: dict, items: list, numbers: Any) -> list[bool]:
    return [normal(item["text"]) == normal(facts["texts"][n]) and item["label"] == facts["labels"][n] for item, n in zip(items, numbers)]


def normal(text: Any) -> str:
    return "".join(text.lower().split()) if isinstance(text, str) else ""


def right_items(check: Any, facts: dict, way: dict) -> None:
    if all(same_items(facts, way["items"], way["picks"])):
        return
    texts, labels = [normal(t) for t in facts["texts"]], facts["labels"]
    item, n = next((item, n) for item, n, good in zip(way["items"], way["picks"], same_items(facts, way["items"], way["picks"])) if not good)
    if normal(item["text"]) == texts[n]:
        missing = item["label"] is None
        check.fail("rule", f"dataset[{n}] has the right text but " + ("no label" if missing else f"the label {item['label']} instead of {labels[n]}"),
                   symptom=2 if missing else 3)
    if item["text"] is None:
        what = "neither a text nor a label" if item["label"] is None else "a label but no text"
        check.fail("rule", f"dataset[{n}] has {what}: it should be the example number {n}", symptom=4 if item["label"] is None else 5)
    place = texts.index(normal(item["text"])) if normal(item["text"]) in texts else -1
    check.fail("rule", f"dataset[{n}] is " + (f"the example number {place}" if place >= 0 else "none of the examples"),
               symptom=6 if place == 0 else 7 if place >= 0 else 8)


def in_full(check: Any, facts: dict, way: dict) -> None:
    _pass(check, facts, way, 0)


def again(check: Any, facts: dict, way: dict) -> None:
    try:
        in_full(Silent(), facts, way)
    except Failure:
        return  # told by the first rule
    _pass(check, facts, way, 1)
    if [a for a, b in way["pairs"] if a == b] != way["passes"][0]:
        check.note("two iterators over the dataset at once disturb each other (no points depend on it): __iter__ should return a "
                   "new iterator each time")


def _pass(check: Any, facts: dict, way: dict, number: int) -> None:
    items, count = way["passes"][number], facts["count"]
    if len(items) == count and all(same_items(facts, items, range(count))) or items == way["own"]:
        return
    which = "the second time, " * number
    if len(items) != count:
        check.fail("numbers", f"{which}iterating over a dataset of {count} gives {len(items)} items"
                   + ": the iterator has run dry, __iter__ has to start anew" * number, symptom=2 if not items else 7 if len(items) == 1 else 3 if len(items) < count else 4)
    wrong = same_items(facts, items, range(count)).index(False)
    symptom = 5 if {normal(item["text"]) for item in items} == set(map(normal, facts["texts"])) else 6
    check.fail("rule", f"{which}iterating gives " + ("the examples in another order than" if symptom == 5 else "other items than")
               + f" indexing; first at number {wrong}", symptom=symptom)


# --- collate_fn ----------------------------------------------------------------------------------------------------


def contract(check: Any, facts: dict, way: dict) -> None:
    for batch in (way["short"], way["long"]):
        if batch["keys"] is None:
            check.fail("kind", f"collate_fn returns {name_of({'$object': batch['kind']})}, not a dict", symptom=2)
        if not {"text_encoding", "label_encoding"} <= set(batch["keys"]):
            check.fail("rule", f"the batch has the keys {', '.join(map(repr, batch['keys'][:6]))}; it should have 'text_encoding' and "
                               "'label_encoding'", symptom=3)
        for name, good, value in zip(("input_ids", "attention_mask", "label_encoding"), batch["tensors"], (batch["ids"], batch["mask"], batch["labels"])):
            if not good:
                what = "missing" if is_blank(value) else f"{name_of(value)}, not a tensor"
                check.fail("kind", f"{name} of the batch is {what}", symptom=6 if name == "label_encoding" else 4 if is_blank(value) else 5)
        if batch["ids"].ndim != 2 or batch["ids"].shape != batch["mask"].shape:
            check.fail("shape", f"input_ids has shape {batch['ids'].shape} and attention_mask {batch['mask'].shape}: both should be "
                                "(sentences, tokens)", symptom=7)
    if len(way["short"]["ids"]) != len(facts["short"]) or len(way["long"]["ids"]) != 3:
        check.fail("shape", f"{len(facts['short'])} samples become {len(way['short']['ids'])} rows of input_ids", symptom=8)


def only_behind(first: Any) -> Any:
    """A decorator: the rule says nothing where the first one is broken, which then says it all."""

    def decorate(rule: Any) -> Any:
        def later(check: Any, facts: dict, way: dict) -> None:
            try:
                first(Silent(), facts, way)
            except Failure:
                return
            rule(check, facts, way)

        return later

    return decorate


def rows(batch: dict) -> list[list[int]]:
    """The batch's token ids without padding."""
    return [[int(n) for n in row if n != 1] for row in batch["ids"]]


@only_behind(contract)
def right_texts(check: Any, facts: dict, way: dict) -> None:
    got, want = rows(way["short"]), facts["short"]
    if got == want:
        return
    if sorted(got) == sorted(want):
        check.fail("rule", "the sentences of the batch are not in the order of the samples", symptom=2)
    if got == [row[1:-1] for row in want]:
        check.fail("rule", "the tokens <s> and </s> around each sentence are missing", symptom=4)
    symptom = 5 if all(a == b[: len(a)] or a[:-1] == b[: len(a) - 1] for a, b in zip(got, want)) else 6
    check.fail("rule", "input_ids are not what the tokenizer gives for the samples' texts" + ": they are cut short" * (symptom == 5), symptom=symptom)


@only_behind(contract)
def longest(check: Any, facts: dict, way: dict) -> None:
    width, want = way["short"]["ids"].shape[1], max(map(len, rows(way["short"])))
    if width != want:
        check.fail("shape", f"a batch whose longest sentence has {want} tokens is padded to {width}: padding=True pads to the longest",
                   symptom=2 if width == LONGEST else 3)


@only_behind(contract)
def truncated(check: Any, facts: dict, way: dict) -> None:
    width = way["long"]["ids"].shape[1]
    if width > LONGEST:
        check.fail("shape", f"a text of {width} tokens stays {width} tokens long: truncation=True cuts at max_length=512", symptom=2)
    if rows(way["long"])[1] != facts["long"]:
        check.fail("rule", f"a very long text should keep its first {LONGEST} tokens, but {width} are left", symptom=3)


@only_behind(contract)
def masked(check: Any, facts: dict, way: dict) -> None:
    if not all(np.array_equal(batch["mask"] != 0, batch["ids"] != 1) for batch in (way["short"], way["long"])):
        check.fail("numbers", "attention_mask should be 1 for every token and 0 for padding",
                   symptom=2 if (way["short"]["mask"] != 0).all() else 3)


@only_behind(contract)
def labelled(check: Any, facts: dict, way: dict) -> None:
    labels, dtype, want = way["short"]["labels"], way["short"]["dtype"].replace("torch.", ""), facts["short_labels"]
    if labels.shape != (len(want),):
        check.fail("shape", f"label_encoding has shape {labels.shape}, expected ({len(want)},): one number for each sentence",
                   symptom=6 if labels.shape[-1:] == (2,) else 2)
    if labels.astype(int).tolist() != want:
        ordered = sorted(labels.astype(int).tolist()) == sorted(want)
        check.fail("numbers", "label_encoding does not hold the samples' labels" + " in their order" * ordered, symptom=3)
    if dtype != "int64":
        check.fail("dtype", f"label_encoding is {dtype}; class labels are torch.long (int64)", symptom=4 if dtype.startswith(("float", "bfloat")) else 5)


# --- compute_accuracy, evaluate ------------------------------------------------------------------------------------


def number_of(check: Any, value: Any, what: str) -> float:
    """The number in a result: itself, a 0-d tensor, or the first of several, with a note about it. Raises Failure."""
    if is_blank(value):
        check.fail("rule", f"{what} returns None: its TODO is not filled in yet, or a `return` is missing", symptom=9)
    if isinstance(value, list) and value:
        check.note(f"{what} returns {len(value)} values; the first was taken (no points depend on it)")
        value = value[0]
    if isinstance(value, np.ndarray) and value.size == 1:
        check.note(f"{what} returns a tensor or array; a float (.item()) is easier to store and compare (no points depend on it)")
        value = value.item()
    if not isinstance(value, (bool, int, float)):
        shape = f" of shape {value.shape}" if isinstance(value, np.ndarray) else ""
        check.fail("kind", f"{what} returns {name_of(value)}{shape}, expected one number", symptom=8)
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
    known = {2: (right, "the number of right predictions, not their share"), 3: (1 - want, "the share of wrong predictions"),
             4: (np.round(want), "a rounded share"), 5: (want // 1, "a whole number: use / and not //"),
             6: (np.array(right) / 2, "the number of right predictions by the number of classes")}
    symptom, words = next(((s, words) for s, (other, words) in known.items() if close(results, other)), (1, ""))
    at = next(n for n, (a, b) in enumerate(zip(results, want)) if abs(a - b) > CLOSE)
    check.fail("numbers", f"compute_accuracy gives {results[at]:.4g} where {right[at]} of {counts[at]} predictions are right"
               + (f": it returns {words}" if words else ""), symptom=symptom)


def eval_mode(check: Any, facts: dict, way: dict) -> None:
    if any(way["modes"]):
        check.fail("rule", "the model is in training mode while it is evaluated: dropout changes its answers; call model.eval() first", symptom=2)


def no_graph(check: Any, facts: dict, way: dict) -> None:
    if any(way["graphs"]):
        check.fail("rule", "a graph for gradients is built during evaluation, which costs memory and time: use torch.no_grad()", symptom=2)


def untouched(check: Any, facts: dict, way: dict) -> None:
    if way["moved"]:
        check.fail("rule", "the weights are not the same after evaluate: evaluation must not train", symptom=2)


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
    known = {2: (np.mean([b.mean() for b in batches]), "the mean over batches: the last one is smaller, so that its sentences count more"),
             3: (hits.sum(), "the number of right answers, not their share"), 4: (1 - want, "the share of wrong answers"),
             5: (batches[-1].mean(), "the accuracy of the last batch alone"), 6: (batches[0].mean(), "the accuracy of the first batch alone"),
             7: (hits.sum() / len(batches), "the number of right answers by the number of batches"),
             11: (facts["losses"][0], "the mean loss"), 12: (facts["losses"][1], "the mean loss"),
             10: (np.sum([b.mean() for b in batches]), "the sum of the batches' accuracies")}
    symptom, words = next(((s, words) for s, (other, words) in known.items() if close(result, other)), (1, ""))
    check.fail("numbers", f"evaluate returns {result:.4g}, which is not the share of right answers" + (f" but {words}" if words else ""), symptom=symptom)


# --- train_one_epoch -----------------------------------------------------------------------------------------------


def learns(check: Any, facts: dict, way: dict) -> None:
    events = way["events"]
    if way["moved"] and "S" in events:
        return
    if "F" not in events:
        check.fail("rule", "the model is never called: loop over the dataloader and pass each batch to the model", symptom=2)
    if "B" not in events:
        check.fail("rule", "no gradient is computed: loss.backward() is missing", symptom=3)
    if "S" not in events:
        check.fail("rule", "no parameter changes: optimizer.step() is missing", symptom=4)
    late = events.find("S") < events.find("B")
    check.fail("rule", "no parameter changes: " + ("optimizer.step() comes before loss.backward(), and the gradients are cleared in between" if late
                                                    else "the gradients are cleared between loss.backward() and optimizer.step()"),
               symptom=5 if late else 6)


@only_behind(learns)
def in_order(check: Any, facts: dict, way: dict) -> None:
    done = way["events"].replace("F", "")
    if done.startswith("S") or "SS" in done:
        check.fail("rule", "optimizer.step() is called before loss.backward() has computed this batch's gradients", symptom=2)
    if done.count("S") == 1 and len(facts["batches"]) == done.count("B"):
        check.fail("rule", f"optimizer.step() is called once for all {done.count('B')} batches: it belongs inside the loop", symptom=5)
    if done.endswith("B"):
        check.fail("rule", "the last gradients of the epoch are never used: an optimizer.step() is missing behind loss.backward()",
                   symptom=3 if done.count("S") == 1 else 4)


@only_behind(learns)
def afresh(check: Any, facts: dict, way: dict) -> None:
    try:
        in_order(Silent(), facts, way)
    except Failure as failure:
        if failure.data["symptom"] == 2:
            return  # said there
    for fresh, used in list(zip(way["fresh"], way["gradients"]))[1:]:
        if cosine(fresh, used) < PARALLEL:
            check.fail("rule", "gradients pile up from batch to batch: call optimizer.zero_grad() once for every step", symptom=2)


@only_behind(learns)
def train_mode(check: Any, facts: dict, way: dict) -> None:
    if not all(way["modes"]):
        first = not way["modes"][0]
        check.fail("rule", ("the model is not in training mode" if first else "the model leaves training mode on the way")
                   + ", so that dropout is off: call model.train() before the loop", symptom=2 if first else 3)


@only_behind(learns)
def every_batch(check: Any, facts: dict, way: dict) -> None:
    used, want = way["used"], facts["batches"]
    if used == want:
        return
    flat = [n for batch in used for n in batch]
    if len(used) == 1:
        check.fail("numbers", f"only one of {len(want)} batches is trained on: is a `return` or `break` inside the loop, or the step behind it?",
                   symptom=2 if used[0] == want[0] else 3)
    if used == want[: len(used)] or used == want[1:]:
        check.fail("numbers", f"{len(used)} of {len(want)} batches are trained on", symptom=4)
    if len(used) > len(want) and {*flat} == {n for batch in want for n in batch}:
        check.fail("numbers", f"{len(used)} backward passes for {len(want)} batches: each batch should be used once", symptom=5)
    check.fail("rule", "the batches are not trained on one after another, each once", symptom=6)


@only_behind(learns)
def right_loss(check: Any, facts: dict, way: dict) -> None:
    if way["own"] or not way["fresh"] or way["used"][:1] != facts["batches"][:1] or way["events"].replace("F", "")[:1] != "B":
        return
    got = cosine(way["fresh"][0], facts["gradient"])
    if "BB" not in way["events"].replace("F", "").split("S")[0] and got < SAME_LOSS:
        check.fail("numbers", "the gradients are not those of the cross-entropy between the model's logits and the batch's labels"
                   + (": the sign is turned around" if got < -SAME_LOSS else ""), symptom=2 if got < -SAME_LOSS else 3)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Of two flat arrays; 0 where one is zero, 1 where both are."""
    lengths = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    return float(a @ b) / (lengths[0] * lengths[1]) if all(lengths) else float(not any(lengths))


# --- main ----------------------------------------------------------------------------------------------------------


def trains(check: Any, facts: dict, way: dict) -> None:
    if not way["epochs"]:
        check.fail("rule", "main ends without training for a single epoch", symptom=2)


@only_behind(trains)
def shuffled(check: Any, facts: dict, way: dict) -> None:
    orders = way["orders"]["train"]
    if orders and all(order == sorted(order) for order in orders):
        check.fail("rule", "the training data come in the same order in every epoch: shuffle=True is missing", symptom=2)


@only_behind(trains)
def validated(check: Any, facts: dict, way: dict) -> None:
    orders = way["orders"]["validation"]
    if not orders:
        check.fail("rule", "the validation set is never evaluated" + (", the test set is instead" if way["orders"]["test"] else ""),
                   symptom=3 if way["orders"]["test"] else 2)
    if any(order != sorted(order) for order in orders):
        check.fail("rule", "the validation data are shuffled, which only makes runs harder to compare: shuffle=False", symptom=4)


@only_behind(trains)
def keeps_best(check: Any, facts: dict, way: dict) -> None:
    held, told = [file["epoch"] for file in way["files"]], way["told"]
    if not held:
        check.fail("rule", "no checkpoint is left on disk: save the model's state below ./checkpoints", symptom=2)
    if max(held) < 0:
        words = {-1: "holds the weights of no epoch's end", -2: "cannot be loaded", -3: "holds no weights"}[max(held)]
        check.fail("rule", f"the checkpoint {words}", symptom=2 - max(held))
    if not told:
        check.note("main trains by itself and not through train_one_epoch and evaluate, so it was only seen that weights are kept")
        return
    best, last = int(np.argmax(told)), way["epochs"] - 1
    if best in held:
        if len({n for n in held if n >= 0}) > best + 1:
            check.note("weights of other epochs are kept too; only the best ones are asked for")
        return
    if last in held:
        once = len(set(way["saves"])) <= 1
        check.fail("rule", f"the checkpoint holds the last epoch's weights, but epoch {best + 1} of {way['epochs']} had the best validation accuracy: "
                   "save only when it is better than before" + ", and copy a state_dict that you only remember" * once, symptom=7 if once else 6)
    check.fail("rule", f"the checkpoint holds the weights of epoch {max(held) + 1}, but epoch {best + 1} had the best validation accuracy",
               symptom=8 if max(held) == 0 else 9 if max(held) == int(np.argmin(told)) else 10)


RULES = {
    "3.dataset.len": {"counts": counts},
    "3.dataset.getitem": {"right_items": right_items},
    "3.dataset.iter": {"in_full": in_full, "again": again},
    "3.collate": {"contract": contract, "right_texts": right_texts, "longest": longest, "truncated": truncated, "masked": masked, "labelled": labelled},
    "3.compute_accuracy": {"accuracies": accuracies},
    "3.train_one_epoch": {"learns": learns, "in_order": in_order, "afresh": afresh, "train_mode": train_mode, "every_batch": every_batch, "right_loss": right_loss},
    "3.evaluate": {"eval_mode": eval_mode, "no_graph": no_graph, "untouched": untouched, "true_accuracy": true_accuracy},
    "3.main": {"trains": trains, "shuffled": shuffled, "validated": validated, "keeps_best": keeps_best},
}

"""What is told about an answer is known: nothing is called likely where other mistakes would look the same."""

import pytest

from support.world.choosing import PREVIOUS
from support.world.choosing import UNTRUE as UNTRUE_OF_MAIN
from support.world.evaluating import CAUSES
from support.world.evaluating import UNTRUE as UNTRUE_OF_EVALUATE
from support.world.kind import S3, changed

ENCODING = 'tokenizer(texts, padding=True, max_length=512, truncation=True, return_tensors="pt")'
ACCURACY = "return compute_accuracy(torch.cat(predictions), torch.cat(labels))"
ITEM = "return self.data[index]"
LOGITS = ".logits.argmax(-1)"


@pytest.mark.slow
@pytest.mark.parametrize(
    "item, old, new",
    [
        ("3.evaluate", LOGITS, ".logits[:, 1].gt(0.5).long()"),
        ("3.evaluate", ACCURACY, "return float('nan')"),
        ("3.evaluate", ACCURACY, ACCURACY + " * 0.9"),
        ("3.dataset.getitem", ITEM, "return self.data[len(self.data) - 1 - index]"),
        ("3.dataset.getitem", ITEM, "return self.data[index // 2]"),
        ("3.dataset.getitem", ITEM, "return None"),
        ("3.dataset.iter", "yield example", "yield self.data[0]"),
        ("3.collate", ENCODING, ENCODING.replace("texts", "texts[:2]")),
        ("3.collate", ENCODING, ENCODING.replace("texts", "texts[0]")),
        ("3.collate", ENCODING, "[" + ENCODING + "]"),
        ("3.train_one_epoch", "output.loss.backward()", "output.logits.std().backward()"),
        ("3.train_one_epoch", "    for batch in dataloader:\n", "    for batch in list(dataloader)[::2]:\n"),
        ("3.train_one_epoch", "        optimizer.step()\n", "        torch.optim.SGD(model.parameters(), lr=1.0).step()\n"),
    ],
)
def test_a_mistake_that_may_be_any_of_several_is_called_none_of_them(submit, item, old, new):
    graded = submit({"A2S3.py": changed(S3, (old, new))})
    assert item in graded.lost
    assert "Likely" not in graded.output(item)


COUNTED = """    correct = 0
    for p, l in zip(predictions, labels):
        correct += {}
{}    return correct / len(labels)"""
OF_ONES = "    return ((predictions == 1) & (labels == 1)).sum().item() / max({}.sum().item(), 1)"
SHARE = "    return (predictions == labels).float().mean().item()"
BACKWARD = "output.loss.backward()"


def of_loss(loss):
    """A backward pass of another loss between logits z and labels y, a function of torch.nn.functional's."""
    return f'z, y = output.logits, batch["label_encoding"].to(DEVICE)\n        torch.nn.functional.{loss}.backward()'


TOLD = {
    "the largest logit": ("3.evaluate", ".argmax(-1)", ".max(-1).values", "are not class numbers"),
    "the largest logit, in tuples": ("3.evaluate", ".argmax(-1)", ".max(dim=1)[0]", "are not class numbers"),
    "one logit against a number": (
        "3.evaluate",
        ".logits.argmax(-1)",
        ".logits[:, 1].sigmoid().gt(0.5).long()",
        "larger logit",
    ),
    "the other logit": ("3.evaluate", LOGITS, ".logits[:, 0].gt(0).long()", "larger logit"),
    "predictions as labels": ("3.evaluate", "torch.cat(labels))", "torch.cat(predictions))", "not those of the batches"),
    "the first pair": ("3.compute_accuracy", SHARE, COUNTED.format("int(p == l)", "    "), "first pair"),
    "ones alone": ("3.compute_accuracy", SHARE, COUNTED.format("int(p == l == 1)", ""), "both are 1"),
    "recall": ("3.compute_accuracy", SHARE, OF_ONES.format("(labels == 1)"), "the recall of class 1"),
    "precision": ("3.compute_accuracy", SHARE, OF_ONES.format("(predictions == 1)"), "the precision of class 1"),
    "classes alike": (
        "3.compute_accuracy",
        SHARE,
        (
            "    rates = [(predictions[labels == c] == c).float().mean() for c in (0, 1) if (labels == c).any()]\n"
            "    return float(sum(rates) / len(rates))"
        ),
        "the mean of the accuracies of the two classes",
    ),
    "labels as predictions": ("3.evaluate", "torch.cat(predictions), t", "torch.cat(labels), t", "passes the same"),
    "the first batches": (
        "3.evaluate",
        ACCURACY,
        "return compute_accuracy(torch.cat(predictions[:-1]), torch.cat(labels[:-1]))",
        "predictions are passed to compute_accuracy",
    ),
    "all at once, as a truth value": (
        "3.compute_accuracy",
        SHARE,
        "    return float((predictions == labels).all())",
        "whole number",
    ),
    "batches of other lengths": ("3.evaluate", "torch.cat(predictions)", "torch.stack(predictions)", "`cat` joins them"),
    "all at once": (
        "3.dataset.iter",
        "        for example in self.data:\n            yield example",
        "        yield self.data",
        "1 item, which is no example",
    ),
    "not all at once": ("3.evaluate", "torch.cat(predictions), torch.cat(labels)", "predictions, labels", "one truth value"),
    "an access that takes the item out": ("3.dataset.getitem", ITEM, "return self.data.pop(index)", "shorter by 6"),
    "an access that turns the list": (
        "3.dataset.getitem",
        ITEM,
        "self.data.append(self.data.pop(0))\n        return self.data[index]",
        "another item when it is asked for a second time: an",
    ),
    "one example for all": (
        "3.dataset.iter",
        "            yield example",
        "            return example",
        "return iter(…) of all examples",
    ),
}


@pytest.mark.many(of=20)
@pytest.mark.parametrize("item, old, new, words", TOLD.values(), ids=TOLD)
def test_what_was_done_is_told_and_nothing_else_charged(submit, item, old, new, words):
    graded = submit({"A2S3.py": changed(S3, (old, new))})
    assert {id for id in graded.lost if id.startswith("3.")} == {item}
    text = graded.output(item)
    assert words in text
    assert "Likely" not in text and "?." not in text


@pytest.mark.many(of=3)
@pytest.mark.parametrize("member", [*CAUSES, *PREVIOUS], ids=lambda member: member.name)
def test_no_other_cause_is_told_than_the_true_one(submit, member):
    graded = submit({"A2S3.py": member.source})
    (item,) = member.lost
    told = next(line for line in graded.output(item).split("\n") if member.says[item] in line)
    untrue = (UNTRUE_OF_EVALUATE | UNTRUE_OF_MAIN)[member.name]
    assert [words for words in untrue if words in told] == []


WRONG_LOSSES = {
    "softmax first": ("cross_entropy(z.softmax(-1), y)", "applied twice"),
    "a sum of it": ("cross_entropy(z.softmax(-1), y, reduction='sum')", "applied twice"),
    "a sigmoid first": ("cross_entropy(z.sigmoid(), y)", "after a sigmoid"),
    "no logarithm": ("nll_loss(z.softmax(-1), y)", "minus the logarithm"),
    "distances": ("l1_loss(z.softmax(-1), torch.eye(2)[y])", "minus the logarithm"),
    "squared errors": ("mse_loss(z.softmax(-1), torch.eye(2)[y])", "squared errors of the probabilities"),
    "squared errors of logits": ("mse_loss(z, torch.eye(2)[y])", "squared errors of the logits"),
}


@pytest.mark.many(of=4)
@pytest.mark.parametrize("loss, words", WRONG_LOSSES.values(), ids=WRONG_LOSSES)
def test_a_loss_that_is_taken_for_the_cross_entropy_is_told_and_costs_its_claim(submit, loss, words):
    graded = submit({"A2S3.py": changed(S3, (BACKWARD, of_loss(loss)))})
    assert {id for id in graded.lost if id.startswith("3.")} == {"3.train_one_epoch"}
    assert words in graded.output("3.train_one_epoch")
    assert graded.output("3.train_one_epoch").count("✗") == 1


RIGHT_LOSSES = {
    "logarithms first": "cross_entropy(z.log_softmax(-1), y)",
    "by hand": "nll_loss(torch.log(z.softmax(-1)), y)",
    "both classes": "binary_cross_entropy(z.softmax(-1), torch.eye(2)[y])",
    "a sum": "cross_entropy(z, y, reduction='sum')",
    "a share of the epoch": "cross_entropy(z, y).div(len(dataloader))",
    "smoothed": "cross_entropy(z, y, label_smoothing=0.1)",
    "half precision": "cross_entropy(z.bfloat16(), y)",
}


@pytest.mark.many(of=4)
@pytest.mark.parametrize("loss", RIGHT_LOSSES.values(), ids=RIGHT_LOSSES)
def test_a_cross_entropy_of_ones_own_keeps_its_points(submit, loss):
    assert "3.train_one_epoch" not in submit({"A2S3.py": changed(S3, (BACKWARD, of_loss(loss)))}).lost


def test_what_an_exception_means_is_told_of_the_one_that_is_quoted(submit, s2):
    code = "def pairwise_similarities(Q, K):\n    return Q @ K.T\n"
    text = submit({"A2S2.py": f"{s2}\n{code}"}).output("2.1.pairwise_similarities")
    assert "to be: [6, 6] but got: [6, 10]" in text and "but there are 6 and 10" in text


ONE_STEP = {
    "the sum of all losses": "    total = 0\n    for batch in dataloader:\n        total = total + {}\n    total.backward()\n",
    "their mean": "    torch.stack([{} for batch in dataloader]).mean().backward()\n",
    "the last loss": "    for batch in dataloader:\n        loss = {}\n    loss.backward()\n",
}
LOSS = 'model(**batch["text_encoding"], labels=batch["label_encoding"]).loss'


@pytest.mark.slow
@pytest.mark.parametrize("loop", ONE_STEP.values(), ids=ONE_STEP)
def test_one_backward_pass_for_all_batches_is_not_called_training_on_one(submit, loop):
    begin = "def train_one_epoch(model, dataloader, optimizer, epoch):\n    model.train()\n"
    code = f"{begin}{loop.format(LOSS)}    optimizer.step()\n"
    text = submit({"A2S3.py": f"{S3}\n{code}"}).output("3.train_one_epoch")
    assert "backward() is called once, after all" in text
    assert "only one of" not in text
    assert "never uses" not in text  # the number of the epoch is for those who want it


@pytest.mark.slow
@pytest.mark.parametrize("order", ["sorted(texts, key=len)", "sorted(texts, key=len, reverse=True)", "texts[::-1]"])
def test_texts_in_another_order_cost_no_claim_but_theirs(submit, order):
    text = submit({"A2S3.py": changed(S3, (ENCODING, ENCODING.replace("texts", order)))}).output("3.collate")
    assert "not in the order of the samples" in text
    assert text.count("✗") == 1


ONCE = {
    "Q not split": ("split_heads_qkv(Q, K, V, n_heads)", "(Q, *split_heads_qkv(Q, K, V, n_heads)[1:])"),
    "K not split": ("split_heads_qkv(Q, K, V, n_heads)", "split_heads(Q, n_heads), K, split_heads(V, n_heads)"),
    "V not split": ("split_heads_qkv(Q, K, V, n_heads)", "(*split_heads_qkv(Q, K, V, n_heads)[:2], V)"),
    "a width as a number": ("attn_scaled(A, n_embd, n_heads)", "attn_scaled(A, 6, n_heads)"),
    "a number of tokens as a number": ("make_causal_mask(n_tok)", "make_causal_mask(10)"),
    "arguments in the wrong order": (
        "apply_causal_mask(make_causal_mask(n_tok), A)",
        "apply_causal_mask(A, make_causal_mask(n_tok))",
    ),
}


@pytest.mark.many(of=5)
@pytest.mark.parametrize("old, new", ONCE.values(), ids=ONCE)
def test_one_slip_that_breaks_several_steps_is_charged_in_one(submit, s2, old, new):
    graded = submit({"A2S2.py": changed(s2, (old, new))})
    assert {id for id in graded.lost if id.startswith("2.1.")} == {"2.1.self_attention.step3"}

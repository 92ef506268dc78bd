"""What is told about an answer is known: nothing is called likely where other mistakes would look the same."""

import pytest

from support.world.kind import S3, changed

ENCODING = 'tokenizer(texts, padding=True, max_length=512, truncation=True, return_tensors="pt")'
ACCURACY = "return compute_accuracy(torch.cat(predictions), torch.cat(labels))"
ITEM = "return self.data[index]"
LOGITS = ".logits.argmax(-1)"


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
YIELDS = "        for example in self.data:\n            yield example"
SHARE = "    return (predictions == labels).float().mean().item()"
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
    "all at once": (
        "3.dataset.iter",
        "        for example in self.data:\n            yield example",
        "        yield self.data",
        "1 item",
    ),
    "not all at once": ("3.evaluate", "torch.cat(predictions), torch.cat(labels)", "predictions, labels", "one truth value"),
    "one example for all": (
        "3.dataset.iter",
        "            yield example",
        "            return example",
        "return iter(…) of all examples",
    ),
}


@pytest.mark.parametrize("item, old, new, words", TOLD.values(), ids=TOLD)
def test_what_was_done_is_told_and_nothing_else_charged(submit, item, old, new, words):
    graded = submit({"A2S3.py": changed(S3, (old, new))})
    assert {id for id in graded.lost if id.startswith("3.")} == {item}
    text = graded.output(item)
    assert words in text
    assert "Likely" not in text and "?." not in text


def test_what_an_exception_means_is_told_of_the_one_that_is_quoted(submit, s2):
    code = "def pairwise_similarities(Q, K):\n    return Q @ K.T\n"
    text = submit({"A2S2.py": f"{s2}\n{code}"}).output("2.1.pairwise_similarities")
    assert "to be: [6, 6] but got: [6, 10]" in text and "but there are 6 and 10" in text


ONCE = {
    "a width as a number": ("attn_scaled(A, n_embd, n_heads)", "attn_scaled(A, 6, n_heads)"),
    "a number of tokens as a number": ("make_causal_mask(n_tok)", "make_causal_mask(10)"),
    "arguments in the wrong order": (
        "apply_causal_mask(make_causal_mask(n_tok), A)",
        "apply_causal_mask(A, make_causal_mask(n_tok))",
    ),
}


@pytest.mark.parametrize("old, new", ONCE.values(), ids=ONCE)
def test_one_slip_that_breaks_several_steps_is_charged_in_one(submit, s2, old, new):
    graded = submit({"A2S2.py": changed(s2, (old, new))})
    assert {id for id in graded.lost if id.startswith("2.1.")} == {"2.1.self_attention.step3"}

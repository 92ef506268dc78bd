"""What is told about an answer is known: nothing is called likely where other mistakes would look the same."""

import pytest

from support.world.kind import S3, changed

ENCODING = 'tokenizer(texts, padding=True, max_length=512, truncation=True, return_tensors="pt")'
ACCURACY = "return compute_accuracy(torch.cat(predictions), torch.cat(labels))"
ITEM = "return self.data[index]"


@pytest.mark.parametrize(
    "item, old, new",
    [
        ("3.evaluate", ".logits.argmax(-1)", ".logits[:, 1].gt(0.5).long()"),
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

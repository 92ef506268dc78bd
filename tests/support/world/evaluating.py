"""Kinds of programs about evaluate: what it returns and in which form, and what a slip in it costs."""

from support.world.kind import S3, Kind, Member, changed, indented, member

START = S3.index("def evaluate(")
END = S3.index("def main():")
EVALUATE = "3.evaluate"
MODE, GRAPH, WEIGHTS, ACCURACY = 1, 1, 0.5, 1.5  # of 4 points


def program(
    name: str, body: str, *more: tuple[str, str], head: str = "model, dataloader", before: str = "", **verdict
) -> Member:
    """A program with this evaluate; ``more``: further changes."""
    code = f"{before}def evaluate({head}):\n{indented(body)}\n\n"
    return member(name, changed(S3[:START] + code + S3[END:], *more), **verdict)


def partly(name: str, body: str, points: float, says: str) -> Member:
    return program(name, body, lost={EVALUATE}, points={EVALUATE: points}, says={EVALUATE: says})


LOOP = """
model.eval()
hits, count, loss = 0, 0, 0.0
with torch.no_grad():
    for batch in dataloader:
        output = model(**batch["text_encoding"].to(DEVICE), labels=batch["label_encoding"].to(DEVICE))
        hits += (output.logits.argmax(-1) == batch["label_encoding"]).sum().item()
        count += len(batch["label_encoding"])
        loss += output.loss.item()
"""
TAKEN = ("accuracy = evaluate(model, validation)", "accuracy = evaluate(model, validation)")
BATCHES = """
shares = []
for batch in dataloader:
    guesses = model(**batch["text_encoding"].to(DEVICE)).logits.argmax(-1)
    shares.append((guesses == batch["label_encoding"]).float().mean().item())
return sum(shares) / len(shares)
"""

RIGHT = (
    program("running sums", LOOP + "return hits / count"),
    program("accuracy and loss", LOOP + "return hits / count, loss / len(dataloader)", (TAKEN[0], TAKEN[0] + "[0]")),
    program(
        "a named tuple",
        LOOP + "return Result(loss=loss, accuracy=hits / count)[::-1]",
        (TAKEN[0], TAKEN[0] + "[0]"),
        before="from collections import namedtuple\n\nResult = namedtuple('Result', 'loss accuracy')\n\n\n",
    ),
    program(
        "a named tuple, read by name",
        LOOP + "return Result(hits / count, loss / len(dataloader))",
        (TAKEN[0], TAKEN[0] + ".accuracy"),
        before="from collections import namedtuple\n\nResult = namedtuple('Result', 'accuracy loss')\n\n\n",
    ),
    program(
        "a typed named tuple",
        LOOP + "return Result(hits / count)",
        (TAKEN[0], TAKEN[0] + ".accuracy"),
        before="from typing import NamedTuple\n\n\nclass Result(NamedTuple):\n    accuracy: float\n    loss: float = 0.0\n\n\n",
    ),
    program(
        "a device with a default",
        LOOP.replace("DEVICE", "device") + "return hits / count",
        head="model, dataloader, device=DEVICE",
    ),
    program(
        "keyword-only options", LOOP + "return hits / count", head="model, dataloader, *, verbose=False, name='validation'"
    ),
    program("a tensor", LOOP + "return torch.tensor(hits / count)"),
    program(
        "inference mode as a decorator",
        LOOP.replace("with torch.no_grad():", "if True:") + "return hits / count",
        before="@torch.inference_mode()\n",
    ),
    program("mode put back as it was", "was = model.training\n" + LOOP + "model.train(was)\nreturn hits / count"),
    program("divided by the length of the data", LOOP + "return hits / len(dataloader.dataset)"),
    program("percent", LOOP + "return 100 * hits / count"),
)

PARTLY = (
    partly(
        "the mean of batch means",
        "model.eval()\nwith torch.no_grad():\n" + indented(BATCHES),
        MODE + GRAPH + WEIGHTS,
        "mean over batches",
    ),
    partly(
        "no evaluation mode",
        LOOP.replace("model.eval()", "pass") + "return hits / count",
        GRAPH + WEIGHTS + ACCURACY,
        "training mode",
    ),
    partly(
        "a graph",
        LOOP.replace("with torch.no_grad():", "if True:") + "return hits / count",
        MODE + WEIGHTS + ACCURACY,
        "torch.no_grad()",
    ),
    partly("a graph, and batch means", "model.eval()\n" + BATCHES, MODE + WEIGHTS, "torch.no_grad()"),
    partly("the count", LOOP + "return hits", MODE + GRAPH + WEIGHTS, "the number of right answers, not their share"),
    partly("the loss", LOOP + "return loss / len(dataloader)", MODE + GRAPH + WEIGHTS, "the mean loss"),
    partly("nothing returned", LOOP + "accuracy = hits / count", MODE + GRAPH + WEIGHTS, "returns None"),
    partly(
        "weights that shrink",
        "with torch.no_grad():\n    for p in model.parameters():\n        p.mul_(0.9999)\n" + LOOP + "return hits / count",
        MODE + GRAPH + ACCURACY,
        "weights",
    ),
    partly(
        "training mode, first batch",
        LOOP.replace("model.eval()", "model.train()") + "        break\nreturn hits / count",
        GRAPH + WEIGHTS,
        "training mode",
    ),
    partly("a word", LOOP + "return f'{hits / count:.3f}'", MODE + GRAPH + WEIGHTS, "expected one number"),
)

OF_ONES = LOOP.replace(
    'hits += (output.logits.argmax(-1) == batch["label_encoding"]).sum().item()',
    'guesses, labels = output.logits.argmax(-1), batch["label_encoding"]\n        hits += (guesses * labels).sum().item()\n'
    "        ones = ones + guesses.sum().item()\n        true = true + labels.sum().item()",
).replace("hits, count", "ones = true = 0\nhits, count")
PARTS = (
    LOOP.replace("hits, count, loss = 0, 0, 0.0", "hits, seen, loss = 0.0, 0, 0.0")
    .replace(
        'hits += (output.logits.argmax(-1) == batch["label_encoding"]).sum().item()',
        'hits += compute_accuracy(output.logits.argmax(-1), batch["label_encoding"]) * len(batch["label_encoding"])',
    )
    .replace('count += len(batch["label_encoding"])', "seen += 1")
)
CAUSES = (
    partly("recall", OF_ONES + "return hits / true", MODE + GRAPH + WEIGHTS, "not the share of right answers"),
    partly("precision", OF_ONES + "return hits / ones", MODE + GRAPH + WEIGHTS, "not the share of right answers"),
    partly("F1", OF_ONES + "return 2 * hits / (ones + true)", MODE + GRAPH + WEIGHTS, "not the share of right answers"),
    partly(
        "two batches",
        LOOP + "        if count == 8:\n            break\nreturn hits / count",
        MODE + GRAPH + WEIGHTS,
        "but of the 8 (of",
    ),
    partly(
        "two batches, divided by all",
        LOOP + "        if count == 8:\n            break\nreturn hits / len(dataloader.dataset)",
        MODE + GRAPH + WEIGHTS,
        "not the share of right answers",
    ),
    partly(
        "another divisor",
        LOOP + "return hits / (count + 1)",
        MODE + GRAPH + WEIGHTS,
        "it is as if the number of right answers were divided by",
    ),
    partly("batch by batch, too much", PARTS + "return hits / (seen * 4)", MODE + GRAPH + WEIGHTS, "it is as if the number"),
)
UNTRUE = {
    "recall": ("batch", "divided by"),
    "precision": ("batch", "divided by"),
    "F1": ("batch", "divided by"),
    "two batches": ("divided by",),
    "two batches, divided by all": ("divided by", "that the model is given"),
    "another divisor": ("batch", "passed"),
    "batch by batch, too much": ("passed", "only"),
}

EMPTY = (
    program("a constant", "model.eval()\nreturn 0.5", lost={EVALUATE}, says={EVALUATE: "never calls the model"}),
    program("only the mode", "model.eval()", lost={EVALUATE}, says={EVALUATE: "returns None"}),
    program(
        "only the accuracy of nothing",
        "with torch.no_grad():\n    return float(compute_accuracy(torch.ones(2), torch.ones(2)))",
        lost={EVALUATE},
        says={EVALUATE: "never calls the model"},
    ),
)

KINDS = [
    Kind("evaluate may return its accuracy in many ways", 3, RIGHT),
    Kind("an evaluate that is right in part keeps the points of what is right", 3, PARTLY),
    Kind("an evaluate that returns something else is told what it is", 3, CAUSES),
    Kind("an evaluate that does nothing earns nothing", 3, EMPTY),
]

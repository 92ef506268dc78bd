"""Kinds of programs about compute_accuracy and the form in which evaluate passes predictions and labels to it."""

from support.world.kind import S3, Kind, Member, changed, indented, member

ACCURACY = """def compute_accuracy(predictions, labels):
    return (predictions == labels).float().mean().item()
"""
HANDED_OVER = """            predictions.append(model(**batch["text_encoding"].to(DEVICE)).logits.argmax(-1).cpu())
            labels.append(batch["label_encoding"])
    return compute_accuracy(torch.cat(predictions), torch.cat(labels))
"""
LOGITS = '            predictions.append(model(**batch["text_encoding"].to(DEVICE)).logits.cpu())\n'
LISTS = """            predictions += model(**batch["text_encoding"].to(DEVICE)).logits.argmax(-1).tolist()
            labels += batch["label_encoding"].tolist()
"""
LABELS = '            labels.append(batch["label_encoding"])\n'
ITEM, EVALUATE = "3.compute_accuracy", "3.evaluate"


def pair(name: str, accuracy: str, handed_over: str = HANDED_OVER, lost=(), says=None, points=None) -> Member:
    """A program with this compute_accuracy, and with an evaluate that collects and hands over like this."""
    source = changed(S3, (ACCURACY, accuracy.strip() + "\n"), (HANDED_OVER, handed_over))
    return member(name, source, lost, says, points)


def accuracy(body: str, parameters: str = "predictions, labels") -> str:
    return f"def compute_accuracy({parameters}):\n{indented(body)}"


CLASSES_ONLY = accuracy("return (predictions == labels).float().mean().item()")
ARGMAX = accuracy("return (predictions.argmax(-1) == labels).float().mean().item()")

RIGHT = (
    pair(
        "scores as a tensor",
        ARGMAX,
        LOGITS + LABELS + "    return compute_accuracy(torch.cat(predictions), torch.cat(labels))\n",
    ),
    pair(
        "scores as an array",
        accuracy("return float((np.argmax(predictions, axis=1) == labels).mean())").replace(
            "def", "import numpy as np\n\n\ndef", 1
        ),
        LOGITS + LABELS + "    return compute_accuracy(torch.cat(predictions).numpy(), torch.cat(labels).numpy())\n",
    ),
    pair(
        "the list of rows of scores",
        accuracy(
            "right = 0\nfor row, label in zip(predictions, labels):\n    right += int(row.index(max(row)) == label)\n"
            "return right / len(labels)"
        ),
        LISTS.replace(".argmax(-1)", "") + "    return compute_accuracy(predictions, labels)\n",
    ),
    pair(
        "lists",
        accuracy("return sum(p == l for p, l in zip(predictions, labels)) / len(labels)"),
        LISTS + "    return compute_accuracy(predictions, labels)\n",
    ),
    pair(
        "arrays of lists",
        accuracy("return float((predictions == labels).mean())"),
        LISTS + "    import numpy as np\n    return compute_accuracy(np.array(predictions), np.array(labels))\n",
    ),
    pair(
        "tensors of floats",
        CLASSES_ONLY,
        LISTS + "    return compute_accuracy(torch.Tensor(predictions), torch.Tensor(labels))\n",
    ),
    pair(
        "labels first in both",
        accuracy("return (predictions.argmax(-1) == labels).float().mean().item()", "labels, predictions"),
        LOGITS + LABELS + "    return compute_accuracy(torch.cat(labels), torch.cat(predictions))\n",
    ),
    pair(
        "by keyword, under other names",
        accuracy("return (targets == preds).sum().item() / targets.numel()", "*, preds, targets"),
        HANDED_OVER.replace(
            "(torch.cat(predictions), torch.cat(labels))", "(targets=torch.cat(labels), preds=torch.cat(predictions))"
        ),
    ),
    pair(
        "the batches as they are",
        accuracy("return (torch.cat(predictions) == torch.cat(labels)).float().mean().item()"),
        HANDED_OVER.replace("(torch.cat(predictions), torch.cat(labels))", "(predictions, labels)"),
    ),
    pair(
        "batches of scores as they are",
        accuracy("return (torch.cat(predictions).argmax(dim=1) == torch.cat(labels)).float().mean().item()"),
        LOGITS + LABELS + "    return compute_accuracy(predictions, labels)\n",
    ),
    pair(
        "one-hot rows",
        ARGMAX,
        HANDED_OVER.replace("(torch.cat(predictions),", "(torch.nn.functional.one_hot(torch.cat(predictions), 2),"),
    ),
    pair(
        "columns",
        accuracy("return (predictions == labels.view(-1, 1)).float().mean().item()"),
        HANDED_OVER.replace("torch.cat(predictions)", "torch.cat(predictions).unsqueeze(1)"),
    ),
    pair(
        "a tensor comes back, item() in evaluate",
        accuracy("return (predictions == labels).float().mean()"),
        HANDED_OVER.rstrip() + ".item()\n",
    ),
    pair("percent", accuracy("return 100 * (predictions == labels).float().mean().item()")),
    pair(
        "accuracy and count of right ones",
        accuracy("right = (predictions == labels).sum().item()\nreturn right / len(labels), right"),
        HANDED_OVER.rstrip() + "[0]\n",
    ),
    pair(
        "batch by batch, weighted",
        CLASSES_ONLY,
        """            guesses = model(**batch["text_encoding"].to(DEVICE)).logits.argmax(-1).cpu()
            predictions.append(compute_accuracy(guesses, batch["label_encoding"]) * len(guesses))
            labels += batch["label_encoding"].tolist()
    return sum(predictions) / len(labels)
""",
    ),
    pair(
        "evaluate counts by itself",
        ARGMAX,
        HANDED_OVER.replace(
            "compute_accuracy(torch.cat(predictions), torch.cat(labels))",
            "(torch.cat(predictions) == torch.cat(labels)).float().mean().item()",
        ),
    ),
    pair(
        "one more argument with a default",
        accuracy("return round((predictions == labels).float().mean().item(), digits)", "predictions, labels, digits=6"),
    ),
    pair(
        "scores that are taken too",
        accuracy(
            "if predictions.ndim > 1:\n    predictions = predictions.argmax(-1)\n"
            "return (predictions == labels).float().mean().item()"
        ),
    ),
)

UNFIT = (
    pair(
        "argmax of class numbers",
        ARGMAX,
        lost={ITEM},
        says={ITEM: "given class numbers as evaluate passes them", EVALUATE: "right once `compute_accuracy` is right"},
    ),
    pair(
        "argmax of class numbers as floats",
        accuracy("return (torch.argmax(predictions, dim=-1) == labels).float().mean().item()"),
        LISTS + "    return compute_accuracy(torch.Tensor(predictions), torch.Tensor(labels))\n",
        lost={ITEM},
        says={ITEM: "a position here, not a class"},
    ),
    pair(
        "argmax over rows that lists do not have",
        accuracy("import numpy as np\nreturn float((np.argmax(predictions, axis=1) == np.array(labels)).mean())"),
        LISTS + "    return compute_accuracy(predictions, labels)\n",
        lost={ITEM},
    ),
    pair(
        "== of lists",
        CLASSES_ONLY,
        LISTS + "    return compute_accuracy(predictions, labels)\n",
        lost={ITEM},
        says={ITEM: "raised AttributeError"},
    ),
    pair(
        "a method of arrays on tensors",
        accuracy("return (predictions == labels).astype(float).mean()"),
        lost={ITEM},
        says={ITEM: "raised AttributeError"},
    ),
    pair("the mean of booleans", accuracy("return (predictions == labels).mean()"), lost={ITEM}),
    pair(
        "thresholds class numbers", accuracy("return ((predictions > 1).long() == labels).float().mean().item()"), lost={ITEM}
    ),
    pair(
        "item() in evaluate, a wrong tensor before it",
        accuracy("return (predictions != labels).float().mean()"),
        HANDED_OVER.rstrip() + ".item()\n",
        lost={ITEM},
    ),
    pair(
        "two numbers, the first of them a count",
        accuracy("right = (predictions == labels).sum().item()\nreturn right, right / len(labels)"),
        '            predictions.append(model(**batch["text_encoding"].to(DEVICE)).logits.argmax(-1).cpu())\n'
        + LABELS
        + "    right, share = compute_accuracy(torch.cat(predictions), torch.cat(labels))\n    return share\n",
        lost={ITEM},
    ),
    pair("nothing returned", accuracy("share = (predictions == labels).float().mean().item()"), lost={ITEM}),
    pair(
        "the last dimension of one-hot rows",
        accuracy("return (predictions.argmax(0) == labels).float().mean().item()"),
        lost={ITEM},
    ),
    pair("columns against rows", accuracy("return (predictions.view(-1, 1) == labels).float().mean().item()"), lost={ITEM}),
    pair(
        "scores for a function of class numbers",
        CLASSES_ONLY,
        LOGITS + LABELS + "    return compute_accuracy(torch.cat(predictions), torch.cat(labels))\n",
        lost={EVALUATE},
    ),
)

KINDS = [
    Kind("compute_accuracy may take any form of predictions that evaluate passes", 3, RIGHT),
    Kind("compute_accuracy that is wrong for what evaluate passes loses its own points only", 3, UNFIT),
]

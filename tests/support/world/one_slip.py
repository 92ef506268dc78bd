"""Kinds of programs with one slip, which costs the item that it is in and nothing that is built on it."""

from support.world.kind import S3, Kind, changed, member

LEN, ITEMS, ITER, COLLATE = "3.dataset.len", "3.dataset.getitem", "3.dataset.iter", "3.collate"
ACCURACY, TRAIN, EVALUATE, MAIN = "3.compute_accuracy", "3.train_one_epoch", "3.evaluate", "3.main"
RIGHT = "mistake is only charged there"


def slip(name: str, old: str, new: str, lost: str, says: str = "", points: float = 0, then: str = MAIN):
    """A program with one change; ``then``: the item that says that it was judged with a right helper ('' for none)."""
    words = {lost: says} if says else {}
    if then:
        words[then] = RIGHT
    return member(name, changed(S3, (old, new)), {lost}, words, {lost: points} if points else {})


BY_INDEX = changed(
    S3,
    (
        "        for example in self.data:\n            yield example\n",
        "        for n in range(len(self)):\n            yield self[n]\n",
    ),
)
DATASET = (
    slip("no return in __len__", "        return len(self.data)\n", "        len(self.data)\n", LEN, "returns None"),
    slip("a typo in __len__", "return len(self.data)", "return len(self.dat)", LEN, "AttributeError"),
    slip("a typo in __getitem__", "return self.data[index]", "return self.data[idx]", ITEMS, "NameError", then=""),
    slip(
        "no return in __getitem__",
        "        return self.data[index]",
        "        self.data[index]",
        ITEMS,
        "returns None",
        then="",
    ),
    slip("always the first item", "return self.data[index]", "return self.data[0]", ITEMS, then=""),
    slip(
        "a key that the tokenizer does not give",
        "texts = [sample.text",
        "texts = [sample.sentence",
        COLLATE,
        "AttributeError",
        then="",
    ),
    slip(
        "no return in collate_fn",
        '        return {"text_encoding": encoding',
        '        batch = {"text_encoding": encoding',
        COLLATE,
        "returns None",
        then="",
    ),
    member(
        "a typo in __getitem__, which __iter__ uses",
        changed(BY_INDEX, ("return self.data[index]", "return self.dta[index]")),
        {ITEMS},
        {ITER: RIGHT},
    ),
    member(
        "no return in __len__, which __iter__ uses",
        changed(BY_INDEX, ("        return len(self.data)\n", "        len(self.data)\n")),
        {LEN},
        {ITER: RIGHT, MAIN: RIGHT},
    ),
)
TRAINING = (
    slip("a typo in train_one_epoch", "output.loss.backward()", "output.los.backward()", TRAIN, "AttributeError", then=""),
    slip(
        "an exit in train_one_epoch",
        "        output.loss.backward()\n",
        "        output.loss.backward()\n        raise SystemExit\n",
        TRAIN,
    ),
    slip(
        "a process that ends in train_one_epoch",
        "        output.loss.backward()\n",
        "        output.loss.backward()\n        os._exit(1)\n",
        TRAIN,
        "ended the Python process",
    ),
    slip(
        "an exit in compute_accuracy",
        "    return (predictions == labels)",
        "    exit()\n    return (predictions == labels)",
        ACCURACY,
        then=EVALUATE,
    ),
    slip(
        "a process that ends in compute_accuracy",
        "    return (predictions == labels)",
        "    os._exit(0)\n    return (predictions == labels)",
        ACCURACY,
        "ended the Python process",
        then=EVALUATE,
    ),
    slip(
        "a typo in compute_accuracy",
        "(predictions == labels).float()",
        "(predictions == label).float()",
        ACCURACY,
        "NameError",
        then=EVALUATE,
    ),
    slip("an exit in evaluate", "    model.eval()\n    predictions", "    model.eval()\n    quit()\n    predictions", EVALUATE),
    slip(
        "a process that ends in evaluate",
        "    model.eval()\n    predictions",
        "    model.eval()\n    os._exit(3)\n    predictions",
        EVALUATE,
        "ended the Python process",
    ),
    slip("zero_grad forgotten", "        optimizer.zero_grad()\n", "", TRAIN, "accumulate", points=3, then=""),
    slip("no training mode", "    model.train()\n", "", TRAIN, "training mode", points=3.5, then=""),
)
OWN = (
    slip("main does not shuffle", "shuffle=True, ", "", MAIN, "shuffle=True", points=2.5, then=""),
    slip(
        "main keeps the last epoch",
        "        if accuracy > best:\n",
        "        if True:\n",
        MAIN,
        "last epoch",
        points=1.5,
        then="",
    ),
    slip("a batch padded to the maximum", "padding=True", "padding='max_length'", COLLATE, "padding=True", points=3.5, then=""),
    slip("labels as floats", "torch.LongTensor(", "torch.FloatTensor(", COLLATE, "torch.long", points=3.5, then=""),
    member(
        "no return in __len__, and main does not shuffle",
        changed(S3, ("        return len(self.data)\n", "        len(self.data)\n"), ("shuffle=True, ", "")),
        {LEN, MAIN},
        {MAIN: "shuffle=True"},
        {MAIN: 2.5},
    ),
)

KINDS = [
    Kind("a slip in the dataset costs its own item", 3, DATASET),
    Kind("a slip in training or evaluation costs its own item", 3, TRAINING),
    Kind("what is right in part keeps those points, and a second slip is charged beside the first", 3, OWN),
]

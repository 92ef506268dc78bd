"""Kinds of mistakes in section 3, each told by what it does: the items it costs, and the words that name it."""

from support.world.kind import S3, Kind, Member, changed, indented, member

LEN, ITEM, ITER, COLLATE = "3.dataset.len", "3.dataset.getitem", "3.dataset.iter", "3.collate"
ACCURACY, TRAIN, EVALUATE, MAIN = "3.compute_accuracy", "3.train_one_epoch", "3.evaluate", "3.main"
PASS = "        for example in self.data:\n            yield example\n"
ENCODING = 'encoding = tokenizer(texts, padding=True, max_length=512, truncation=True, return_tensors="pt")'
OUTPUT = 'output = model(**batch["text_encoding"].to(DEVICE), labels=batch["label_encoding"].to(DEVICE))'
BARE = OUTPUT.replace('**batch["text_encoding"].to(DEVICE)', 'input_ids=batch["text_encoding"]["input_ids"].to(DEVICE)')
LOOP = "    for batch in dataloader:\n        output"
GUESS = 'model(**batch["text_encoding"].to(DEVICE)).logits.argmax(-1).cpu()'
LOADER = "batch_size=64, shuffle=True, collate_fn=SST2Dataset.collate_fn, num_workers=2"
OPTIMIZER = "    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, eps=1e-8)\n"
EPOCH = "    for epoch in range(num_epochs):\n"
TRAINING = "        train_one_epoch(model, train, optimizer, epoch)\n"
EVALUATION = "        accuracy = evaluate(model, validation)\n"
OWN_BATCHES = """    for n in range(0, 12, 4):
        batch = SST2Dataset.collate_fn([initialize_datasets(tokenizer)["{split}"][i] for i in range(n, n + 4)])
"""


def told(item: str, name: str, says: str, *pairs: tuple[str, str], points: float = 0) -> Member:
    """A program that loses this item, or all but ``points`` of it, and is told so in these words."""
    return member(name, changed(S3, *pairs), {item}, {item: says}, {item: points} if points else {})


def iterating(name: str, body: str, says: str) -> Member:
    return told(ITER, name, says, (PASS, indented(body, 8)))


def encoding(name: str, code: str, says: str, points: float = 0) -> Member:
    return told(COLLATE, name, says, (ENCODING, code), points=points)


KINDS = [
    Kind(
        "an iteration over something else than the examples is told what it gives",
        3,
        (
            iterating("texts", "for example in self.data:\n    yield example.text", "the texts alone, without their labels"),
            iterating("labels", "return iter([one.label for one in self.data])", "the labels alone, without their texts"),
            iterating("indices", "yield from range(len(self.data))", "numbers from 0 on, and not the examples"),
            iterating("a list", "return self.data", "__iter__ returns a list, which has no __next__"),
            iterating("a tuple of texts", "return tuple(self.data)", "__iter__ returns a tuple, which has no __next__"),
            iterating("the other way round", "return reversed(self.data)", "the examples in a different order"),
            iterating("itself", "return self", "__iter__ returns the dataset itself, which has no __next__"),
        ),
    ),
    Kind(
        "a batch that is not encoded as a whole is told how it is",
        3,
        (
            encoding("one long text", ENCODING.replace("texts", '" ".join(texts)'), "not one long text"),
            encoding(
                "no <s> and </s>",
                ENCODING.replace("texts", "texts, add_special_tokens=False"),
                "the tokens <s> and </s> around each sentence are missing",
                3,
            ),
            encoding("the first text", ENCODING.replace("texts", "texts[0]"), "1 row of input_ids, the first sample's"),
            encoding(
                "text by text",
                'encoding = [tokenizer(t, truncation=True, max_length=512, return_tensors="pt") for t in texts]',
                "text_encoding is a list of 5: call the tokenizer once",
            ),
            encoding("arrays", ENCODING.replace('"pt"', '"np"'), "is an array, not a tensor"),
            encoding("input_ids alone", ENCODING + ".input_ids", "text_encoding is a Tensor, not all that the tokenizer returns"),
        ),
    ),
    Kind(
        "a training loop is told what it does to the model, and where the cause of an exception is known, that",
        3,
        (
            told(
                TRAIN,
                "an optimizer of its own",
                "not by the optimizer that is passed in",
                ("    model.train()\n", "    model.train()\n    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"),
            ),
            told(TRAIN, "no labels", "was given no labels", (OUTPUT, OUTPUT.replace(', labels=batch["label_encoding"].to(DEVICE)', ""))),
            told(TRAIN, "a number", "a plain number", ("output.loss.backward()", "output.loss.item().backward()")),
            told(
                TRAIN,
                "without gradients",
                "ran without tracking gradients",
                (LOOP, LOOP.replace("output", "with torch.no_grad():\n            output")),
            ),
            told(TRAIN, "detached", "cut off from the model", ("output.loss.backward()", "output.loss.detach().backward()")),
            told(
                TRAIN,
                "two steps for one backward",
                "is called again although no loss.backward()",
                ("        optimizer.step()\n", "        optimizer.step()\n        optimizer.step()\n"),
                points=3.5,
            ),
            told(
                TRAIN,
                "all but the first batch",
                "all but the first",
                (LOOP, "    for n, batch in enumerate(dataloader):\n        if n == 0:\n            continue\n        output"),
                points=3.5,
            ),
            told(
                TRAIN,
                "other batches than those of its loader",
                "takes no batch from the dataloader that it is given",
                ("    for batch in dataloader:\n", OWN_BATCHES.format(split="train")),
                points=3.5,
            ),
            told(TRAIN, "no attention mask", "without an attention_mask", (OUTPUT, BARE), points=3.5),
        ),
    ),
    Kind(
        "an evaluation is told what it leaves out",
        3,
        (
            told(
                EVALUATE,
                "an argmax over the sentences",
                "two for each batch, as an argmax over its sentences gives",
                (GUESS, GUESS.replace("argmax(-1)", "argmax(0)")),
                points=2.5,
            ),
            told(
                EVALUATE,
                "the labels of the last batch",
                "predictions and",
                ('            labels.append(batch["label_encoding"])\n', '            labels = [batch["label_encoding"]]\n'),
                points=2.5,
            ),
            told(
                EVALUATE,
                "rounded",
                "a share rounded to 2 digits",
                ("    return compute_accuracy(torch.cat(predictions), torch.cat(labels))", "    return round(compute_accuracy(torch.cat(predictions), torch.cat(labels)), 2)"),
                points=2.5,
            ),
            told(
                EVALUATE,
                "no attention mask",
                "without an attention_mask",
                (GUESS, GUESS.replace('**batch["text_encoding"].to(DEVICE)', 'batch["text_encoding"]["input_ids"].to(DEVICE)')),
                points=2.5,
            ),
        ),
    ),
    Kind(
        "a main is told what it does between the epochs and to the sentences",
        3,
        (
            told(
                MAIN,
                "a new optimizer in each epoch",
                "every epoch begins with a new optimizer",
                (OPTIMIZER, ""),
                (EPOCH, EPOCH + indented(OPTIMIZER.strip(), 8)),
                points=2.5,
            ),
            told(
                MAIN,
                "batches of one",
                "one sentence at a time",
                (LOADER, LOADER.replace("batch_size=64, ", "")),
                points=2.5,
            ),
            told(
                MAIN,
                "evaluation before training",
                "evaluate comes before train_one_epoch",
                (TRAINING + EVALUATION, EVALUATION + TRAINING),
                points=1.5,
            ),
            told(
                MAIN,
                "a validation loader that drops its last batch",
                "evaluate sees only 128 of 150 validation sentences: drop_last=True",
                ("batch_size=64, collate_fn", "batch_size=64, drop_last=True, collate_fn"),
                points=2.5,
            ),
        ),
    ),
]  # fmt: skip

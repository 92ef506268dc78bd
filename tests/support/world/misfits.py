"""Kinds of programs whose parts look right alone and do not fit each other: what departs from the handout pays."""

from __future__ import annotations

from support.world.kind import S3, Kind, Member, changed, member

ITEM = "        return self.data[index]\n"
BATCH = """        texts = [sample.text for sample in batched_samples]
        encoding = tokenizer(texts, padding=True, max_length=512, truncation=True, return_tensors="pt")
        return {"text_encoding": encoding, "label_encoding": torch.LongTensor([sample.label for sample in batched_samples])}
"""
LENGTH = "        return len(self.data)\n"
STATIC = "    @staticmethod\n    def collate_fn(batched_samples):\n"
COLLATE = "collate_fn=SST2Dataset.collate_fn"
AS_DICT = ITEM.replace("self.data[index]", '{"text": self.data[index].text, "label": self.data[index].label}')
AS_TUPLE = ITEM.replace("self.data[index]", "self.data[index].text, self.data[index].label")
OF_DICTS = BATCH.replace("sample.text", 'sample["text"]').replace("sample.label", 'sample["label"]')
OF_TUPLES = BATCH.replace("sample.text", "sample[0]").replace("sample.label", "sample[1]")
UNPACKED = """    for one, two in dataloader:
        batch = {"text_encoding": one, "label_encoding": two}
        output"""
LABELS = '"label_encoding": torch.LongTensor', '"labels": torch.LongTensor'
ITEMS, BATCHES, LEN, TRAIN = {"3.dataset.getitem"}, {"3.collate"}, {"3.dataset.len"}, {"3.train_one_epoch"}


def as_examples(sample: str) -> str:
    """A collate_fn that first turns each sample ``s`` into this."""
    first = f"        batched_samples = [{sample} for s in batched_samples]\n"
    return first + BATCH


def items(name: str, item: str, says: str, batch: str = BATCH) -> Member:
    return member(name, changed(S3, (ITEM, item), (BATCH, batch)), ITEMS, {"3.dataset.getitem": says})


def batches(name: str, batch: str, says: str, item: str = ITEM) -> Member:
    return member(name, changed(S3, (BATCH, batch), (ITEM, item)), BATCHES, {"3.collate": says})


def through_instances(source: str) -> str:
    """The same program with ``collate_fn`` taken from the datasets in ``main``."""
    return changed(
        source, (COLLATE, 'collate_fn=datasets["train"].collate_fn'), (COLLATE, 'collate_fn=datasets["validation"].collate_fn')
    )


# DataLoaders of the datasets' lists, which have lengths of their own.
LISTS = [(f'DataLoader(datasets["{split}"],', f'DataLoader(datasets["{split}"].data,') for split in ("train", "validation")]


def counted(kind: str, value: str) -> Member:
    return member(
        f"a length that is a {kind}",
        changed(S3, (LENGTH, f"        return {value}\n"), *LISTS),
        LEN,
        {"3.dataset.len": f"__len__ returns a {kind}, for which len() raises TypeError"},
    )


KINDS = [
    Kind(
        "items that do not fit the author's own collate_fn cost the items, once",
        3,
        (
            items(
                "dictionaries, where attributes are read",
                AS_DICT,
                "is a dict, on which your own collate_fn raises AttributeError",
            ),
            items(
                "tuples, where attributes are read", AS_TUPLE, "is a tuple, on which your own collate_fn raises AttributeError"
            ),
            items(
                "tuples, where keys are read", AS_TUPLE, "is a tuple, on which your own collate_fn raises TypeError", OF_DICTS
            ),
            items(
                "dictionaries, where places are read",
                AS_DICT,
                "is a dict, on which your own collate_fn raises",
                as_examples("s if hasattr(s, 'text') else SST2Example(s[0], s[1])"),
            ),
            items(
                "encodings, where texts are read",
                ITEM.replace(
                    "self.data[index]",
                    '{"text_encoding": tokenizer(self.data[index].text), "label_encoding": self.data[index].label}',
                ),
                "is a dict, on which your own collate_fn raises AttributeError",
            ),
        ),
    ),
    Kind(
        "a collate_fn that does not take the handout's items, which the dataset gives, costs collate_fn",
        3,
        (
            batches("keys of examples", OF_DICTS, "TypeError"),
            batches("places of examples", OF_TUPLES, "TypeError"),
            batches("a name that examples do not have", BATCH.replace("sample.text", "sample.sentence"), "AttributeError"),
        ),
    ),
    Kind(
        "items of any kind that the author's own collate_fn takes are right",
        3,
        (
            member("dictionaries", changed(S3, (ITEM, AS_DICT), (BATCH, OF_DICTS))),
            member("tuples", changed(S3, (ITEM, AS_TUPLE), (BATCH, OF_TUPLES))),
            member(
                "tuples or examples",
                changed(S3, (ITEM, AS_TUPLE), (BATCH, as_examples("SST2Example(*s) if isinstance(s, tuple) else s"))),
            ),
            member(
                "examples, also taken as dictionaries",
                changed(S3, (BATCH, BATCH.replace("sample.text", "getattr(sample, 'text', None)"))),
            ),
        ),
    ),
    Kind(
        "a collate_fn that its caller cannot call costs collate_fn",
        3,
        (
            member(
                "self without @staticmethod, called on the class",
                changed(S3, (STATIC, "    def collate_fn(self, batched_samples):\n")),
                BATCHES,
                {"3.collate": "SST2Dataset.collate_fn cannot be called with a batch alone"},
            ),
            member(
                "no self and no @staticmethod, called on an instance",
                through_instances(changed(S3, (STATIC, "    def collate_fn(batched_samples):\n"))),
                BATCHES,
                {"3.collate": "dataset.collate_fn cannot be called with a batch alone"},
            ),
            member(
                "self beside @staticmethod",
                changed(S3, (STATIC, "    @staticmethod\n    def collate_fn(self, batched_samples):\n")),
                BATCHES,
                {"3.collate": "SST2Dataset.collate_fn cannot be called with a batch alone"},
            ),
            member(
                "a tokenizer asked for",
                changed(S3, (STATIC, "    @staticmethod\n    def collate_fn(batched_samples, tokenizer):\n")),
                BATCHES,
                {"3.collate": "SST2Dataset.collate_fn cannot be called with a batch alone"},
            ),
        ),
    ),
    Kind(
        "a collate_fn that its caller can call is right",
        3,
        (
            member(
                "a method, called on instances",
                through_instances(changed(S3, (STATIC, "    def collate_fn(self, batched_samples):\n"))),
            ),
            member(
                "a function without @staticmethod, called on the class",
                changed(S3, (STATIC, "    def collate_fn(batched_samples):\n")),
            ),
            member("a class method", changed(S3, (STATIC, "    @classmethod\n    def collate_fn(cls, batched_samples):\n"))),
            member("a static method, called on instances", through_instances(S3)),
            member(
                "a setting with a default",
                changed(S3, (STATIC, "    @staticmethod\n    def collate_fn(batched_samples, length=512):\n")),
            ),
        ),
    ),
    Kind(
        "a length has to be a whole number",
        3,
        (
            member("numpy's", changed(S3, (LENGTH, "        import numpy\n\n        return numpy.int64(len(self.data))\n"))),
            member("a size of a tensor", changed(S3, (LENGTH, "        return torch.zeros(len(self.data)).shape[0]\n"))),
            counted("float", "len(self.data) / 1"),
            counted("str", "str(len(self.data))"),
        ),
    ),
    Kind(
        "names of a batch's parts that do not fit cost the part that departs from the handout, once",
        3,
        (
            member(
                "read by another name",
                changed(S3, ('labels=batch["label_encoding"].to(DEVICE))', 'labels=batch["labels"].to(DEVICE))')),
                TRAIN,
                {"3.train_one_epoch": "KeyError"},
            ),
            member(
                "read as attributes",
                changed(S3, ('labels=batch["label_encoding"].to(DEVICE))', "labels=batch.labels.to(DEVICE))")),
                TRAIN,
                {"3.train_one_epoch": "AttributeError"},
            ),
            member(
                "unpacked",
                changed(
                    S3,
                    (
                        "    for batch in dataloader:\n        output",
                        UNPACKED,
                    ),
                ),
                TRAIN,
            ),
            member(
                "made and read by another name",
                changed(
                    S3,
                    LABELS,
                    ('labels=batch["label_encoding"].to(DEVICE))', 'labels=batch["labels"].to(DEVICE))'),
                    ('batch["label_encoding"])', 'batch["labels"])'),
                ),
                BATCHES,
                {"3.collate": "the batch has the keys 'text_encoding', 'labels'"},
            ),
            member(
                "made by another name",
                changed(S3, LABELS),
                BATCHES,
                {"3.collate": "it should have 'text_encoding' and 'label_encoding'"},
            ),
        ),
    ),
]

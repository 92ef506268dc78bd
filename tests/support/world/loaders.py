"""Kinds of programs about how training batches come about: samplers, loops of one's own, no DataLoader at all."""

from __future__ import annotations

from support.world.kind import S3, Kind, Member, changed, member

TRAIN = (
    '    train = DataLoader(datasets["train"], batch_size=64, shuffle=True, collate_fn=SST2Dataset.collate_fn, num_workers=2)\n'
)
CALL = "        train_one_epoch(model, train, optimizer, epoch)\n"
COLLATE = "collate_fn=SST2Dataset.collate_fn"


def with_loader(line: str, before: str = "", each: str = "") -> str:
    """Section 3 with another training loader. ``before`` precedes ``main``; ``each`` opens each epoch."""
    new = "".join(f"    {part}\n" for part in line.split("\n"))
    opening = "".join(f"        {part}\n" for part in each.split("\n") if part)
    return changed(S3, (TRAIN, new), (CALL, opening + CALL), ("def main():", before + "\n\ndef main():"))


def loader(arguments: str, data: str = 'datasets["train"]') -> str:
    return f"train = DataLoader({data}, {arguments}, {COLLATE})"


STREAM = """
class Stream(torch.utils.data.IterableDataset):
    def __init__(self, examples):
        self.examples = list(examples)

    def __iter__(self):
        for n in torch.randperm(len(self.examples)).tolist():
            yield self.examples[n]"""
SAMPLER = """
class RandomOrder(torch.utils.data.Sampler):
    def __init__(self, data):
        self.data = data

    def __len__(self):
        return len(self.data)

    def __iter__(self):
        return iter(torch.randperm(len(self.data)).tolist())"""
BY_LENGTH = """
class ByLength(torch.utils.data.Sampler):
    def __init__(self, data, size):
        places = sorted(range(len(data)), key=lambda n: len(data[n].text))
        self.batches = [places[n : n + size] for n in range(0, len(places), size)]

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        order = torch.randperm(len(self.batches)).tolist()
        return iter([self.batches[n] for n in order])"""
GENERATOR = """
def batches(data, size=64):
    order = torch.randperm(len(data)).tolist()
    for n in range(0, len(order), size):
        yield SST2Dataset.collate_fn([data[place] for place in order[n : n + size]])"""
RE_ITERABLE = """
class Batches:
    def __init__(self, data, size):
        self.data, self.size = data, size

    def __len__(self):
        return (len(self.data) + self.size - 1) // self.size

    def __iter__(self):
        order = torch.randperm(len(self.data)).tolist()
        for n in range(0, len(order), self.size):
            yield SST2Dataset.collate_fn([self.data[place] for place in order[n : n + self.size]])"""
OWN_LOOP = """
        model.train()
        order = torch.randperm(len(datasets["train"])).tolist()
        for n in range(0, len(order), 64):
            batch = SST2Dataset.collate_fn([datasets["train"][place] for place in order[n : n + 64]])
            optimizer.zero_grad()
            model(**batch["text_encoding"], labels=batch["label_encoding"]).loss.backward()
            optimizer.step()
"""
OWN_EVALUATION = """        hits = 0
        model.eval()
        with torch.no_grad():
            for batch in validation:
                hits += (model(**batch["text_encoding"]).logits.argmax(-1) == batch["label_encoding"]).sum().item()
        accuracy = hits / len(datasets["validation"])
"""


def dropping(size: int) -> Member:
    return member(
        f"batches of {size}, the last one dropped", with_loader(loader(f"batch_size={size}, shuffle=True, drop_last=True"))
    )


RIGHT = (
    dropping(64),
    dropping(32),
    dropping(128),
    dropping(256),
    member(
        "dropping the last batch, with a mean over batches",
        changed(
            with_loader(loader("batch_size=64, shuffle=True, drop_last=True")),
            (
                "    model.train()\n    for batch in dataloader:\n",
                "    model.train()\n    total = 0\n    for batch in dataloader:\n",
            ),
            (
                "        optimizer.step()\n",
                "        optimizer.step()\n        total += output.loss.item()\n    return total / len(dataloader)\n",
            ),
        ),
    ),
    member("a RandomSampler", with_loader(loader('batch_size=64, sampler=torch.utils.data.RandomSampler(datasets["train"])'))),
    member(
        "a SubsetRandomSampler",
        with_loader(loader('batch_size=64, sampler=torch.utils.data.SubsetRandomSampler(range(len(datasets["train"])))')),
    ),
    member(
        "a WeightedRandomSampler",
        with_loader(
            'weights = [1.0 + example.label for example in datasets["train"]]\n'
            + loader("batch_size=64, sampler=torch.utils.data.WeightedRandomSampler(weights, len(weights))")
        ),
    ),
    member("a sampler of one's own", with_loader(loader('batch_size=64, sampler=RandomOrder(datasets["train"])'), SAMPLER)),
    member(
        "a BatchSampler",
        with_loader(
            loader('batch_sampler=torch.utils.data.BatchSampler(torch.utils.data.RandomSampler(datasets["train"]), 64, True)')
        ),
    ),
    member(
        "batches of similar length in random order",
        with_loader(loader('batch_sampler=ByLength(datasets["train"], 64)'), BY_LENGTH),
    ),
    member(
        "a generator for the order",
        with_loader(loader("batch_size=64, shuffle=True, generator=torch.Generator().manual_seed(64)")),
    ),
    member("an IterableDataset that shuffles", with_loader(loader("batch_size=64", 'Stream(datasets["train"])'), STREAM)),
    member(
        "a list that is shuffled for each epoch",
        with_loader(loader("batch_size=64"), "import random\n", 'random.shuffle(datasets["train"].data)'),
    ),
    member(
        "a generator of batches, made anew for each epoch",
        with_loader("train = None", GENERATOR, 'train = batches(datasets["train"])'),
    ),
    member("an object that yields shuffled batches", with_loader('train = Batches(datasets["train"], 64)', RE_ITERABLE)),
    member(
        "a list of batches, made anew for each epoch",
        with_loader("train = None", GENERATOR, 'train = list(batches(datasets["train"]))'),
    ),
    member(
        "a part of the data, by Subset",
        with_loader(
            loader(
                "batch_size=64, shuffle=True", 'torch.utils.data.Subset(datasets["train"], range(0, len(datasets["train"]), 2))'
            )
        ),
    ),
    member(
        "a part of the data, by random_split",
        with_loader(
            'count = int(0.9 * len(datasets["train"]))\n'
            'part, _ = torch.utils.data.random_split(datasets["train"], [count, len(datasets["train"]) - count])\n'
            + loader("batch_size=64, shuffle=True", "part")
        ),
    ),
    member("a loop of main's own over a permutation", changed(S3, (CALL, OWN_LOOP))),
    member("an evaluation of main's own", changed(S3, ("        accuracy = evaluate(model, validation)\n", OWN_EVALUATION))),
    member(
        "both loops of main's own, without eval mode until the end",
        changed(S3, (CALL, OWN_LOOP), ("        accuracy = evaluate(model, validation)\n", OWN_EVALUATION)),
    ),
    member(
        "tqdm around the loader",
        changed(
            S3,
            (CALL, "        train_one_epoch(model, tqdm(train), optimizer, epoch)\n"),
            ("import torch\n", "import torch\nfrom tqdm import tqdm\n"),
        ),
    ),
    member(
        "a best accuracy that is global",
        changed(
            with_loader(loader("batch_size=64, shuffle=True, drop_last=True"), "best, state = 0, {}"),
            ("    best = 0\n", "    global best\n"),
        ),
    ),
)

KEPT = {"3.main": 2.5}  # all but the claim about shuffling
SAME = {"3.main": "the training data come in the same order in every epoch"}
WRONG = (
    member(
        "no shuffling, the last batch dropped", with_loader(loader("batch_size=64, drop_last=True")), {"3.main"}, SAME, KEPT
    ),
    member("no shuffling, small batches", with_loader(loader("batch_size=4")), {"3.main"}, SAME, KEPT),
    member(
        "a SequentialSampler",
        with_loader(loader('batch_size=64, sampler=torch.utils.data.SequentialSampler(datasets["train"])')),
        {"3.main"},
        SAME,
        KEPT,
    ),
    member(
        "shortest first in every epoch",
        with_loader(
            'places = sorted(range(len(datasets["train"])), key=lambda n: len(datasets["train"][n].text))\n'
            + loader("batch_size=64", 'torch.utils.data.Subset(datasets["train"], places)')
        ),
        {"3.main"},
        SAME,
        KEPT,
    ),
    member(
        "a stream in its own order",
        with_loader(
            loader("batch_size=64", 'Stream(datasets["train"])'),
            changed(STREAM, ("torch.randperm(len(self.examples)).tolist()", "range(len(self.examples))")),
        ),
        {"3.main"},
        SAME,
        KEPT,
    ),
    member(
        "a loop of main's own in order",
        changed(
            S3,
            (
                CALL,
                changed(OWN_LOOP, ('torch.randperm(len(datasets["train"])).tolist()', 'list(range(len(datasets["train"])))')),
            ),
        ),
        {"3.main"},
        SAME,
        KEPT,
    ),
    member(
        "a generator of batches that is used up after one epoch",
        with_loader('train = batches(datasets["train"])', GENERATOR),
        {"3.main"},
        {"3.main": "epoch 2 trains on no batch"},
    ),
)

KINDS = [
    Kind("training batches may come about in any way that shuffles them", 3, RIGHT),
    Kind("training batches in the same order in every epoch cost main, which is told so", 3, WRONG),
]

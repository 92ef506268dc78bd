"""Kinds of programs about how main chooses the weights that it keeps."""

from support.world.kind import S3, Kind, Member, changed, indented, member

START, END = S3.index("    best = 0\n"), S3.index('\n\nif __name__ == "__main__"')
MAIN = "3.main"
TRAINED, SHUFFLED, VALIDATED, KEPT = 0.5, 0.5, 0.5, 1.5  # of 3 points
SAVED = 'torch.save(model.state_dict(), f"checkpoints/epoch{epoch}.pt")'
TEST = 'test = DataLoader(datasets["test"], batch_size=64, collate_fn=SST2Dataset.collate_fn)\n'
BEST = """
best = 0
os.makedirs("checkpoints", exist_ok=True)
for epoch in range(num_epochs):
    train_one_epoch(model, train, optimizer, epoch)
    {accuracy}
    if accuracy > best:
        best = accuracy
        torch.save(model.state_dict(), "checkpoints/best.pt")
"""
LOOPS = """
model.eval()
hits = 0
with torch.no_grad():
    for batch in {loader}:
        guesses = model(**batch["text_encoding"].to(DEVICE)).logits.argmax(-1).cpu()
        hits += (guesses == batch["label_encoding"]).sum().item()
"""


def program(name: str, loop: str, *more: tuple[str, str], **verdict) -> Member:
    """A program whose main ends with this loop over the epochs; ``more``: further changes."""
    return member(name, changed(S3[:START] + indented(loop) + S3[END:], *more), **verdict)


def each_epoch(then: str, before: str = "", after: str = "") -> str:
    return (
        f'{before}os.makedirs("checkpoints", exist_ok=True)\nfor epoch in range(num_epochs):\n'
        f"    train_one_epoch(model, train, optimizer, epoch)\n{indented(then)}{after}"
    )


def wrong(name: str, loop: str, *more: tuple[str, str], points: float, says: str) -> Member:
    return program(name, loop, *more, lost={MAIN}, points={MAIN: points}, says={MAIN: says})


def returns(value: str, accuracy: str) -> Member:
    """compute_accuracy returns something that is no float of Python's, and main uses that."""
    source = changed(
        S3,
        ("import os\n", "import os\nimport numpy as np\n"),
        ("return (predictions == labels).float().mean().item()", f"return {value}"),
        ("accuracy = evaluate(model, validation)", f"accuracy = evaluate(model, validation){accuracy}"),
    )
    return member(f"{value}, then {accuracy}", source)


NEVER = "the validation set is never evaluated"
NO_VALIDATION = (
    wrong(
        "save_pretrained after each epoch",
        each_epoch('model.save_pretrained("checkpoints")'),
        points=TRAINED + SHUFFLED,
        says=NEVER,
    ),
    wrong("a file for each epoch", each_epoch(SAVED), points=TRAINED + SHUFFLED, says=NEVER),
    wrong(
        "the last weights",
        each_epoch("pass", after='torch.save(model.state_dict(), "checkpoints/last.pt")\n'),
        points=TRAINED + SHUFFLED,
        says=NEVER,
    ),
    wrong(
        "the test set, in a loop of its own",
        each_epoch(LOOPS.format(loader="test") + "print(hits)\n" + SAVED, before=TEST),
        points=TRAINED + SHUFFLED,
        says=NEVER,
    ),
    wrong(
        "the training set, in a loop of its own",
        each_epoch(LOOPS.format(loader="train") + "print(hits)\n" + SAVED),
        points=TRAINED + SHUFFLED,
        says=NEVER,
    ),
)
IGNORED = tuple(
    wrong(
        name, each_epoch(then, after=after), points=TRAINED + SHUFFLED + VALIDATED, says="the weights of every epoch are kept"
    )
    for name, then, after in (
        ("dropped", f"evaluate(model, validation)\n{SAVED}", ""),
        ("never read", f"accuracy = evaluate(model, validation)\n{SAVED}", ""),
        ("printed", f"print(epoch, evaluate(model, validation))\n{SAVED}", ""),
        ("printed, rounded", f"print('accuracy', round(100 * evaluate(model, validation), 2))\n{SAVED}", ""),
        ("printed by format", f"print('{{}}: {{:.3f}}'.format(epoch, evaluate(model, validation)))\n{SAVED}", ""),
        ("kept and printed", f'accuracy = evaluate(model, validation)\nprint(f"{{epoch}}: {{accuracy:.3f}}")\n{SAVED}', ""),
        (
            "and the last ones once more",
            f"evaluate(model, validation)\n{SAVED}",
            'torch.save(model.state_dict(), "checkpoints/last.pt")\n',
        ),
    )
)
CHOSEN_LATER = (
    program(
        "loaded for the test",
        each_epoch(
            f"accuracies.append(evaluate(model, validation))\n{SAVED}",
            before="accuracies = []\n",
            after="best = accuracies.index(max(accuracies))\n"
            'model.load_state_dict(torch.load(f"checkpoints/epoch{best}.pt"))\n' + TEST + "print(evaluate(model, test))\n",
        ),
    ),
    program(
        "copied",
        each_epoch(
            f"accuracies.append(evaluate(model, validation))\n{SAVED}",
            before="import shutil\naccuracies = []\n",
            after="best = accuracies.index(max(accuracies))\n"
            'shutil.copy(f"checkpoints/epoch{best}.pt", "checkpoints/best.pt")\n',
        ),
    ),
    program(
        "named by it",
        each_epoch(
            "accuracy = evaluate(model, validation)\n"
            'torch.save(model.state_dict(), f"checkpoints/epoch{epoch}-{accuracy:.4f}.pt")'
        ),
    ),
    program(
        "saved with it",
        each_epoch(
            "accuracy = evaluate(model, validation)\n"
            'torch.save({"model": model.state_dict(), "accuracy": accuracy}, f"checkpoints/epoch{epoch}.pt")'
        ),
    ),
    *(
        program(
            f"the best one found by {name}",
            each_epoch(
                f"print({printed})\n{SAVED}",
                before=f"{start}\n",
                after="best = accuracies.index(max(accuracies))\n"
                'model.load_state_dict(torch.load(f"checkpoints/epoch{best}.pt"))\n' + TEST + "print(evaluate(model, test))\n",
            ),
        )
        for name, start, printed in (
            ("a list that is told while printing", "accuracies = []", "accuracies.append(evaluate(model, validation))"),
            (
                "a tracker that answers",
                (
                    "from types import SimpleNamespace\naccuracies = []\n"
                    "tracker = SimpleNamespace(update=lambda value: accuracies.append(value) or value)"
                ),
                "epoch, tracker.update(evaluate(model, validation))",
            ),
            (
                "a name that is bound while printing",
                "accuracies = []",
                "a := evaluate(model, validation)); accuracies.append(a",
            ),
        )
    ),
    program(
        "the best one remembered",
        each_epoch(
            f"accuracy = evaluate(model, validation)\n{SAVED}\nif accuracy > best:\n    best, best_epoch = accuracy, epoch",
            before="best = 0\n",
            after="print(best_epoch)\n",
        ),
    ),
)
INSIDE = (
    ("optimizer, epoch):\n", "optimizer, epoch, validation=None):\n"),
    (
        "        optimizer.step()\n",
        "        optimizer.step()\n    if validation is None:\n        return 0.0\n"
        + indented(LOOPS.format(loader="validation") + "return hits / 99"),
    ),
)
OWN = indented(LOOPS.format(loader="validation") + "accuracy = hits / 99").strip()
OTHER_WAYS = (
    program("in a loop of main's own", BEST.format(accuracy=OWN)),
    program(
        "within train_one_epoch",
        BEST.format(accuracy="accuracy = train_one_epoch(model, train, optimizer, epoch, validation)").replace(
            "    train_one_epoch(model, train, optimizer, epoch)\n", ""
        ),
        *INSIDE,
    ),
)
PREVIOUS = (
    wrong(
        "better than the epoch before",
        each_epoch(
            "accuracy = evaluate(model, validation)\nif accuracy > last:\n"
            '    torch.save(model.state_dict(), "checkpoints/best.pt")\nlast = accuracy',
            before="last = 0\n",
        ),
        ("num_epochs = 20", "num_epochs = 5"),
        points=TRAINED + SHUFFLED + VALIDATED,
        says="save only when it is better than all before",
    ),
    wrong(
        "better than the worst",
        each_epoch(
            "accuracy = evaluate(model, validation)\nworst = min(worst, accuracy)\nif accuracy > worst:\n"
            '    torch.save(model.state_dict(), "checkpoints/best.pt")',
            before="worst = 1\n",
        ),
        ("num_epochs = 20", "num_epochs = 5"),
        points=TRAINED + SHUFFLED + VALIDATED,
        says="save only when it is better than all before",
    ),
)
SHARE = "(np.array(predictions) == np.array(labels)).mean()"
TYPES = (
    returns(f"np.mean({SHARE[:-7]})", ".item()"),
    returns(SHARE, ".round(3)"),
    returns(f"np.float32({SHARE})", ".item()"),
    returns(f"np.array({SHARE})", ".item()"),
    returns(f"np.array([{SHARE}])", ".item()"),
    returns(f"np.array([{SHARE}])", "[0]"),
    returns("(predictions == labels).float().mean()", ".item()"),
    returns("(predictions == labels).float().mean()", ".cpu().numpy()"),
    returns("(predictions == labels).float().mean(0, keepdim=True)", "[0].item()"),
    returns(f"100 * {SHARE}", ".item()"),
)
UNTRUE = {one.name: ("every epoch overwrites",) for one in PREVIOUS}

KINDS = [
    Kind("a main that never evaluates the validation set chooses nothing", 3, NO_VALIDATION),
    Kind("a main that keeps every epoch's weights and makes nothing of the accuracies chooses nothing", 3, IGNORED),
    Kind("a main may keep every epoch's weights and choose among them later", 3, CHOSEN_LATER),
    Kind("a main may evaluate without calling evaluate", 3, OTHER_WAYS),
    Kind("a main that saves too often is told what to compare with", 3, PREVIOUS),
    Kind("an accuracy stays what it is for the main that uses it", 3, TYPES),
]

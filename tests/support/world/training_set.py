"""Kinds of programs about what main trains, on what and for how long."""

from __future__ import annotations

from support.world.kind import S3, Kind, changed, member
from support.world.loaders import CALL, OWN_LOOP, TRAIN

EVALUATE = "        accuracy = evaluate(model, validation)\n"
MODEL = '    model = AutoModelForSequenceClassification.from_pretrained("roberta-base", num_labels=2).to(DEVICE)\n'
OPTIMIZER = "    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, eps=1e-8)\n"
LOOP = "    for epoch in range(num_epochs):\n"
MAIN = {"3.main"}


def inside(line: str) -> str:
    """A line of ``main`` moved into its loop."""
    return "    " + line


KINDS = [
    Kind(
        "main has to train on the training set alone",
        3,
        (
            member(
                "the test set",
                changed(S3, (TRAIN, TRAIN.replace('"train"', '"test"'))),
                MAIN,
                {"3.main": "main trains on the test set"},
            ),
            member(
                "the validation set",
                changed(S3, (TRAIN, TRAIN.replace('"train"', '"validation"'))),
                MAIN,
                {"3.main": "main trains on the validation set"},
            ),
            member(
                "training and validation sets together",
                changed(
                    S3,
                    (
                        TRAIN,
                        TRAIN.replace(
                            'datasets["train"]', 'torch.utils.data.ConcatDataset([datasets["train"], datasets["validation"]])'
                        ),
                    ),
                ),
                MAIN,
                {"3.main": "main trains on sentences of the validation set"},
            ),
            member(
                "the test set in a loop of main's own",
                changed(S3, (CALL, OWN_LOOP.replace('"train"', '"test"'))),
                MAIN,
                {"3.main": "main trains on the test set"},
            ),
            member(
                "chosen on the training set",
                changed(S3, (EVALUATE, "        accuracy = evaluate(model, train)\n")),
                MAIN,
                {"3.main": "the validation set is never evaluated"},
                {"3.main": 1},
            ),
            member(
                "chosen on the test set",
                changed(S3, ('datasets["validation"], batch_size', 'datasets["test"], batch_size')),
                MAIN,
                {"3.main": "the test set is evaluated instead"},
                {"3.main": 1},
            ),
        ),
    ),
    Kind(
        "main has to train one model, with an optimizer of its parameters",
        3,
        (
            member(
                "a new model in each epoch, the old optimizer",
                changed(S3, (LOOP, LOOP + inside(MODEL))),
                MAIN,
                {"3.main": "in epoch 1 the optimizer holds no parameter of the model"},
            ),
            member(
                "a new model after each epoch, the old optimizer",
                changed(
                    S3,
                    (EVALUATE, EVALUATE + "        print(accuracy)\n"),
                    (
                        '            torch.save(model.state_dict(), "checkpoints/best.pt")\n',
                        '            torch.save(model.state_dict(), "checkpoints/best.pt")\n' + inside(MODEL),
                    ),
                ),
                MAIN,
                {"3.main": "in epoch 2 the optimizer holds no parameter of the model"},
            ),
            member(
                "a new model and optimizer in each epoch",
                changed(S3, (LOOP, LOOP + inside(MODEL) + inside(OPTIMIZER))),
                MAIN,
                {"3.main": "every epoch trains a new model"},
            ),
            member(
                "an optimizer of another model",
                changed(
                    S3,
                    (OPTIMIZER, OPTIMIZER.replace("model.parameters()", "other.parameters()")),
                    (MODEL, MODEL + MODEL.replace("model =", "other =")),
                ),
                MAIN,
                {"3.main": "the optimizer holds no parameter"},
            ),
            member(
                "the optimizer made before the model is replaced",
                changed(S3, (OPTIMIZER, OPTIMIZER + MODEL)),
                MAIN,
                {"3.main": "the optimizer holds no parameter"},
            ),
        ),
    ),
    Kind(
        "what main does with models and optimizers is free otherwise",
        3,
        (
            member(
                "the encoder frozen",
                changed(
                    S3,
                    (
                        OPTIMIZER,
                        "    for parameter in model.roberta.parameters():\n        parameter.requires_grad = False\n"
                        + OPTIMIZER.replace("model.parameters()", "[p for p in model.parameters() if p.requires_grad]"),
                    ),
                ),
            ),
            member(
                "groups of parameters",
                changed(
                    S3,
                    (
                        OPTIMIZER,
                        OPTIMIZER.replace(
                            "model.parameters()",
                            '[{"params": model.roberta.parameters()}, {"params": model.classifier.parameters(), "lr": 1e-3}]',
                        ),
                    ),
                ),
            ),
            member(
                "two optimizers tried one after the other",
                changed(
                    S3,
                    (
                        LOOP,
                        "    for kind in (torch.optim.AdamW, torch.optim.SGD):\n"
                        + inside(OPTIMIZER.replace("torch.optim.AdamW(", "kind(").replace(", eps=1e-8", ""))
                        + LOOP,
                    ),
                ),
            ),
            member("ten epochs, whatever num_epochs is", changed(S3, ("range(num_epochs)", "range(10)"))),
            member(
                "a number of epochs of main's own",
                changed(S3, ("range(num_epochs)", "range(n_epochs)"), ("    best = 0\n", "    best, n_epochs = 0, 8\n")),
            ),
            member(
                "the validation set seen while training",
                changed(
                    S3,
                    (
                        "        optimizer.step()\n",
                        "        optimizer.step()\n    evaluate(model, dataloader)\n    model.train()\n",
                    ),
                ),
            ),
        ),
    ),
    Kind(
        "main has to make batches and train in a loop",
        3,
        (
            member(
                "loaders without collate_fn",
                changed(
                    S3,
                    (TRAIN, TRAIN.replace(", collate_fn=SST2Dataset.collate_fn", "")),
                    ("batch_size=64, collate_fn=SST2Dataset.collate_fn)", "batch_size=64)"),
                ),
                MAIN,
                {"3.main": "it has no collate_fn"},
            ),
            member(
                "a training loader without collate_fn",
                changed(S3, (TRAIN, TRAIN.replace(", collate_fn=SST2Dataset.collate_fn", ""))),
                MAIN,
                {"3.main": "pass collate_fn=SST2Dataset.collate_fn"},
            ),
            member(
                "the tokenizer as collate_fn",
                changed(S3, (TRAIN, TRAIN.replace("collate_fn=SST2Dataset.collate_fn", "collate_fn=tokenizer"))),
                MAIN,
                {"3.main": "no batch can be drawn"},
            ),
            member(
                "collate_fn called instead of passed",
                changed(S3, (TRAIN, TRAIN.replace("collate_fn=SST2Dataset.collate_fn", "collate_fn=SST2Dataset.collate_fn()"))),
                MAIN,
                {"3.main": "TypeError"},
            ),
            member(
                "one epoch without a loop",
                changed(S3, (LOOP, "    for epoch in [0]:\n")),
                MAIN,
                {"3.main": "main trains for one epoch only"},
            ),
            member(
                "a parameter for epochs that is ignored",
                changed(S3, ("def main():", "def main(num_epochs=20):"), ("range(num_epochs)", "range(8)")),
                MAIN,
                {"3.main": "main never uses its parameter num_epochs"},
            ),
            member(
                "a parameter for the batch size that is ignored",
                changed(S3, ("def main():", "def main(batch_size=64):")),
                MAIN,
                {"3.main": "main never uses its parameter batch_size"},
            ),
        ),
    ),
]

"""Kinds of programs about how main is called."""

from __future__ import annotations

from support.world.kind import S3, Kind, Member, changed, member

OWN = 'if __name__ == "__main__":\n    main()\n'
ARGPARSE = """parser = argparse.ArgumentParser()
parser.add_argument("--batch_size", type=int, default=64)
parser.add_argument("--num_epochs", type=int, default=20)
"""
SETTINGS = """from dataclasses import dataclass


@dataclass
class Settings:
    size: int = 64
    epochs: int = 3


"""


def called(name: str, parameters: str, call: str, size: str = "64", epochs: str = "num_epochs", before: str = "") -> Member:
    """A main with these parameters and its author's own call; ``size`` and ``epochs``: what main uses."""
    return member(
        name,
        changed(
            S3,
            ("def main():", f"{before}def main({parameters}):"),
            ("batch_size=64, shuffle", f"batch_size={size}, shuffle"),
            ("batch_size=64, collate", f"batch_size={size}, collate"),
            ("range(num_epochs)", f"range({epochs})"),
            (OWN, call),
        ),
    )


KINDS = [
    Kind(
        "main is called as its author calls it",
        3,
        (
            called("a literal", "batch_size", "main(64)\n", "batch_size"),
            called("a name of the notebook", "size", "bs = 32\nmain(bs)\n", "size"),
            called("keywords", "size, epochs", "main(size=16, epochs=3)\n", "size", "epochs"),
            called("defaults", "batch_size=64, num_epochs=20", "main()\n", "batch_size", "num_epochs"),
            called("required by keyword alone", "*, batch_size, lr", "main(batch_size=64, lr=5e-5)\n", "batch_size"),
            called("under the main guard", "size", 'if __name__ == "__main__":\n    main(64)\n', "size"),
            called("the result kept", "size", "best = main(64)\n", "size"),
            called(
                "within a try", "size", "try:\n    count = 64\n    main(count)\nexcept KeyboardInterrupt:\n    pass\n", "size"
            ),
            called(
                "within a loop", "size, rate", "for rate in (5e-5, 1e-5):\n    size = 2 * 32\n    main(size, rate)\n", "size"
            ),
            called("within another function", "size", "def run():\n    size = 64\n    return main(size)\n\n\nrun()\n", "size"),
            called(
                "a namespace of settings",
                "args",
                "from types import SimpleNamespace\nargs = SimpleNamespace(size=64, num_epochs=20)\nmain(args)\n",
                "args.size",
                "args.num_epochs",
            ),
            called(
                "a dictionary of settings",
                "config",
                'config = {"size": 64, "epochs": 3}\nmain(config)\n',
                'config["size"]',
                'config["epochs"]',
            ),
            called("a dictionary as keywords", "size, rate", 'config = {"size": 64, "rate": 5e-5}\nmain(**config)\n', "size"),
            called(
                "argparse",
                "args",
                "args = parser.parse_args()\nmain(args)\n",
                "args.batch_size",
                "args.num_epochs",
                "import argparse\n\n" + ARGPARSE + "\n\n",
            ),
            called(
                "argparse under the main guard",
                "args",
                'if __name__ == "__main__":\n    args = parser.parse_args([])\n    main(args)\n',
                "args.batch_size",
                "args.num_epochs",
                "import argparse\n\n" + ARGPARSE + "\n\n",
            ),
            called(
                "argparse inside",
                "",
                "main()\n",
                "parser.parse_args().batch_size",
                "parser.parse_args().num_epochs",
                "import argparse\n\n" + ARGPARSE + "\n\n",
            ),
            called(
                "a dataclass of settings",
                "settings",
                "main(Settings())\n",
                "settings.size",
                "settings.epochs",
                SETTINGS,
            ),
            called("no call at all", "batch_size, num_epochs", "", "batch_size", "num_epochs"),
            called("no call at all, names of the notebook", "tokenizer, DEVICE, learning_rate", ""),
            called("in a comprehension", "size", "results = [main(size) for size in (64,)]\n", "size"),
        ),
    ),
    Kind(
        "a main that its own call cannot start is no main",
        3,
        (
            member(
                "an argument missing", changed(S3, ("def main():", "def main(size, mode):"), (OWN, "main(64)\n")), {"3.main"}
            ),
            member(
                "nothing trained",
                changed(S3, ("    for epoch in range(num_epochs):\n", "    for epoch in []:\n")),
                {"3.main"},
                {"3.main": "without training for a single epoch"},
            ),
        ),
    ),
]

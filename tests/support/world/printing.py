"""Kinds of programs about what is printed."""

from __future__ import annotations

from support.world.kind import S2, S3, Kind, changed, member

KINDS = [
    Kind(
        "what a program prints costs nothing",
        3,
        (
            member(
                "a line for each batch",
                changed(
                    S3, ("        optimizer.step()\n", "        optimizer.step()\n        print('loss', output.loss.item())\n")
                ),
            ),
            member("a summary of the model", changed(S3, ("    best = 0\n", "    best = 0\n    print(model)\n"))),
        ),
    ),
    Kind("what a section prints costs nothing", 2, (member("a tensor", S2 + "\nprint(attn_softmax(torch.ones(2, 2, 2)))\n"),)),
]

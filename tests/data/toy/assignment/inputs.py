"""Inputs of the toy assignment: numbers and lists, no arrays."""

import random


def draw(seed, public, names):
    rng = random.Random(1 if public else seed)

    def cases(function, *kinds):
        return {
            group: [
                {"args": [kind() for kind in kinds], "kwargs": {}, "expected": None, "function": function} for _ in range(3)
            ]
            for group in ("own", "fresh")
        }

    def number():
        return rng.randint(-99, 99)

    return {"1.add": cases("add", number, number), "1.mean": cases("mean", lambda: [number() for _ in range(4)])}


def second_opinion(tree):
    return ""

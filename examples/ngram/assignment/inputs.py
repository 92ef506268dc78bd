"""Draws the inputs of every question from a seed. Only `bake` runs it; no archive and no student has it."""

from __future__ import annotations

from collections import Counter

import numpy as np

# (words in the vocabulary, length of the text): the same for every set, so that none is easier than another.
SIZES = [(4, 12), (7, 40), (5, 25)]
WORDS = "the a cat dog bird tree river house sleeps runs sings grows old small green quiet and near under over".split()


def draw(seed: int, public: bool, names: dict) -> dict[str, dict[str, list[dict]]]:
    """Question id -> group -> cases. ``names``: what the solutions' answers are made of."""
    from lmtools import TRAIN, words_of  # the notebook's own module; it can be imported while inputs are drawn

    rng = np.random.default_rng(seed)  # of the public set, the seed is always the same
    return {
        "1.1": {"own": [case("encode", words(rng, size), vocabulary(rng, size)) for size, _ in SIZES]},
        "1.2": {"own": [case("bigram_counts", text(rng, size, length), size) for size, length in SIZES]},
        "2.1": {"own": [case("probabilities", counts(rng, size), k) for (size, _), k in zip(SIZES, (1.0, 0.25, 0.5))]},
        "2.2": {"own": [case("perplexity", text(rng, *pair), table(rng, pair[0])) for pair in SIZES]},
        "2.3": {group: [scored(rng, *pair) for pair in SIZES] for group in ("own", "fresh")},
        "2.4": {"own": [{"args": [words_of(TRAIN)], "kwargs": {}}]},  # judged by a rule
    }


def case(function: str, *args) -> dict:
    """A call whose result the solution gives."""
    return {"function": function, "args": list(args), "kwargs": {}}


def words(rng: np.random.Generator, size: int) -> list[str]:
    """Some words, of which about a third is in no vocabulary of this size."""
    return [str(word) for word in rng.choice(WORDS[: size + size // 2 + 1], size=3 * size)]


def vocabulary(rng: np.random.Generator, size: int) -> list[str]:
    """Words in any order, among them the unknown one, which is not the first."""
    from lmtools import UNKNOWN

    known = [str(word) for word in rng.permutation(WORDS[:size])]
    known.insert(int(rng.integers(1, size)), UNKNOWN)
    return known


def text(rng: np.random.Generator, size: int, length: int) -> np.ndarray:
    """Positions in a vocabulary, with one pair that occurs three times."""
    return np.concatenate([rng.integers(0, size, length), np.tile([0, size - 1], 3)])


def counts(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.poisson(2.0, (size, size)).astype(float)


def table(rng: np.random.Generator, size: int) -> np.ndarray:
    powers = np.exp(rng.normal(size=(size, size)))
    return powers / powers.sum(axis=1, keepdims=True)


def scored(rng: np.random.Generator, size: int, length: int) -> dict:
    k = float(rng.choice([0.1, 0.5, 1.0, 2.0]))
    return case("score_model", text(rng, size, length), text(rng, size, length // 2), size, k)


def second_opinion(cases: dict) -> str:
    """Where the solution disagrees with counting in plain Python; '' if it does not."""
    for one in cases["2.3"]["own"]:
        train, dev, size, k = one["args"]
        pairs, firsts = Counter(zip(train, train[1:])), Counter(train[:-1])
        logs = [np.log((pairs[a, b] + k) / (firsts[a] + k * size)) for a, b in zip(dev, dev[1:])]
        if not np.isclose(one["expected"], np.exp(-np.mean(logs))):
            return f"score_model: {one['expected']}, counted in plain Python {np.exp(-np.mean(logs))}"
    return ""

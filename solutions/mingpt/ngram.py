"""Models that count words and pairs of neighbours, for a transformer to be compared with.

They predict the same targets as the transformer, so perplexities can be compared. c(u, w) is how often w follows u.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise

from .data import MAX_LEN, Vocabulary

GRID = [i / 20 for i in range(1, 20)]


class NGrams:
    """Counts in the training sentences, and three models based on them."""

    def __init__(self, lines: Iterable[list[str]], vocabulary: Vocabulary):
        self.size = len(vocabulary) - 2  # START and PAD are never predicted
        self.pairs = Counter(pairs(lines, vocabulary))  # (u, w): count
        self.words, self.after, self.kinds_after, self.kinds_before = Counter(), Counter(), Counter(), Counter()
        for (u, w), n in self.pairs.items():
            self.words[w] += n
            self.after[u] += n
            self.kinds_after[u] += 1  # number of different words after u
            self.kinds_before[w] += 1  # number of different words before w
        self.total = sum(self.words.values())

    def unigram(self, u: int, w: int) -> float:
        """P(w) with add-one smoothing."""
        return (self.words[w] + 1) / (self.total + self.size)

    def bigram(self, weight: float) -> Callable[[int, int], float]:
        """P(w | u), interpolated with the unigram (Jelinek and Mercer)."""

        def probability(u: int, w: int) -> float:
            seen = self.pairs[u, w] / self.after[u] if self.after[u] else 0.0
            return weight * seen + (1 - weight) * self.unigram(u, w)

        return probability

    def kneser_ney(self, discount: float) -> Callable[[int, int], float]:
        """P(w | u) with interpolated Kneser-Ney smoothing (Chen and Goodman 1998, section 3).

        max(c(u,w) - d, 0) / c(u)  +  d * kinds_after(u) / c(u) * P(w), with P(w) ~ the number of different words before w.
        """

        def probability(u: int, w: int) -> float:
            lower = (self.kinds_before[w] + 1) / (len(self.pairs) + self.size)
            if not self.after[u]:
                return lower
            seen = max(self.pairs[u, w] - discount, 0.0)
            return (seen + discount * self.kinds_after[u] * lower) / self.after[u]

        return probability


def pairs(lines: Iterable[list[str]], vocabulary: Vocabulary, length: int = MAX_LEN) -> list[tuple[int, int]]:
    """Every (token, next token) of the sentences, truncated as for the transformer."""
    return [pair for line in lines for ids in [vocabulary.tokenize(line)[: length + 1]] for pair in pairwise(ids)]


def perplexity(probability: Callable[[int, int], float], counted: Counter) -> float:
    """Perplexity per token over counted pairs."""
    return math.exp(-sum(n * math.log(probability(u, w)) for (u, w), n in counted.items()) / sum(counted.values()))


def baselines(train: list[list[str]], dev: list[list[str]], vocabulary: Vocabulary) -> dict[str, float]:
    """Dev perplexity of the three models; the parameter of each bigram model is tuned on dev."""
    grams, counted = NGrams(train, vocabulary), Counter(pairs(dev, vocabulary))
    return {
        "unigram": perplexity(grams.unigram, counted),
        "bigram": min(perplexity(grams.bigram(weight), counted) for weight in GRID),
        "Kneser-Ney bigram": min(perplexity(grams.kneser_ney(discount), counted) for discount in GRID),
    }

"""Right helpers: while `score_model` is judged, ``answers[name]`` stands in for a helper that the student got wrong."""

import numpy as np


def bigram_counts(ids, size):
    counts = np.zeros((size, size))
    for first, second in zip(ids[:-1], ids[1:]):
        counts[first, second] += 1
    return counts


def probabilities(counts, k):
    counts = np.asarray(counts, dtype=float) + k
    return counts / counts.sum(axis=1, keepdims=True)


def perplexity(ids, table):
    return float(np.exp(-np.log(np.asarray(table)[ids[:-1], ids[1:]]).mean()))


answers = {"bigram_counts": bigram_counts, "probabilities": probabilities, "perplexity": perplexity}

# A tiny submission, which a working grader must judge as expected.json says.
import numpy as np


def bigram_counts(ids, size):
    counts = np.zeros((size, size))
    np.add.at(counts, (ids[:-1], ids[1:]), 1)
    return counts


def probabilities(counts, k):
    return counts / counts.sum(axis=1, keepdims=True)

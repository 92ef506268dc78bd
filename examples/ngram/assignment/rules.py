"""Rules of this assignment, and the sentences they give. Travels with the notebooks, so it holds nothing secret."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.checks.compare import BLANK, KIND, Failure, is_blank

BOUNDARY = "<S>"
LEAST = 6  # words of a new sentence


def judge_sentence(check: Any, id: str, sentence: Any) -> None:
    """Reject what is no list of words, too short, taken from the text, or has a pair of words that the text has not."""
    if is_blank(sentence):
        raise Failure(BLANK, "got None instead of new_sentence")
    words = sentence.split() if isinstance(sentence, str) else sentence
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise Failure(KIND, "new_sentence should be a list of words")
    if len(words) < LEAST:
        check.fail("rule", f"new_sentence has {len(words)} words, and it should have at least {LEAST}")
    for case in check.cases(id):
        _judge_pairs(check, words, case.args[0])


def _judge_pairs(check: Any, words: list[str], text: list[str]) -> None:
    pairs = set(zip(text, text[1:]))
    whole = [BOUNDARY, *words, BOUNDARY]
    missing = [number for number, pair in enumerate(zip(whole, whole[1:])) if pair not in pairs]
    if missing:
        check.fail("rule", f"{len(missing)} pairs of neighbours never occur in the text; the first is number {missing[0] + 1}")
    if any(text[n : n + len(whole)] == whole for n in range(len(text))):
        check.fail("rule", "new_sentence stands in the text, and it should be a new one")


def broken_property(id: str, case: Any, result: Any) -> str | None:
    """What every right result has, and this wrong one does not, in words; None if nothing of the kind is known."""
    if id == "2.1" and isinstance(result, np.ndarray) and result.ndim == 2 and not np.allclose(result.sum(axis=1), 1):
        return "each row should sum to 1"
    if id in ("2.2", "2.3") and isinstance(result, float) and result < 1:
        return "a perplexity is never below 1"
    return None

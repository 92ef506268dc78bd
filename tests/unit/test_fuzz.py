"""Mutated input always ends in a valid result or a one-line refusal; never a traceback, never much memory."""

import pytest

from support.fuzzing import FUZZERS


@pytest.mark.many(of=7)
@pytest.mark.parametrize("fuzz", FUZZERS, ids=[fuzz.__name__ for fuzz in FUZZERS])
def test_a_few_mutations_end_in_a_result_or_a_refusal(hasty, fuzz):
    fuzz(hasty, 12)

"""Mutated input always ends in a valid results.json or a one-line refusal; never a traceback, never much memory."""

import pytest

from support.fuzzing import fuzz_frames, fuzz_notebook, fuzz_script


@pytest.mark.parametrize("fuzz", [fuzz_script, fuzz_notebook, fuzz_frames])
def test_a_few_mutations_end_in_a_result_or_a_refusal(hasty, fuzz):
    fuzz(hasty, 60)

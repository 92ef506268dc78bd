"""Twenty thousand mutated inputs; a share of them where FUZZ says so."""

import os
import resource

import pytest

from support.fuzzing import FUZZERS

SHARE = float(os.environ.get("FUZZ", "1"))
MOST_KB = 1 << 20  # of the process that runs the tests, with all its imports


def peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("fuzz, count", FUZZERS.items(), ids=[fuzz.__name__ for fuzz in FUZZERS])
def test_thousands_of_mutations_end_in_a_result_or_a_refusal(hasty, fuzz, count, capsys):
    before, count = peak_kb(), int(count * SHARE)
    fuzz(hasty, count)
    with capsys.disabled():
        print(f"\n{fuzz.__name__}: {count} inputs held, peak memory {peak_kb() >> 10} MiB")
    assert peak_kb() < max(before, MOST_KB)

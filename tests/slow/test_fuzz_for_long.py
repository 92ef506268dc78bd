"""Twenty thousand mutated inputs, or as many as two minutes allow where only a SHARE is wanted."""

import itertools
import time
from pathlib import Path

import pytest

from support import share
from support.fuzzing import FUZZERS

SECONDS, PORTION = 120, 20
MORE_KB = 512 << 10  # than the process that runs the tests holds already, with all its imports


def peak_kb(since_now: bool = False) -> int:
    """Most memory that this process has held at once, since the last call with ``since_now`` (not in the tests before that)."""
    if since_now:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def for_a_while(hasty, fuzz) -> int:
    """Portions with seeds of their own until this fuzzer's part of the time is over; how many inputs that were."""
    end = time.monotonic() + SECONDS / len(FUZZERS)
    for portions in itertools.count(1):
        fuzz(hasty, PORTION, 1000 * share.SEED + portions)
        if time.monotonic() > end:
            return portions * PORTION
    raise AssertionError


@pytest.mark.parametrize("fuzz, count", FUZZERS.items(), ids=[fuzz.__name__ for fuzz in FUZZERS])
def test_thousands_of_mutations_end_in_a_result_or_a_refusal(hasty, fuzz, count, capsys):
    before = peak_kb(since_now=True)
    if share.SHARE < 1:
        count = for_a_while(hasty, fuzz)
    else:
        fuzz(hasty, count)
    with capsys.disabled():
        print(f"\n{fuzz.__name__}: {count} inputs held, peak memory {peak_kb() >> 10} MiB")
    assert peak_kb() < before + MORE_KB

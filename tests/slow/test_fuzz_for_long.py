"""Ten thousand mutated inputs."""

import os
import resource

import pytest

from support.fuzzing import fuzz_frames, fuzz_notebook, fuzz_script

MEMORY_CAP_KB = 1 << 20


def peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("fuzz, count", [(fuzz_script, 4000), (fuzz_notebook, 4000), (fuzz_frames, 2000)])
def test_ten_thousand_mutations_end_in_a_result_or_a_refusal(hasty, fuzz, count, capsys):
    before = peak_kb()
    fuzz(hasty, count)
    with capsys.disabled():
        print(f"\n{fuzz.__name__}: {count} inputs held, peak memory {peak_kb() >> 10} MiB, {os.getpid()=}")
    assert peak_kb() < max(before, MEMORY_CAP_KB)

"""Settings for every test: one seed, no deadlines, the fixtures of ``support``, and what is slow."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from hashlib import sha256

import hypothesis
import pytest

from support import share
from support.project import TESTS

pytest_plugins = [
    "support.bank",
    "support.fuzzing",
    "support.grades",
    "support.grading",
    "support.local_check",
    "support.once",
    "support.student_zip",
    "support.toy",
    "support.toy_class",
    "support.wheels",
]
# jsonschema, which nbformat imports, would compile 38 grammars for a check of addresses that nothing here asks for.
sys.modules.setdefault("rfc3987_syntax", None)
os.environ["AUTOGRADER_SEED"] = "the tests' own seed"
os.environ["OMP_NUM_THREADS"] = "1"  # there is a process for each core; more threads than cores wait for each other
# The time that an example takes depends on how busy the machine is; how many are tried, on the SHARE.
hypothesis.settings.register_profile(
    "any machine", max_examples=share.number(100), deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_report_header() -> str | None:
    return None if share.SHARE >= 1 else f"a share of {share.SHARE:g} of what is random or repeats itself, SEED={share.SEED}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as slow what lies in tests/slow, and of ``many`` all but every n-th; as container what lies in tests/container."""
    rest, many = [], defaultdict(list)
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in ("slow", "container"):
            item.add_marker(folder)
        elif item.get_closest_marker("many"):
            many[item.nodeid.partition("[")[0]].append(item)
    for group in many.values():
        # In an order of their own: every n-th as they are listed would be in step with what they are made of.
        for place, item in enumerate(sorted(group, key=lambda item: sha256(item.nodeid.encode()).digest())):
            if place % item.get_closest_marker("many").kwargs["of"]:
                item.add_marker("slow")
                rest.append(item)
    left_out = set(rest) - set(share.some(rest)) if rest else set()
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=list(left_out))

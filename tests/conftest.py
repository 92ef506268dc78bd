"""Settings for every test: one seed, no deadlines, the fixtures of ``support``, and markers by folder."""

from __future__ import annotations

import os

import hypothesis
import pytest

from support import share
from support.project import TESTS

pytest_plugins = [
    "support.bank",
    "support.fuzzing",
    "support.grading",
    "support.local_check",
    "support.student_zip",
    "support.toy",
    "support.toy_class",
    "support.wheels",
]
os.environ["AUTOGRADER_SEED"] = "the tests' own seed"
# The time that an example takes depends on how busy the machine is.
hypothesis.settings.register_profile(
    "any machine", max_examples=30, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_report_header() -> str | None:
    return None if share.SHARE >= 1 else f"a share of {share.SHARE:g} of what is random or repeats itself, SEED={share.SEED}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests in tests/slow as slow and those in tests/container as container."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in ("slow", "container"):
            item.add_marker(folder)

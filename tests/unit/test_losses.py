"""Which loss a gradient is of: gradients of other losses can point almost the same way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assignment.rules.training import cosine, mistaken

SEEDS = st.integers(0, 2**32 - 1)
ANGLES = st.sampled_from([1e-4, 3e-4, 1e-3, 2e-3, 5e-3, 0.02, 0.1, 1.0])  # radians; 1 - cosine is half the square


def two(seed: int, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Two float32 gradients this far apart, flat as those of a classifier's last layer: [32]."""
    rng = np.random.default_rng(seed)
    own, across = np.linalg.qr(rng.standard_normal((32, 2)))[0].T
    return own.astype(np.float32), (0.3 * (np.cos(angle) * own + np.sin(angle) * across)).astype(np.float32)


@given(SEEDS, ANGLES)
@settings(max_examples=300, deadline=None)
def test_the_right_gradient_is_never_taken_for_that_of_another_loss(seed, angle):
    right, other = two(seed, angle)
    noise = 1 + 1e-6 * np.random.default_rng([seed]).standard_normal(32)
    facts = {"gradient": right, "mistaken": {"softmax": other}}
    assert mistaken(right, facts) == mistaken((right * noise).astype(np.float32), facts) == ""


@given(SEEDS, ANGLES)
@settings(max_examples=300, deadline=None)
def test_the_gradient_of_a_mistaken_loss_is_recognised_however_near_it_is(seed, angle):
    right, other = two(seed, angle)
    noise = 1 + 1e-6 * np.random.default_rng([seed]).standard_normal(32)
    assert mistaken((other * noise).astype(np.float32), {"gradient": right, "mistaken": {"softmax": other}}) == "softmax"


@pytest.mark.parametrize(
    "a, b, expected", [([0, 0], [0, 0], 1), ([0, 0], [1, 0], 0), ([2, 0], [5, 0], 1), ([1, 0], [-3, 0], -1)]
)
def test_a_gradient_of_zeros_is_like_zeros_only(a, b, expected):
    assert cosine(np.array(a, np.float32), np.array(b, np.float32)) == expected

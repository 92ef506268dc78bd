"""Which loss a gradient is of: gradients of other losses can point almost the same way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assignment.inputs import finetuning
from assignment.inputs.finetuning import LOSSES, MEANT, losses_apart
from assignment.rules.training import SAME_LOSS, cosine, mistaken
from support.share import SEED

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


def directions(**others: np.ndarray) -> dict[str, np.ndarray]:
    """Gradients of every loss: those that are mistaken at right angles to the right one, those that are meant just like it."""
    right, across = np.eye(4, 32, dtype=np.float32)[:2]
    names = [name for name in LOSSES if name != "cross-entropy"]
    return {"cross-entropy": right, **dict.fromkeys(names, across), **dict.fromkeys(MEANT, 3 * right), **others}


def test_a_world_is_drawn_where_losses_that_are_meant_and_that_are_mistaken_point_where_they_should():
    right, across = np.eye(4, 32, dtype=np.float32)[:2]
    near, far = right + 0.1 * across, right + 0.5 * across
    one = next(iter(MEANT))
    assert losses_apart(directions()) and losses_apart(directions(**{one: near}))
    assert not losses_apart(directions(squares=right + 1e-4 * across)), "a mistaken loss like the right one"
    assert not losses_apart(directions(**{one: far})), "the right one with smoothed labels, elsewhere"
    assert not losses_apart(directions(**{one: near}, squares=near)), "just where a mistaken one is"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [4, 35, 1000 + SEED % 1000])  # without this condition 4 and 35 take them
def test_no_hidden_world_takes_points_for_smoothed_labels_or_weighted_classes(seed):
    world = finetuning.world(seed, finetuning.sizes(np.random.default_rng([seed, 77]), public=False))
    batch = world["splits"]["train"][: finetuning.TRAIN_BATCH]
    with finetuning.stage_of(world) as stage:
        found = finetuning.gradients_of(LOSSES | MEANT, stage.world.model().double(), stage.world.tokenizer(), batch)
    facts = {"gradient": found.pop("cross-entropy"), "mistaken": {name: found.pop(name) for name in list(LOSSES)[1:]}}
    for name, gradient in found.items():
        assert mistaken(gradient, facts) == "" and cosine(gradient, facts["gradient"]) > SAME_LOSS, name

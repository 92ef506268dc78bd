"""What the answers are tried with.

The tests taken over from Otter bring their own numbers, the same for everyone, so there is one case for each question, and it
has no arguments. To draw hidden inputs instead, give a question cases with ``args`` and ``"function": "its answer"``, and in
the rubric a ``sentence`` in place of its test file: what is expected is then computed with the solution.
"""

from __future__ import annotations

QUESTIONS = []


def draw(seed: int, public: bool, names: dict) -> dict[str, dict[str, list[dict]]]:
    """Question id -> group -> cases."""
    return {id: {"own": [{"args": [], "kwargs": {}}]} for id in QUESTIONS}

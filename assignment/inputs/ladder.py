"""A ladder of small public calls for each function of section 2.1, ordered by size.

Of a wrong answer the smallest failing one is shown; guesses at its mistake are tried on all. Numbers are 0, 1, -1 and 2 in
the first ones, then have one decimal. The engine fills in ``expected`` by calling the solution.
"""

from __future__ import annotations

import numpy as np

from .case import PUBLIC_SEED, case

RUNGS = [  # batch, n_tok, n_heads, n_embd
    (1, 1, 1, 1),
    (1, 2, 1, 1),
    (1, 2, 1, 2),
    (1, 3, 1, 2),
    (1, 2, 2, 4),
    (2, 2, 1, 3),
    (1, 3, 2, 4),
    (2, 3, 2, 2),
    (2, 4, 1, 3),
    (1, 4, 3, 6),
    (3, 2, 2, 6),
    (2, 5, 2, 4),
    (2, 3, 3, 6),
    (3, 4, 1, 2),
]
SIMPLE = 5  # this many have the simplest numbers
PRECISE = range(11, 14)  # these are float64
STRIDED = (8, 9)  # inputs of these are views, as parts of a fused projection are
MASKS = 12


def ladder(name: str) -> list[dict]:
    """The calls for a function of section 2.1, or for one step of self_attention, ordered by how many numbers they take."""
    rng = np.random.default_rng(PUBLIC_SEED)
    if name == "make_causal_mask":
        return [case([n_tok], name, f"n_tok {n_tok}") for n_tok in range(1, MASKS + 1)]
    rung = attention if name.startswith("step") else helper
    return sorted((rung(name, rng, *row) for row in zip(RUNGS, range(len(RUNGS)))), key=taken)


def taken(rung: dict) -> int:
    """How many numbers a call takes."""
    return sum(np.size(arg) for arg in rung["args"])


def helper(name: str, rng: np.random.Generator, size: tuple, index: int) -> dict:
    """One call of a helper; with several heads, its inputs have a dimension for them."""
    batch, n_tok, n_heads, n_embd = size
    width, lead = n_embd // n_heads, (batch, n_heads) if n_heads > 1 else (batch,)
    args = {
        "pairwise_similarities": lambda: [numbers(rng, index, *lead, n_tok, width) for _ in "QK"],
        "attn_scaled": lambda: [numbers(rng, index, *lead, n_tok, n_tok), n_embd, n_heads],
        "attn_softmax": lambda: [numbers(rng, index, *lead, n_tok, n_tok)],
        "compute_outputs": lambda: [shares(rng, index, *lead, n_tok, n_tok), numbers(rng, index, *lead, n_tok, width)],
        "apply_causal_mask": lambda: [
            np.tril(np.ones((n_tok, n_tok), dtype=kind(index))),
            np.where(scores := numbers(rng, index, *lead, n_tok, n_tok), scores, kind(index)(1)),  # zeros may come of masking
        ],
        "split_heads": lambda: [numbers(rng, index, batch, n_tok, n_embd), n_heads],
        "merge_heads": lambda: [numbers(rng, index, batch, n_heads, n_tok, width)],
    }[name]()
    strided = index in STRIDED and name in ("pairwise_similarities", "split_heads")
    label = f"batch {batch}, n_tok {n_tok}, n_embd {n_embd}, n_heads {n_heads}"
    return case(args, name, label, layout="chunk" if strided else "")


def attention(step: str, rng: np.random.Generator, size: tuple, index: int) -> dict:
    """One call of self_attention: in step 3 with a head more than the size has, and causal every other time."""
    batch, n_tok, n_heads, n_embd = size
    heads = n_heads + 1 if step == "step3" else 1
    width = n_embd // n_heads * heads if step == "step3" else n_embd
    causal = {"step1": False, "step2": True, "step3": index % 2 == 1}[step]
    args = [numbers(rng, index, batch, n_tok, width) for _ in "QKV"]
    label = f"batch {batch}, n_tok {n_tok}, n_embd {width}, n_heads {heads}, causal={causal}"
    layout = "chunk" if index in STRIDED else ""
    return case(args, "self_attention", label, {"n_heads": heads, "causal": causal}, layout)


def kind(index: int) -> type:
    return np.float64 if index in PRECISE else np.float32


def numbers(rng: np.random.Generator, index: int, *shape: int) -> np.ndarray:
    """0, 1, -1 and 2, or numbers with one decimal between -2 and 2; not all the same."""
    while True:
        drawn = rng.choice([0.0, 1.0, -1.0, 2.0], shape) if index < SIMPLE else rng.integers(-20, 21, shape) / 10
        if drawn.any() and (drawn.size == 1 or np.ptp(drawn) > 0):
            return drawn.astype(kind(index))


def shares(rng: np.random.Generator, index: int, *shape: int) -> np.ndarray:
    """Attention weights with one decimal: each row sums to one."""
    tenths = rng.multinomial(10, np.full(shape[-1], 1 / shape[-1]), shape[:-1])
    return (tenths / 10).astype(kind(index))

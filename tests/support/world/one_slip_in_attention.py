"""Kinds of section 2.1 with one slip in self_attention: it costs one step, and of several the one with the most points."""

from __future__ import annotations

from support.world.kind import S2, Kind, changed, member
from support.world.section2 import returning

PAIRWISE = "    A = pairwise_similarities(Q, K)\n"
SCALED = "    A = attn_scaled(A, n_embd, n_heads)\n"
SOFTMAX = "    A = attn_softmax(A)\n"
MASKED = "        A = apply_causal_mask(make_causal_mask(n_tok), A)\n"
OUTPUT = "    return merge_heads(compute_outputs(A, V))"
SPLIT = "    Q, K, V = split_heads_qkv(Q, K, V, n_heads)\n"
STEP1, STEP2, STEP3 = (f"2.1.self_attention.step{n}" for n in (1, 2, 3))


def slip(name, *pairs, words, lost=(STEP3,), source=S2, also=()):
    return member(name, changed(source, *pairs), [*lost, *also], {lost[0]: words})


KINDS = [
    Kind(
        "a mistake that shows in several steps costs the one with the most points",
        2,
        (
            slip("K and V swapped", (PAIRWISE, "    K, V = V, K\n" + PAIRWISE), words="keys and values are swapped"),
            slip(
                "K and V swapped in the calls",
                (PAIRWISE, PAIRWISE.replace("K)", "V)")),
                (OUTPUT, OUTPUT.replace("V)", "K)")),
                words="swapped",
            ),
            slip("Q and K swapped", (PAIRWISE, PAIRWISE.replace("Q, K", "K, Q")), words="queries and keys are swapped"),
            slip("not scaled", (SCALED, ""), words="attn_scaled is not called"),
            slip("scaled twice", (SCALED, SCALED * 2), words="attn_scaled is called twice"),
            slip(
                "no softmax", (SOFTMAX, "    A = A.masked_fill(A == float('-inf'), 0.0)\n"), words="attn_softmax is not called"
            ),
            slip("softmax twice", (SOFTMAX, SOFTMAX * 2), words="attn_softmax is called twice"),
            slip("always masked", ("    if causal:", "    if True:"), words="even if causal is False"),
            slip("masked by default", ("    if causal:", "    if causal or not causal:"), words="even if causal is False"),
            slip("never masked", ("    if causal:", "    if False:"), words="no mask takes effect"),
            slip("the masked scores thrown away", (MASKED, MASKED.replace("A = ", "")), words="no mask takes effect"),
        ),
    ),
    Kind(
        "a mistake that shows in one step costs that one",
        2,
        (
            slip("never split", (SPLIT, ""), (OUTPUT, "    return compute_outputs(A, V)"), words="never split into heads"),
            slip("scaled for one head", (SCALED, SCALED.replace("n_heads", "1")), words="the scale ignores n_heads"),
            slip(
                "one head never masked",
                ("    if causal:", "    if causal and n_heads > 1:"),
                words="numbers are off",
                lost=(STEP2,),
            ),
        ),
    ),
    Kind(
        "a slip in self_attention and one in a helper cost one item each",
        2,
        (
            slip(
                "swapped, and no softmax",
                (PAIRWISE, "    K, V = V, K\n" + PAIRWISE),
                words="keys and values are swapped",
                source=returning(attn_softmax="A"),
                also=["2.1.attn_softmax"],
            ),
            slip(
                "not scaled, and an inverted mask",
                (SCALED, ""),
                words="attn_scaled is not called",
                source=returning(make_causal_mask="1 - {}"),
                also=["2.1.make_causal_mask"],
            ),
            slip(
                "never masked, and a NumPy array",
                ("    if causal:", "    if False:"),
                words="no mask takes effect",
                source=returning(merge_heads="{}.numpy()"),
                also=["2.1.merge_heads"],
            ),
            slip(
                "V not split, and heads that are merged as they lie",
                (SPLIT, "    Q, K = split_heads(Q, n_heads), split_heads(K, n_heads)\n"),
                words="V is not split into heads",
                source=returning(merge_heads="y.reshape(y.shape[0], y.shape[2], -1)"),
                also=["2.1.merge_heads"],
            ),
        ),
    ),
    Kind(
        "a self_attention whose slip is unknown earns what comes out right",
        2,
        (
            member(
                "nothing is right",
                changed(S2, (OUTPUT, OUTPUT + " * 1.5")),
                [STEP1, STEP2, STEP3],
                {STEP1: "numbers are off", STEP3: "numbers are off"},
            ),
            member("not written yet", changed(S2, (OUTPUT, "    pass")), [STEP1, STEP2, STEP3], {STEP1: "returned None"}),
        ),
    ),
]

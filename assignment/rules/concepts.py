"""What diagnosis needs to know of this assignment: what its known mistakes are about, questions about lines, edits of its own.

Read by the engine's ``checks.diagnosis``: see ``core.trusted.load_rules``.
"""

from __future__ import annotations

# What the known mistakes of an item are about, unless the bank says it of one (`concept`).
ABOUT: dict = {
    "1.2.1": "query direction",
    "1.2.2": "query direction",
    "1.3.1": "query direction",
    "1.3.2": "query direction",
    "1.4.1": "key similarity",
    "1.4.2": "key similarity",
    "2.1.pairwise_similarities": "matrix product",
    "2.1.attn_scaled": "scale",
    "2.1.attn_softmax": "softmax axis",
    "2.1.compute_outputs": "matrix product",
    "2.1.make_causal_mask": "triangle",
    "2.1.apply_causal_mask": "mask fill",
    "2.1.split_heads": "dimension order",
    "2.1.merge_heads": "dimension order",
    "2.1.self_attention.step1": "composition",
    "2.1.self_attention.step2": "composition",
    "2.1.self_attention.step3": "composition",
    "3.dataset.len": "length",
    "3.dataset.getitem": "items",
    "3.dataset.iter": "iteration",
    "3.collate": "batches",
    "3.compute_accuracy": "accuracy",
    "3.train_one_epoch": "training step",
    "3.evaluate": "evaluation",
    "3.main": "training loop",
}

CONCEPTS = {
    "mask side": "which entries does this choose: those of the past, which stay, or those of the future, which are hidden?",
    "triangle": "row i is the token that attends: which columns may it see?",
    "dimension order": "(batch, heads, tokens, width): in which order do the dimensions come before and after this step?",
    "order of sizes": "which of batch, heads, tokens and width does each of these names get, for a tensor of this shape?",
    "size": "which of batch, heads, tokens and width is this?",
    "gradient order": "in which order do zero_grad, backward and step come, and how often does each run?",
    "head width": "is the second argument here the width of all heads together, or the width of one of them?",
    "composition": "what does this function take, and what comes out of it?",
    "train": "does dropout have to be on or off here?",
    "eval": "does dropout have to be on or off here?",
}

# (concept, what is there, what may be right in its place); see checks.diagnosis.templates.
EDITS = (
    ("head width", "attn_scaled(_a, _n, _h)", "attn_scaled(_a, _n * _h, _h)"),
    ("composition", "attn_scaled(_a, _n, 1)", "attn_scaled(_a, _n, n_heads)"),
    ("composition", "attn_softmax(_a)", "_a"),
    ("composition", "compute_outputs(_a, _v)", "compute_outputs(attn_softmax(_a), _v)"),
    ("composition", "compute_outputs(_a, _v)", "merge_heads(compute_outputs(_a, _v))"),
    ("composition", "pairwise_similarities(_q, _k)", "pairwise_similarities(_k, _q)"),
    ("composition", "apply_causal_mask(_m, _a)", "apply_causal_mask(_a, _m)"),
    ("composition", "make_causal_mask(_n)", "make_causal_mask(Q.shape[-2])"),
    ("batches", "DataLoader(__)", "DataLoader(__, shuffle=True)"),
    ("gradient", "loss.item().backward()", "loss.backward()"),
)

# (concept, statement) that may be missing somewhere.
STATEMENTS = (
    ("gradient order", "optimizer.zero_grad()"),
    ("gradient order", "optimizer.step()"),
    ("gradient order", "loss.backward()"),
    ("train", "model.train()"),
    ("eval", "model.eval()"),
    ("composition", "A = attn_softmax(A)"),
    ("composition", "Q, K, V = split_heads_qkv(Q, K, V, n_heads)"),
    ("composition", "Q = split_heads(Q, n_heads)"),
    ("composition", "K = split_heads(K, n_heads)"),
    ("composition", "V = split_heads(V, n_heads)"),
)

# The functions that a composite of these items calls, in the order of their calls.
STEPS = {
    "2.1.self_attention.step1": ("pairwise_similarities", "attn_scaled", "attn_softmax", "compute_outputs"),
    "2.1.self_attention.step2": (
        "pairwise_similarities",
        "attn_scaled",
        "make_causal_mask",
        "apply_causal_mask",
        "attn_softmax",
        "compute_outputs",
    ),
    "2.1.self_attention.step3": (
        "split_heads",
        "pairwise_similarities",
        "attn_scaled",
        "apply_causal_mask",
        "attn_softmax",
        "compute_outputs",
        "merge_heads",
    ),
}

# How many edits the probes of these items are worth: they take a moment each.
WORTH = {"3.collate": 25, "3.train_one_epoch": 25, "3.evaluate": 25, "3.main": 0}

# Parameters that a right answer may leave unused.
SPARE = {"3.train_one_epoch": ("epoch",)}
